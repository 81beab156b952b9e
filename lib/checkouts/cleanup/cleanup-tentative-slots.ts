import type { Db } from "../../db/client.ts";
import { recordFinding } from "../../findings/index.ts";
import { recordCapture, type CaptureResult } from "../capture.ts";
import { askOrder, type OrderSays } from "../provider/ask-order.ts";
import { gatewayDown, NO_ANSWER_IN_A_ROW, paymentsFault } from "../../provider/faults.ts";
import type { RunContext } from "../../support/run-context.ts";
import { type CoreResult, failed, type Verdict } from "../../support/verdict.ts";
import { hours } from "../../support/clock.ts";
import { errorCode, toError } from "../../support/errors.ts";
import { LeaseLostError } from "../../support/lease.ts";
import { annotateReleased } from "../annotate.ts";
import { planRelease, releaseHold, type KeepReason, type Release } from "../release-hold.ts";
import { findCandidates, type Candidate } from "./candidates.ts";
import { judgeCleanup } from "./judge.ts";
import {
  countCleanup,
  emptyCleanupReport,
  type CleanupItem,
  type CleanupReport,
} from "./report.ts";
import type { CleanupSettings } from "./settings.ts";
import { isForEveryRow } from "../../db/sqlstate.ts";
import type { ProviderPayment, PaymentProvider } from "../../provider/index.ts";

const ACTOR = "job:slots/cleanup-tentative-slots";

interface CleanupPorts extends Omit<
  RunContext<Omit<CleanupSettings, "razorpay" | "mail">>,
  "runId"
> {
  readonly db: Db;
  readonly gateway: PaymentProvider;
}

type Decision = Pick<CleanupItem, "outcome" | "code" | "message"> & {
  overdue?: boolean;
  /** The provider gave no answer at all. */
  isSilent?: boolean;
  /** Ends the run. */
  stop?: Verdict;
};

/**
 * Frees the slots and money of abandoned checkouts. Where a payment may have been made, the provider is asked
 * first. Captured money is recorded instead, authorized money waits, and an uncertain answer changes nothing.
 * Each booking is a separate transaction, and an error of one stops no other.
 */
export async function cleanupTentativeSlots(
  ports: CleanupPorts,
): Promise<CoreResult<CleanupReport>> {
  const report = emptyCleanupReport(ports.dryRun);
  const candidates = await findCandidates(ports.db, {
    rule: ports.settings,
    limit: ports.limit,
  });
  report.found = candidates.length;
  let silentInARow = 0;

  for (const [index, candidate] of candidates.entries()) {
    if (ports.signal.aborted) return { verdict: { kind: "interrupted" }, report };
    let decision: Decision;
    try {
      decision = await handle(ports, candidate, report);
    } catch (error) {
      if (error instanceof LeaseLostError || isForEveryRow(error)) {
        return { verdict: { kind: "broken", error }, report };
      }
      ports.log.error({ ...candidate, err: toError(error) }, "this hold could not be handled");
      decision = {
        outcome: "failed",
        code: errorCode(error) ?? "UNEXPECTED_ERROR",
        message: "an error met it, which the log has; it stays as it is",
      };
    }
    // Asked in vain because the run is to stop: nothing was learnt of this one.
    if (decision.code === "interrupted") return { verdict: { kind: "interrupted" }, report };
    const { stop, overdue = false, isSilent = false, ...said } = decision;
    const { bookingId, paymentId, ageMs } = candidate;
    countCleanup(report, { bookingId, paymentId, ageMs, overdue, ...said });
    ports.log.info({ bookingId, paymentId, outcome: said.outcome, code: said.code }, said.message);
    ports.progress.update(index + 1, report.found);
    silentInARow = isSilent ? silentInARow + 1 : 0;
    if (stop) return { verdict: stop, report };
    if (silentInARow >= NO_ANSWER_IN_A_ROW) return { verdict: failed(gatewayDown), report };
  }
  return { verdict: judgeCleanup(ports.settings, report), report };
}

async function handle(
  ports: CleanupPorts,
  candidate: Candidate,
  report: CleanupReport,
): Promise<Decision> {
  let notes: Readonly<Record<string, string>> | undefined;
  for (const orderId of candidate.orders) {
    const said = await askOrder(ports.gateway, orderId, ports);
    if (said.kind !== "unpaid") {
      const news = await newsOf(ports, orderId, said);
      if (news) return news;
    }
    // The open checkout's order comes first, and it is the one that is annotated.
    if (said.kind === "unpaid") notes ??= said.notes;
  }
  return release(ports, candidate, { report, notes });
}

/** The action that the provider's answer needs instead of a release; undefined: no news. */
async function newsOf(
  ports: CleanupPorts,
  orderId: string,
  said: Exclude<OrderSays, { kind: "unpaid" }>,
): Promise<Decision | undefined> {
  switch (said.kind) {
    case "captured":
      return recordAll(ports, orderId, said.payments);
    case "authorized": {
      const alarmHours = Math.round(ports.settings.alarmMs / hours(1));
      const overdue = ports.clock.now().getTime() - said.sinceMs > ports.settings.alarmMs;
      const message = overdue
        ? `authorized for more than ${alarmHours} hours and not captured: a person looks at it`
        : "the bank has set the money aside: it stays until that is captured or fails";
      return { outcome: "authorized", code: "AUTHORIZED", message, overdue };
    }
    case "unanswered":
      return {
        outcome: "unanswered",
        code: said.code,
        message: said.detail,
        isSilent: said.isSilent,
      };
    case "systemic":
      return {
        outcome: "unanswered",
        code: said.fault,
        message: said.detail,
        stop: failed(paymentsFault(said.fault, said.detail)),
      };
  }
}

async function recordAll(
  ports: CleanupPorts,
  orderId: string,
  payments: readonly ProviderPayment[],
): Promise<Decision | undefined> {
  const captured: Decision = {
    outcome: "captured",
    code: "CAPTURED",
    message: "the provider has its money: recorded, not released",
  };
  if (ports.dryRun) {
    return { ...captured, message: "the provider has its money: it would be recorded" };
  }
  const results: CaptureResult[] = [];
  for (const { id, amountPaise, createdAtMs } of payments) {
    ports.lease.assertTrusted();
    results.push(
      await recordCapture(
        ports.db,
        {
          orderId,
          providerPaymentId: id,
          amountPaise,
          capturedAt: new Date(createdAtMs),
          source: ACTOR,
        },
        { ...ports.settings, random: ports.random, signal: ports.signal },
      ),
    );
  }
  const differs = results.find((result) => result.kind === "differs");
  if (differs) {
    if (!differs.isOpen) return keptBecause("resolved");
    return {
      outcome: "differs",
      code: "CAPTURE_AMOUNT_DIFFERS",
      message: "captured with another amount than the order's; a finding is stored for a person",
    };
  }
  const [first] = results;
  if (first?.kind === "conflict") return keptBecause("write-conflict");
  return first?.kind === "orphaned"
    ? { ...captured, code: first.why, message: "captured, and nothing can be booked for it now" }
    : captured;
}

async function release(
  ports: CleanupPorts,
  { bookingId }: Candidate,
  { report, notes }: { report: CleanupReport; notes: Readonly<Record<string, string>> | undefined },
): Promise<Decision> {
  const target = { by: "age", bookingId, rule: ports.settings } as const;
  if (ports.dryRun) {
    const plan = await planRelease(ports.db, target);
    if (plan.kind !== "cancelled") return notReleased(ports, bookingId, plan);
    report.slotsReleased += plan.slots;
    return { outcome: "released", code: "UNPAID", message: "unpaid: it would be released" };
  }
  ports.lease.assertTrusted();
  const result = await releaseHold(ports.db, target, {
    actor: ACTOR,
    because: "lapsed",
    offerMs: ports.settings.offerMs,
    random: ports.random,
    signal: ports.signal,
  });
  if (result.kind !== "cancelled") return notReleased(ports, bookingId, result);
  report.slotsReleased += result.slots;
  report.seatsOffered += result.seatsOffered;
  report.creditPaise += result.creditPaise;
  report.walletPaise += result.walletPaise;
  const { orderId } = result;
  if (orderId !== null) await annotateReleased(ports, { orderId, ...(notes ? { notes } : {}) });
  return { outcome: "released", code: "UNPAID", message: "unpaid: its slots are free again" };
}

async function notReleased(
  ports: CleanupPorts,
  bookingId: string,
  result: Exclude<Release, { kind: "cancelled" }>,
): Promise<Decision> {
  if (result.kind === "not-found") return keptBecause("ended");
  if (result.why === "confirmed" && !ports.dryRun) {
    await recordFinding(ports.db, {
      kind: "confirmed-with-tentative-slots",
      severity: "warning",
      subjectType: "booking",
      subjectId: bookingId,
      details: {},
    });
  }
  return keptBecause(result.why);
}

const KEPT: Record<KeepReason | "resolved", string> = {
  resolved: "captured with another amount; a person has resolved the finding, and the hold stays",
  paid: "it was paid meanwhile",
  captured: "its payment came late: the late capture is settled, not released",
  confirmed: "its booking is confirmed though nothing of it is paid; a finding is stored",
  ended: "somebody ended it meanwhile",
  renewed: "it was changed meanwhile, and has its grace again",
  "write-conflict": "other sessions are changing it: the next run looks again",
};

function keptBecause(why: keyof typeof KEPT): Decision {
  return { outcome: "kept", code: why, message: KEPT[why] };
}

import type { Db } from "../../db/client.ts";
import { errorCode } from "../../support/errors.ts";
import { noProgress } from "../../support/progress.ts";
import type { RunContext } from "../../support/run-context.ts";
import { type CoreResult, failed, type Verdict } from "../../support/verdict.ts";
import { planCapture, recordCapture, type CaptureResult } from "../capture.ts";
import { askForCaptures, type OrderSays } from "../provider/ask-order.ts";
import { gatewayDown, NO_ANSWER_IN_A_ROW, paymentsFault } from "../../provider/faults.ts";
import { DISPUTE_OPEN } from "../../refunds/disputed.ts";
import { processRefunds } from "../../refunds/process-refunds.ts";
import { judgeLate } from "./judge.ts";
import {
  findFailedLate,
  findOpenToAsk,
  findOrphans,
  findRefundsToSend,
  findToAsk,
  markAsked,
  type AskedHold,
  type Orphan,
} from "./late-payments.ts";
import { countLate, emptyLateReport, type LateItem, type LateReport } from "./report.ts";
import type { LateSettings } from "./settings.ts";
import { planOrphan, refundWhatIsLeft, settleOrphan } from "./settle-orphan.ts";
import { tryRow } from "../../db/rows.ts";
import type { ProviderPayment, PaymentProvider } from "../../provider/index.ts";

const ACTOR = "job:payments/reconcile-late-captures";

/** `limit`: at most so many orders asked about, and at most so many orphans settled. */
interface LatePorts extends RunContext<Omit<LateSettings, "razorpay" | "mail">> {
  readonly db: Db;
  readonly gateway: PaymentProvider;
}

/**
 * Finds captures that nobody reported, and settles money that arrived after its hold had ended. Books each orphan
 * again if everything it had held is still free, and else requests its refund. Then asks the provider about the
 * orders of open checkouts and of ended holds, and records and settles their captures. Last, sends these refunds, and
 * those that an earlier run has left. Known payments come first, so that neither a silent provider nor very many
 * orders delay them.
 */
export async function reconcileLateCaptures(ports: LatePorts): Promise<CoreResult<LateReport>> {
  const report = emptyLateReport(ports.dryRun);
  try {
    const ended =
      (await settleOrphans(ports, report)) ??
      (await askAgainForWhatIsLeft(ports, report)) ??
      (await askAboutHolds(ports, report)) ??
      (await sendRefunds(ports, report));
    return { verdict: ended ?? judgeLate(report), report };
  } catch (error) {
    return { verdict: { kind: "broken", error }, report };
  }
}

const interrupted: Verdict = { kind: "interrupted" };

/** Open checkouts first: their buyers wait, and may yet be booked. A verdict ends the run. */
async function askAboutHolds(ports: LatePorts, report: LateReport): Promise<Verdict | undefined> {
  const { db, settings, limit } = ports;
  const open = await findOpenToAsk(db, { ...settings, limit });
  const left = limit === undefined ? undefined : limit - open.length;
  const holds = [...open, ...(await findToAsk(db, { ...settings, limit: left }))];
  let silentInARow = 0;
  for (const hold of holds) {
    if (ports.signal.aborted) return interrupted;
    const said = await eachInItsOwn(ports, { report, of: hold }, () =>
      askForCaptures(ports.gateway, hold.orderId, ports),
    );
    if (said === undefined) continue;
    if (said.kind === "unanswered" && said.code === "interrupted") return interrupted;
    report.asked++;
    ports.progress.update(report.asked, holds.length);
    silentInARow = said.kind === "unanswered" && said.isSilent ? silentInARow + 1 : 0;
    if (said.kind === "systemic") return failed(paymentsFault(said.fault, said.detail));
    let isNoted = isAnswered(hold, said);
    if (said.kind === "captured") {
      const recorded = await eachInItsOwn(ports, { report, of: hold }, () =>
        recordAll(ports, { hold, payments: said.payments, report }),
      );
      isNoted &&= recorded === "recorded";
    } else if (said.kind === "unanswered") {
      const { code, detail: message } = said;
      count(ports, report, { ...hold, outcome: "unanswered", code, message, amountPaise: 0n });
      if (silentInARow >= NO_ANSWER_IN_A_ROW) return failed(gatewayDown);
    }
    if (!ports.dryRun && isNoted) {
      ports.lease.assertTrusted();
      await eachInItsOwn(ports, { report, of: hold }, () => markAsked(ports.db, hold.paymentId));
    }
  }
  return undefined;
}

/**
 * Whether the pace of the questions goes on from here. An open checkout with an answer that says nothing certain, or
 * whose capture differs, is asked about again at its pace: it must not stand before all others in every run.
 */
function isAnswered({ isOpen }: AskedHold, said: OrderSays): boolean {
  if (said.kind === "unpaid" || said.kind === "authorized") return true;
  return isOpen && !(said.kind === "unanswered" && said.isSilent);
}

async function recordAll(
  ports: LatePorts,
  { hold, payments, report }: CapturedHold,
): Promise<"recorded" | "conflict"> {
  if (ports.dryRun) {
    report.captured += payments.length;
    await (hold.isOpen ? planOpen : planEnded)(ports, { hold, payments, report });
    return "recorded";
  }
  const { bookingId, planId } = hold;
  const orphans: Orphan[] = [];
  let outcome: "recorded" | "conflict" = "recorded";
  for (const { id, amountPaise, createdAtMs } of payments) {
    ports.lease.assertTrusted();
    const capture = {
      orderId: hold.orderId,
      providerPaymentId: id,
      amountPaise,
      capturedAt: new Date(createdAtMs),
      source: ACTOR,
    };
    const result = await recordCapture(ports.db, capture, {
      ...ports.settings,
      random: ports.random,
      signal: ports.signal,
    });
    countCapture(ports, { hold, result, report, amountPaise });
    if (result.kind === "conflict") outcome = "conflict";
    if (isOrphan(result)) orphans.push({ paymentId: result.paymentId, bookingId, planId });
  }
  for (const orphan of orphans) await settleOne(ports, orphan, report);
  return outcome;
}

interface CapturedHold {
  hold: AskedHold;
  payments: readonly ProviderPayment[];
  report: LateReport;
}

async function planEnded(ports: LatePorts, { hold, report }: CapturedHold): Promise<void> {
  return settleOne(ports, hold, report);
}

/** The first capture decides; each further one would be refunded as a second payment. */
async function planOpen(
  ports: LatePorts,
  { hold, payments: [first], report }: CapturedHold,
): Promise<void> {
  if (!first) return;
  const { amountPaise } = first;
  const plan = await planCapture(ports.db, { of: hold, amountPaise });
  count(ports, report, { ...hold, ...plannedItem(plan), amountPaise });
}

function plannedItem(
  plan: Awaited<ReturnType<typeof planCapture>>,
): Pick<LateItem, "outcome" | "code" | "message"> {
  if (plan === "confirm") {
    return { outcome: "confirmed", code: "paid", message: "would be confirmed" };
  }
  return plan === "differs"
    ? { outcome: "differs", code: DIFFERS, message: "another amount than the order's" }
    : { outcome: "refunded", code: plan, message: "would be refunded" };
}

const DIFFERS = "CAPTURE_AMOUNT_DIFFERS";

/** Recorded by this run, or by a webhook at this moment. */
function isOrphan(
  result: CaptureResult,
): result is Extract<CaptureResult, { kind: "orphaned" | "known" }> {
  return result.kind === "orphaned" || (result.kind === "known" && result.status === "ORPHANED");
}

function countCapture(
  ports: LatePorts,
  {
    hold,
    result,
    report,
    amountPaise,
  }: { hold: AskedHold; result: CaptureResult; report: LateReport; amountPaise: bigint },
): void {
  if (result.kind === "orphaned" || result.kind === "confirmed") report.captured++;
  if (result.kind === "confirmed") {
    const message = "paid in time, and nobody had reported it: confirmed";
    count(ports, report, { ...hold, outcome: "confirmed", code: "paid", message, amountPaise });
  }
  if (result.kind === "conflict") {
    const message = "other sessions are changing it: the next run looks again";
    count(ports, report, { ...hold, outcome: "skipped", code: "conflict", message, amountPaise });
  }
  if (result.kind === "differs" && result.isOpen) {
    const code = DIFFERS;
    const message =
      "captured with another amount than the order's; a finding is stored for a person";
    count(ports, report, { ...hold, outcome: "differs", code, message, amountPaise });
  }
}

async function settleOrphans(ports: LatePorts, report: LateReport): Promise<Verdict | undefined> {
  for (const orphan of await findOrphans(ports.db, { limit: ports.limit })) {
    if (ports.signal.aborted) return interrupted;
    await eachInItsOwn(ports, { report, of: orphan }, () => settleOne(ports, orphan, report));
  }
  return undefined;
}

/** A refused refund of a late capture does not end for ever, once it is known what is left. */
async function askAgainForWhatIsLeft(
  ports: LatePorts,
  report: LateReport,
): Promise<Verdict | undefined> {
  for (const { asked, ...of } of await findFailedLate(ports.db)) {
    if (ports.signal.aborted) return interrupted;
    await eachInItsOwn(ports, { report, of }, async () => {
      if (!ports.dryRun) ports.lease.assertTrusted();
      const left = await refundWhatIsLeft(ports.db, { ...of, asked, actor: ACTOR }, ports);
      if (left === undefined) return;
      const { amountPaise, ...rest } = left;
      count(ports, report, { ...of, ...rest, amountPaise });
    });
  }
  return undefined;
}

async function settleOne(ports: LatePorts, orphan: Orphan, report: LateReport): Promise<void> {
  if (ports.dryRun) {
    const { decision, amountPaise } = await planOrphan(ports.db, orphan);
    count(ports, report, { ...orphan, ...plannedOrphan(decision), amountPaise });
    return;
  }
  ports.lease.assertTrusted();
  const settled = await settleOrphan(ports.db, orphan, { ...ports, actor: ACTOR });
  const amountPaise = "amountPaise" in settled ? settled.amountPaise : 0n;
  count(ports, report, { ...orphan, ...described(settled), amountPaise });
}

function described(
  settled: Awaited<ReturnType<typeof settleOrphan>>,
): Pick<LateItem, "outcome" | "code" | "message"> {
  switch (settled.kind) {
    case "booked":
      return { outcome: "booked", code: "all-free", message: "booked again" };
    case "refund":
      return { outcome: "refunded", code: settled.why, message: `refund ${settled.refundId}` };
    case "disputed":
      return DISPUTED_ITEM;
    case "under-way":
      return UNDER_WAY_ITEM;
    case "elsewhere":
      return { outcome: "skipped", code: "settled", message: "another run settled it" };
    case "conflict":
      return {
        outcome: "skipped",
        code: "conflict",
        message: "other sessions are changing it: the next run looks again",
      };
    case "refused":
      return { outcome: "failed", code: settled.code, message: settled.message };
  }
}

const DISPUTED_ITEM = {
  outcome: "skipped" as const,
  code: DISPUTE_OPEN,
  message: "the buyer disputes it: neither booked nor refunded before the dispute ends",
};

const UNDER_WAY_ITEM = {
  outcome: "skipped" as const,
  code: "REFUND_UNDER_WAY",
  message: "all of it is on its way back, by a refund made outside",
};

function plannedOrphan(
  decision: Awaited<ReturnType<typeof planOrphan>>["decision"],
): Pick<LateItem, "outcome" | "code" | "message"> {
  switch (decision.kind) {
    case "book":
      return { outcome: "booked", code: "all-free", message: "would be booked again" };
    case "disputed":
      return DISPUTED_ITEM;
    case "under-way":
      return UNDER_WAY_ITEM;
    case "refund":
      return { outcome: "refunded", code: decision.why, message: "would be refunded" };
  }
}

/** The refund run has its own rules, and its own verdict where it is not content. */
async function sendRefunds(ports: LatePorts, report: LateReport): Promise<Verdict | undefined> {
  const refundIds = await findRefundsToSend(ports.db);
  if (refundIds.length === 0) return undefined;
  if (ports.signal.aborted) return interrupted;
  const { verdict, report: sent } = await processRefunds(
    {
      ...ports,
      limit: undefined,
      settings: ports.settings.refunds,
      payments: ports.gateway,
      progress: noProgress,
    },
    { refundIds },
  );
  report.refundsSent = sent.processed + sent.pending;
  report.refundsOpen = sent.found - sent.processed - sent.pending - sent.failed;
  return verdict.kind === "completed" ? undefined : verdict;
}

/**
 * An error of one stops no other; one that the next would meet as well ends the run.
 *
 * @returns undefined when an error met it
 */
async function eachInItsOwn<T>(
  ports: LatePorts,
  { report, of }: { report: LateReport; of: Pick<Orphan, "paymentId" | "bookingId"> },
  work: () => Promise<T>,
): Promise<T | undefined> {
  const failed = "this late payment could not be handled";
  const tried = await tryRow(work, { log: ports.log, row: of, failed });
  if (tried.kind === "done") return tried.value;
  count(ports, report, {
    ...of,
    outcome: "failed",
    code: errorCode(tried.error) ?? "UNEXPECTED_ERROR",
    message: "an error met it, which the log has; it stays as it is",
    amountPaise: 0n,
  });
  return undefined;
}

function count(ports: LatePorts, report: LateReport, item: LateItem): void {
  const { paymentId, bookingId, outcome, code, message, amountPaise } = item;
  countLate(report, { paymentId, bookingId, outcome, code, message, amountPaise });
  ports.log.info({ paymentId, bookingId, outcome, code }, message);
}

import type { Db } from "../../db/client.ts";
import { errorCode, toError } from "../../support/errors.ts";
import { LeaseLostError } from "../../support/lease.ts";
import { noProgress } from "../../support/progress.ts";
import type { RunContext } from "../../support/run-context.ts";
import { type CoreResult, failed, type Verdict } from "../../support/verdict.ts";
import { recordCapture, type CaptureResult } from "../capture.ts";
import { askForCaptures } from "../provider/ask-order.ts";
import { paymentsFault } from "../../provider/faults.ts";
import { gatewayDown, SILENT_IN_A_ROW } from "../provider/faults.ts";
import { processRefunds } from "../../refunds/process-refunds.ts";
import { judgeLate } from "./judge.ts";
import {
  findOrphans,
  findRefundsToSend,
  findToAsk,
  markAsked,
  type EndedHold,
  type Orphan,
} from "./late-payments.ts";
import { countLate, emptyLateReport, type LateItem, type LateReport } from "./report.ts";
import type { LateSettings } from "./settings.ts";
import { planOrphan, settleOrphan } from "./settle-orphan.ts";
import { isForEveryRow } from "../../db/sqlstate.ts";
import type { ProviderPayment, PaymentProvider } from "../../provider/index.ts";

const ACTOR = "job:payments/reconcile-late-captures";

/** `limit`: at most so many orders asked about, and at most so many orphans settled. */
export interface LatePorts extends RunContext<Omit<LateSettings, "razorpay" | "mail">> {
  readonly db: Db;
  readonly gateway: PaymentProvider;
}

/**
 * Settles money that arrived after its hold had ended. Books each orphan again if everything it had held is
 * still free, and else requests its refund. Then asks the provider about orders of ended holds, and records and
 * settles their captures. Last, sends these refunds, and those that an earlier run has left. Known payments come
 * first, so that neither a silent provider nor very many orders delay them.
 */
export async function reconcileLateCaptures(ports: LatePorts): Promise<CoreResult<LateReport>> {
  const report = emptyLateReport(ports.dryRun);
  try {
    const ended =
      (await settleOrphans(ports, report)) ??
      (await askAboutEnded(ports, report)) ??
      (await sendRefunds(ports, report));
    return { verdict: ended ?? judgeLate(report), report };
  } catch (error) {
    return { verdict: { kind: "broken", error }, report };
  }
}

const interrupted: Verdict = { kind: "interrupted" };

/** A verdict ends the run. */
async function askAboutEnded(ports: LatePorts, report: LateReport): Promise<Verdict | undefined> {
  const holds = await findToAsk(ports.db, { ...ports.settings, limit: ports.limit });
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
    if (said.kind === "captured") {
      await eachInItsOwn(ports, { report, of: hold }, () =>
        recordAll(ports, { hold, payments: said.payments, report }),
      );
    } else if (said.kind === "unanswered") {
      const { code, detail: message } = said;
      count(ports, report, { ...hold, outcome: "unanswered", code, message, amountPaise: 0n });
      if (silentInARow >= SILENT_IN_A_ROW) return gatewayDown;
    } else if (!ports.dryRun) {
      ports.lease.assertTrusted();
      await eachInItsOwn(ports, { report, of: hold }, () => markAsked(ports.db, hold.paymentId));
    }
  }
  return undefined;
}

async function recordAll(
  ports: LatePorts,
  {
    hold,
    payments,
    report,
  }: { hold: EndedHold; payments: readonly ProviderPayment[]; report: LateReport },
): Promise<void> {
  if (ports.dryRun) {
    report.captured += payments.length;
    return settleOne(ports, hold, report);
  }
  const { bookingId, planId } = hold;
  const orphans: Orphan[] = [];
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
    if (isOrphan(result)) orphans.push({ paymentId: result.paymentId, bookingId, planId });
  }
  for (const orphan of orphans) await settleOne(ports, orphan, report);
}

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
  }: { hold: EndedHold; result: CaptureResult; report: LateReport; amountPaise: bigint },
): void {
  if (result.kind === "orphaned" || result.kind === "confirmed") report.captured++;
  if (result.kind === "conflict") {
    const message = "other sessions are changing it: the next run looks again";
    count(ports, report, { ...hold, outcome: "skipped", code: "conflict", message, amountPaise });
  }
  if (result.kind === "differs" && result.isOpen) {
    const code = "CAPTURE_AMOUNT_DIFFERS";
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

async function settleOne(ports: LatePorts, orphan: Orphan, report: LateReport): Promise<void> {
  if (ports.dryRun) {
    const { decision, amountPaise } = await planOrphan(ports.db, orphan);
    const item =
      decision.kind === "book"
        ? { outcome: "booked" as const, code: "all-free", message: "would be booked again" }
        : { outcome: "refunded" as const, code: decision.why, message: "would be refunded" };
    count(ports, report, { ...orphan, ...item, amountPaise });
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
  { report, of }: { report: LateReport; of: Orphan },
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LeaseLostError || isForEveryRow(error)) throw error;
    ports.log.error({ ...of, err: toError(error) }, "this late payment could not be handled");
    count(ports, report, {
      ...of,
      outcome: "failed",
      code: errorCode(error) ?? "UNEXPECTED_ERROR",
      message: "an error met it, which the log has; it stays as it is",
      amountPaise: 0n,
    });
    return undefined;
  }
}

function count(ports: LatePorts, report: LateReport, item: LateItem): void {
  const { paymentId, bookingId, outcome, code, message, amountPaise } = item;
  countLate(report, { paymentId, bookingId, outcome, code, message, amountPaise });
  ports.log.info({ paymentId, bookingId, outcome, code }, message);
}

import { seconds, sleep } from "../support/clock.ts";
import { toError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import type { CoreResult } from "../support/verdict.ts";
import { askProvider } from "./ask-provider.ts";
import { LegLostError } from "./claim-leg.ts";
import { createRefusalStreak, REFUSALS_IN_A_ROW } from "../provider/refusal-streak.ts";
import { gatewayDown, NO_ANSWER_IN_A_ROW } from "../provider/faults.ts";
import { refusesAllRefunds } from "./faults.ts";
import { giveBack } from "./give-back.ts";
import { judge, type RefundRunEnd } from "./judge.ts";
import {
  countOpenLegs,
  openLegsAfter,
  PHASES,
  type OpenLeg,
  type OpenLegCursor,
  type Phase,
  type Selection,
} from "./open-legs.ts";
import type { LegOutcome, LegResult } from "./outcome.ts";
import { followAllRefunds } from "./payment-status.ts";
import type { LegPorts, RefundPorts } from "./ports.ts";
import { countLeg, emptyRefundReport, type RefundRunReport } from "./report.ts";
import { sendLeg } from "./send-leg.ts";
import { inPages } from "../db/rows.ts";
import { isForEveryRow, isLockConflict } from "../db/sqlstate.ts";

/** How long a run that was told to stop waits for the answer it has asked for. */
const GRACE_MS = seconds(4);

/**
 * Processes refunds, leg by leg: first looks up legs in doubt, then sends or credits due legs, then follows legs
 * at the provider to their end. See docs/jobs/process-refunds.md for the meaning of each outcome. With
 * `refundIds` it handles these refunds alone, for a job that has just requested them.
 */
export async function processRefunds(
  ports: RefundPorts,
  { refundIds }: { refundIds?: readonly string[] } = {},
): Promise<CoreResult<RefundRunReport>> {
  // Fences of another lock say nothing about runs under this one.
  const fence = refundIds === undefined ? ports.lease.fence : null;
  const selection: Selection = { refundIds, runId: ports.runId, fence };
  const report = emptyRefundReport(ports.dryRun);
  if (!ports.dryRun && refundIds === undefined) await followAllRefunds(ports.db);
  const open = await countOpenLegs(ports.db, selection);
  report.due = open.due;
  report.elsewhere = open.elsewhere;
  report.disputed = open.disputed;
  report.found = Math.min(
    open["in-doubt"] + open.due + open["at-provider"],
    ports.limit ?? Infinity,
  );

  const end = await handleAll({ ...ports, fence }, { report, selection });
  const after =
    end.fault === undefined && end.error === undefined
      ? await countOpenLegs(ports.db, selection)
      : open;
  return { verdict: judge(report, end, ports.dryRun ? 0 : after.due), report };
}

async function handleAll(
  ports: Omit<LegPorts, "hardStop">,
  { report, selection }: { report: RefundRunReport; selection: Selection },
): Promise<RefundRunEnd> {
  const end: RefundRunEnd = { fault: undefined, error: undefined, stopped: false };
  const hardStop = new AbortController();
  const settled = new AbortController();
  // The current leg gets a little time; then the call ends, and its outcome is unknown.
  const startGrace = (): void => void sleep(GRACE_MS, settled.signal).then(() => hardStop.abort());
  if (ports.signal.aborted) startGrace();
  else ports.signal.addEventListener("abort", startGrace, { once: true });

  const legPorts: LegPorts = { ...ports, hardStop: hardStop.signal };
  let noAnswerInARow = 0;
  const streak = createRefusalStreak();
  let seen = 0;
  try {
    for await (const { phase, leg } of openLegs(legPorts, { report, selection })) {
      if (ports.signal.aborted) end.stopped = true;
      if (end.stopped) break;
      const result = await handleOne(legPorts, { phase, leg });
      if (usesProvider(phase, leg)) noAnswerInARow = isAnswer(result) ? 0 : noAnswerInARow + 1;
      end.fault ??= noAnswerInARow >= NO_ANSWER_IN_A_ROW ? gatewayDown : result.fault;
      if (result.refusedAs !== undefined) streak.refused(result.refusedAs);
      else if (phase === "due" && ACCEPTED.has(result.outcome) && leg.kind === "card")
        streak.accepted();
      if (streak.count >= REFUSALS_IN_A_ROW)
        end.fault ??= refusesAllRefunds(streak.description ?? "");
      if (STOPPED.has(result.code)) end.stopped = true;
      const overdue = isOverdue(ports, { leg, result });
      countLeg(report, leg, { result, overdue });
      logLeg(ports, leg, result);
      ports.progress.update(++seen, report.found);
      if (end.fault) break;
    }
  } catch (error) {
    // Kept, not thrown: the report must not be lost for it.
    end.error = error;
    ports.log.error({ err: toError(error) }, "the run ended with an error");
  } finally {
    ports.signal.removeEventListener("abort", startGrace);
    settled.abort();
  }
  return end;
}

/** Phase by phase, so that a leg that a look-up made due again is sent in the same run. */
async function* openLegs(
  { db }: LegPorts,
  { report, selection }: { report: RefundRunReport; selection: Selection },
): AsyncGenerator<{ phase: Phase; leg: OpenLeg }> {
  let left = report.found;
  const asked = new Set<string>();
  for (const phase of PHASES) {
    const legs = inPages<OpenLeg & OpenLegCursor>(
      ({ after: cursor, count }) => openLegsAfter(db, { phase, selection, cursor, count }),
      { size: 100 },
    );
    for await (const leg of legs) {
      // Pending since a moment ago: the provider has just said so.
      if (phase === "at-provider" && asked.has(leg.legId)) continue;
      // Looked up and due again: it counts once.
      if (!asked.has(leg.legId) && left-- <= 0) return;
      asked.add(leg.legId);
      yield { phase, leg };
    }
  }
}

/**
 * One leg, whose errors are values. A thrown error is a lost connection or a missing right, and ends the run.
 */
async function handleOne(
  ports: LegPorts,
  { phase, leg }: { phase: Phase; leg: OpenLeg },
): Promise<LegResult> {
  try {
    if (phase !== "due") return await askProvider(ports, leg);
    if (ports.dryRun) return { outcome: "planned", code: "PLANNED", message: "would go back" };
    return leg.kind === "card" ? await sendLeg(ports, leg) : await giveBack(ports, leg);
  } catch (error) {
    if (error instanceof LegLostError) {
      return skipped("CLAIMED_ELSEWHERE", "another run has it, or has taken it over");
    }
    if (error instanceof LeaseLostError) return skipped(error.code, error.message);
    if (isForEveryRow(error)) throw error;
    if (isLockConflict(error)) {
      const message = "another database session holds the row; it is as it was";
      return { outcome: "left", code: "ROW_LOCKED", message };
    }
    ports.log.error({ refundLegId: leg.legId, err: toError(error) }, "leg of a refund not handled");
    const message = "it could not be handled and is as it was; the log has the error";
    return { outcome: "left", code: "NOT_HANDLED", message };
  }
}

function skipped(code: string, message: string): LegResult {
  return { outcome: "skipped", code, message };
}

/** Results after which this run may start nothing more. */
const STOPPED: ReadonlySet<string> = new Set(["LEASE_LOST", "interrupted"]);

/** Sent, and not refused: also a refund that the provider took and then reported as failed. */
const ACCEPTED: ReadonlySet<LegOutcome> = new Set(["processed", "pending", "failed"]);

const WITHOUT_ANSWER: ReadonlySet<LegOutcome> = new Set(["unknown", "unanswered"]);

function isAnswer({ outcome, code }: LegResult): boolean {
  return !WITHOUT_ANSWER.has(outcome) || code === "interrupted" || code === "LEASE_LOST";
}

function usesProvider(phase: Phase, leg: OpenLeg): boolean {
  return phase !== "due" || leg.kind === "card";
}

/** Pending at the provider is an answer, and banks take days; not to know is none. */
function isOverdue(
  { settings }: Pick<RefundPorts, "settings">,
  { leg, result }: { leg: OpenLeg; result: LegResult },
): boolean {
  const { askedMsAgo, sentMsAgo, providerRefundId } = leg;
  const atProvider = result.outcome === "pending" || providerRefundId !== null;
  if (!STILL_OPEN.has(result.outcome) || sentMsAgo === null) return false;
  return atProvider ? sentMsAgo > settings.pendingAlarmMs : askedMsAgo > settings.unknownAlarmMs;
}

const STILL_OPEN: ReadonlySet<LegOutcome> = new Set([
  "pending",
  "unknown",
  "waiting",
  "due-again",
  "unanswered",
]);

function logLeg({ log }: RefundPorts, leg: OpenLeg, result: LegResult): void {
  const { refundId, legId: refundLegId, kind, amountPaise } = leg;
  const { outcome, code, message } = result;
  const fields = { refundId, refundLegId, kind, amountPaise, outcome, code };
  if (outcome === "failed" || outcome === "unknown" || outcome === "conflict") {
    log.warn(fields, message);
  } else {
    log.info(fields, message);
  }
}

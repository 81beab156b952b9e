import { describeRowError, isLockConflict } from "../../db/sqlstate.ts";
import { readInFlight } from "../../ledger/in-flight.ts";
import { hours } from "../../support/clock.ts";
import { toError } from "../../support/errors.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees } from "../../support/money.ts";
import { type CoreResult, type RunFault, type Verdict, failed } from "../../support/verdict.ts";
import { countUnsent, NO_LIMIT } from "../state/due.ts";
import { concernsAll, createRefusals } from "../state/faults.ts";
import { inDoubtAfter, type InDoubt, type InDoubtCursor } from "../state/in-doubt.ts";
import { findAbandoned, giveBackAbandoned } from "./give-back.ts";
import { heldAmong, heldMessage, HOLD_REMEDY } from "../state/on-hold.ts";
import { namePayees } from "../state/payee-refs.ts";
import type { RunPorts } from "../state/ports.ts";
import { recordOutcome } from "../state/outcome.ts";
import {
  countStuck,
  emptyStuckReport,
  stillOpen,
  type Decision,
  type StuckItem,
  type StuckOutcome,
  type StuckReport,
} from "./report.ts";
import { asHolder, conflict, settleFound, type Settler } from "../state/settle-found.ts";
import type { StuckSettings } from "./settings.ts";
import { SLOW_MS, tellOperators, type SlowPayout } from "./tell-operators.ts";
import { systemicFault, gatewayDown } from "../../provider/faults.ts";
import { inFlightAtTheEnd, unsentWarning } from "../state/in-flight.ts";
import type { Answer, ProviderPayout } from "../../provider/index.ts";

export type StuckPorts = RunPorts<StuckSettings>;

const PAGE = 200;
/** So many look-ups without a usable answer in a row, and the gateway is down. */
const UNANSWERED_IN_A_ROW = 5;

/**
 * Ends doubt only by asking the provider: by id where there is one, else by our reference. A found payout is
 * settled with its state at the provider. If it is certainly not there, and the wait was long enough, its
 * attempt is closed as never accepted and the payout is due again. Without an answer, or too soon, it stays.
 *
 * Payouts that a dead run claimed and never sent are not in doubt: they are due again before the provider is
 * asked.
 */
export async function handleStuckPayouts(ports: StuckPorts): Promise<CoreResult<StuckReport>> {
  const report = emptyStuckReport(ports.dryRun);
  const slow: SlowPayout[] = [];
  const verdict = await endDoubts(ports, report, slow);
  await tellOfSlow(ports, report, slow);
  await namePayees(ports.db, report.items);
  return { verdict, report };
}

/**
 * Informs the operators of payouts that stay in processing, also when the run ends red. A failure to write the
 * mail must not hide the settled payouts: the next run writes it.
 */
async function tellOfSlow(
  { db, dryRun, log, settings }: StuckPorts,
  report: StuckReport,
  slow: readonly SlowPayout[],
): Promise<void> {
  report.slow = slow.length;
  const { operators: recipient } = settings;
  if (dryRun || recipient === undefined) return;
  try {
    report.told = await tellOperators(db, { recipient, slow });
  } catch (error) {
    log.error(
      { err: toError(error), count: slow.length },
      "the mail to the operators is not written",
    );
  }
}

async function endDoubts(
  ports: StuckPorts,
  report: StuckReport,
  slow: SlowPayout[],
): Promise<Verdict> {
  const settler = asSettler(ports);
  const limit = ports.limit ?? NO_LIMIT;
  const abandoned = await findAbandoned(settler, limit);
  report.inFlight = await readInFlight(ports.db);
  report.found = Math.min(abandoned.length + report.inFlight.count, limit);
  report.unsent = await countUnsent(ports.db, { runId: ports.runId, fence: null });
  let seen = 0;
  const count = (item: StuckItem): void => {
    countStuck(report, item);
    const { payoutId, outcome, code, message, ageMs } = item;
    const isInProcessing = outcome === "in-flight" || isOpen(outcome);
    if (isInProcessing && ageMs >= SLOW_MS) slow.push({ payoutId, ageMs, said: message });
    ports.log.info({ payoutId, outcome, code, ageMs }, message);
    ports.progress.update(++seen, report.found);
  };
  let fault: RunFault | undefined;
  const notGivenBack = createRefusals();
  const refusals = createRefusals();
  let unanswered = 0;

  for (const claim of abandoned) {
    if (ports.signal.aborted) return { kind: "interrupted" };
    const { id: payoutId, netPaise, ageMs } = claim;
    const { error, ...decision } = await recorded(ports, payoutId, async () =>
      sayIfHeld(ports, payoutId, await giveBackAbandoned(settler, claim)),
    );
    count({ payoutId, isHeld: false, ...decision, overdue: false, netPaise, ageMs });
    // Kept for the end: those whose money may have left are asked for all the same.
    fault = notGivenBack.next(error);
    if (fault) break;
  }
  const ofClaims = fault;
  fault = undefined;
  for await (const doubt of allInDoubt(ports, report.found - abandoned.length)) {
    if (ports.signal.aborted) return { kind: "interrupted" };
    const answer = await lookUp(ports, doubt);
    if (answer.kind === "systemic") fault = systemicFault(answer.fault, answer.detail);
    unanswered = answer.kind === "unknown" ? unanswered + 1 : 0;
    if (unanswered >= UNANSWERED_IN_A_ROW) fault = gatewayDown;

    const { error, ...decision } = await recorded(ports, doubt.payoutId, async () =>
      sayIfHeld(ports, doubt.payoutId, await decide(ports, doubt, answer)),
    );
    const { outcome, code } = decision;
    fault ??= refusals.next(error);
    const overdue = isOpen(outcome) && doubt.ageMs > ports.settings.alarmMs;
    const { payoutId, netPaise, ageMs } = doubt;
    count({ payoutId, isHeld: false, ...decision, overdue, netPaise, ageMs });
    // Nothing was asked of this one that could be answered: also the last of all is still in doubt.
    if (code === "interrupted") return { kind: "interrupted" };
    if (fault) return failed(fault);
  }
  if (ofClaims) return failed(ofClaims);
  report.inFlight = await inFlightAtTheEnd(ports.db, report.inFlight);
  return judge(ports, report);
}

/** Due again, a payout is sent by the next pay run, unless its payee is on hold: a person has to know. */
async function sayIfHeld(
  { db }: StuckPorts,
  payoutId: string,
  decision: Decision,
): Promise<Decision> {
  if (decision.outcome !== "closed" && decision.outcome !== "returned") return decision;
  const held = (await heldAmong(db, [payoutId])).get(payoutId);
  if (!held) return decision;
  return { ...decision, isHeld: true, message: `${decision.message}; ${heldMessage(held)}` };
}

/** A database error of one payout leaves that payout unchanged, and stops no other. */
async function recorded(
  { log }: StuckPorts,
  payoutId: string,
  decide: () => Promise<Decision>,
): Promise<Decision & { error?: unknown }> {
  try {
    return await decide();
  } catch (error) {
    if (concernsAll(error)) throw error;
    log.error({ payoutId, err: toError(error) }, "the decision could not be recorded");
    const left = "it is as it was, and the next run of this job tries again";
    if (isLockConflict(error)) {
      const message = `another database session holds the row; ${left}`;
      return { outcome: "not-recorded", code: "ROW_LOCKED", message };
    }
    const message = `${describeRowError(error)}; ${left}`;
    return { outcome: "not-recorded", code: "DATABASE_REFUSED", message, error };
  }
}

async function* allInDoubt(ports: StuckPorts, count: number): AsyncGenerator<InDoubt> {
  let cursor: InDoubtCursor | undefined;
  for (let left = count; left > 0;) {
    const page = await inDoubtAfter(ports.db, { cursor, count: Math.min(PAGE, left) });
    yield* page;
    cursor = page.at(-1);
    if (cursor === undefined) return;
    left -= page.length;
  }
}

/** The provider's payouts for this attempt: none, one, or — which must not be — several. */
async function lookUp(
  { gateway, signal }: StuckPorts,
  { providerPayoutId, referenceId }: InDoubt,
): Promise<Answer<ProviderPayout[]>> {
  if (providerPayoutId === null) return gateway.findPayoutsByReference(referenceId, { signal });
  const answer = await gateway.fetchPayout(providerPayoutId, { signal });
  return answer.kind === "accepted" ? { ...answer, value: [answer.value] } : answer;
}

function asSettler(ports: StuckPorts): Settler {
  return { ...ports, actor: "job:payouts/handle-stuck-payouts" };
}

async function decide(
  ports: StuckPorts,
  doubt: InDoubt,
  answer: Answer<ProviderPayout[]>,
): Promise<Decision> {
  if (answer.kind === "refused") {
    // A payout whose id we hold can not cease to exist: a person looks at it.
    return conflict(asSettler(ports), doubt, {
      kind: "provider-payout-missing",
      details: { providerPayoutId: doubt.providerPayoutId },
    });
  }
  if (answer.kind !== "accepted") {
    return {
      outcome: "unanswered",
      code: answer.kind === "unknown" ? answer.cause : answer.fault,
      message: `the provider gave no usable answer: ${answer.detail}`,
    };
  }
  if (answer.value.length === 0) return closeOrWait(ports, doubt);
  return settleFound(asSettler(ports), doubt, {
    found: answer.value,
    httpStatus: answer.httpStatus,
  });
}

/** The provider is certain that it never got it. */
async function closeOrWait(ports: StuckPorts, doubt: InDoubt): Promise<Decision> {
  if (doubt.ageMs < ports.settings.waitMs) {
    const message = "the provider does not have it; it is too soon to be sure that it never will";
    return { outcome: "waiting", code: "NOT_FOUND_YET", message };
  }
  const closed: Decision = {
    outcome: "closed",
    code: "NEVER_ACCEPTED",
    message:
      "the provider does not have it and the wait is over: the attempt is closed, the payout is due again",
  };
  if (ports.dryRun) return closed;
  ports.lease.assertTrusted();
  return asHolder(asSettler(ports), doubt, async (ref) => {
    await recordOutcome(ports.db, ref, {
      kind: "turned-away",
      httpStatus: undefined,
      fault: "NEVER_ACCEPTED",
      body: undefined,
    });
    return closed;
  });
}

/** In flight at the provider is an answer: IMPS and UPI may take three working days. */
function isOpen(outcome: StuckOutcome): boolean {
  return ["waiting", "unanswered", "conflict", "not-recorded"].includes(outcome);
}

function judge({ settings }: StuckPorts, report: StuckReport): Verdict {
  if (report.conflicts > 0) {
    return {
      kind: "failed",
      code: "records-differ",
      message: `${counted(report.conflicts, "payout")} ${agreeing(report.conflicts, "differs", "differ")} between our record and the provider's.`,
      remedy:
        "Look at the findings (npm run findings -- list); nothing was changed for these payouts, and none of them is paid again.",
    };
  }
  if (report.overdue > 0) {
    const alarmHours = Math.round(settings.alarmMs / hours(1));
    return {
      kind: "failed",
      code: "stuck-too-long",
      message: `${counted(report.overdue, "payout")} (${formatRupees(report.overduePaise)}) ${agreeing(report.overdue, "has", "have")} had no final answer for more than ${alarmHours} hours.`,
      remedy:
        "Ask the provider's support about the references listed below. IMPS and UPI may take three working days.",
    };
  }
  if (report.notRecorded > 0) {
    return {
      kind: "partial",
      reason: "not-recorded",
      message: `${counted(report.notRecorded, "payout")} could not be settled or made due again, because the database did not take it.`,
      remedy:
        "Fix the causes listed below (a session that holds the row, a trigger or constraint that refuses it), then run again: until then the payouts stay in processing and are not paid.",
    };
  }
  const warnings = [
    ...dueAgainWarning(report),
    ...(report.unsent > 0 ? [unsentWarning(report.unsent)] : []),
  ];
  const note = stillOpenNote(report);
  return {
    kind: "completed",
    ...(note === undefined ? {} : { note }),
    ...(warnings.length === 0 ? {} : { warning: warnings.join(" ") }),
  };
}

/** A payout that is due again is not paid yet: a person has to know, and may start the pay run. */
function dueAgainWarning({ dryRun, returned, closed, held }: StuckReport): string[] {
  const count = returned + closed;
  if (count === 0) return [];
  const causes = [
    ...(returned > 0 ? [`${returned} claimed by a run that is dead and never sent`] : []),
    ...(closed > 0 ? [`${closed} never accepted by the provider`] : []),
  ];
  const are = dryRun ? "would be" : agreeing(count, "is", "are");
  const them = held > 0 ? "the others" : agreeing(count, "it", "them");
  return [
    `${counted(count, "payout")} ${are} due again and not paid yet: ${causes.join(", ")}.`,
    ...(held > 0
      ? [
          `${held} of them ${agreeing(held, "is", "are")} not sent, because the payee is on hold. ${HOLD_REMEDY} Or reject the payout.`,
        ]
      : []),
    ...(held < count
      ? [
          `The next run of payouts/process-payouts pays ${them}: start it by hand if its schedule is too late.`,
        ]
      : []),
  ];
}

/** Payouts on their usual course: IMPS and UPI may take three working days. */
function stillOpenNote(report: StuckReport): string | undefined {
  const open = stillOpen(report);
  if (open === 0) return undefined;
  const { atProvider, waiting, unanswered } = report;
  const parts = [
    ...(atProvider > 0 ? [`the provider has not decided about ${atProvider}`] : []),
    ...(waiting > 0
      ? [
          `the provider has no record of ${waiting}, and it is too soon to send ${agreeing(waiting, "it", "them")} again`,
        ]
      : []),
    ...(unanswered > 0 ? [`the provider gave no usable answer about ${unanswered}`] : []),
  ];
  return `${counted(open, "payout")} ${agreeing(open, "is", "are")} still open: ${parts.join("; ")}. None of them is paid again meanwhile.`;
}

import { setMaxListeners } from "node:events";
import { readInFlight } from "../../ledger/in-flight.ts";
import { seconds, sleep } from "../../support/clock.ts";
import { toError } from "../../support/errors.ts";
import { type CoreResult, type RunFault, type Verdict, failed } from "../../support/verdict.ts";
import { auditCaps } from "./audit-caps.ts";
import { createCapGuard, exceededRunCap } from "./caps.ts";
import type { ClaimedPayout } from "../state/decide.ts";
import {
  countDueOf,
  countOpen,
  countUnsent,
  countWaiting,
  heldDue,
  NO_LIMIT,
} from "../state/due.ts";
import { createRefusals, rowsLocked } from "../state/faults.ts";
import { countAboveCap, dueUnits, find, sum, together, type Found } from "./find-due.ts";
import { followInFlight, type InFlight } from "./follow.ts";
import { countFollowed } from "./count-followed.ts";
import { funded, type Funded } from "./funded.ts";
import { askFunds, insufficientFunds, shortPaise } from "../state/funds.ts";
import { createGroups } from "./groups.ts";
import { forEachInHand } from "./in-hand.ts";
import { createTurns } from "./in-turn.ts";
import { aboveCapVerdict, completed, judge, type RunEnd } from "./judge.ts";
import { kindOf, PAYEE_KINDS, type PayeeKind } from "../state/kind.ts";
import { payOne } from "./pay-one.ts";
import { namePayees } from "../state/payee-refs.ts";
import { createPlanner } from "../state/plan.ts";
import type { PayoutPorts } from "./ports.ts";
import {
  MOST_HELD,
  type PayoutCounts,
  type PayoutRunReport,
  countEnded,
  countHeld,
  countItem,
  countPaid,
  countPlan,
  countsOf,
  emptyReport,
} from "./report.ts";
import { createRefusalGate } from "./refusal-gate.ts";
import type { Unit, UnitPorts, UnitResult } from "./unit.ts";
import { createWindow } from "./window.ts";
import { faultOf, gatewayDown } from "../../provider/faults.ts";

/** So many calls without a usable answer, with nothing else in between, mean that the gateway is down. */
const NO_ANSWER_IN_A_ROW = 5;
/** So many locked rows, with no payout in between that passed. Each costs two seconds. */
const LOCKED_IN_A_ROW = 30;
/** How long a run that was told to stop waits for the answers it has asked for. */
const GRACE_MS = seconds(4);
/** Two groups and a half: while one is claimed, others are on their way and are settled. */
const MOST_IN_HAND = 256;

/**
 * Pays every approved payout, oldest approval first, then those of organizations: claim, withhold tax, send,
 * record. See docs/jobs/process-payouts.md for the meaning and the remedy of each outcome.
 */
export async function processPayouts(ports: PayoutPorts): Promise<CoreResult<PayoutRunReport>> {
  const report = emptyReport(ports.dryRun);
  const verdict = await payOrPlan(ports, report);
  await namePayees(ports.db, [...report.items, ...report.organizations.items, ...report.plan]);
  return { verdict, report };
}

async function payOrPlan(ports: PayoutPorts, report: PayoutRunReport): Promise<Verdict> {
  const found: Found[] = [];
  for (const kind of PAYEE_KINDS) {
    const limit = (ports.limit ?? NO_LIMIT) - sum(found.map(({ count }) => count));
    const ofKind = await find(ports, { kind, limit });
    found.push(ofKind);
    const counts = countsOf(report, kind);
    counts.found = ofKind.count;
    await countAboveCap(ports, kind, counts);
    counts.outOfTries = (await countWaiting(ports.db, kind)).outOfTries;
    countHeld(counts, await heldDue(ports.db, { kind, most: MOST_HELD }));
  }
  const open = await countOpen(ports.db, ports.runId);
  report.inDoubtBefore = open.inDoubt;
  report.unfinishedBefore = open.unfinished;
  report.unsentBefore = await countUnsent(ports.db, {
    runId: ports.runId,
    fence: ports.lease.fence,
  });
  report.inFlight = await readInFlight(ports.db);
  warnOfOthers(ports, report);

  const overCap = exceededRunCap(together(found), ports.settings.caps);
  if (overCap) return failed(overCap);
  if (sum(found.map(({ count }) => count)) === 0)
    return aboveCapVerdict(report) ?? completed(report);

  // A dry run asks as well: keys, address and balance are the most frequent faults of a real run.
  const unreachable = await askGateway(ports);
  if (unreachable) return failed(unreachable);
  const funds = await askFunds(ports, together(found));
  report.funds = funds;
  if (shortPaise(funds) > 0n && ports.settings.whenShort === "stop")
    return failed(insufficientFunds(funds));
  const due = funded(dueUnits(ports, found), funds);
  if (ports.dryRun) return planAll(ports, report, due);
  await auditCaps(ports.db, ports);
  return judge(ports, report, await payAll(ports, report, due));
}

function totalFound(report: PayoutRunReport): number {
  return sum(PAYEE_KINDS.map((kind) => countsOf(report, kind).found));
}

async function planAll(ports: PayoutPorts, report: PayoutRunReport, due: Funded): Promise<Verdict> {
  const plan = createPlanner(ports);
  let done = 0;
  for await (const unit of due.units) {
    if (ports.signal.aborted) return { kind: "interrupted" };
    const planned = await plan(unit);
    countPlan(report, { payoutId: unit.id, kind: kindOf(unit) }, planned);
    ports.log.debug({ payoutId: unit.id, plan: planned }, "planned");
    ports.progress.update(++done, totalFound(report));
  }
  if (due.shortage) return failed(due.shortage);
  return aboveCapVerdict(report) ?? { kind: "completed" };
}

/** A harmless read before the first claim: wrong credentials or a closed gateway touch no row. */
async function askGateway(ports: PayoutPorts): Promise<RunFault | undefined> {
  const answer = await ports.gateway.listPayouts({ count: 1 }, { signal: ports.signal });
  if (answer.kind === "accepted") return undefined;
  if (answer.kind === "unknown" && ports.signal.aborted) return undefined;
  const fault = faultOf(answer);
  ports.log.error({ fault: fault.code, answer: answer.kind }, "the provider can not be used");
  return fault;
}

/** Pays payouts, several at once. */
async function payAll(
  ports: PayoutPorts,
  report: PayoutRunReport,
  payable: Funded,
): Promise<RunEnd> {
  const inFlight: InFlight = { count: 0, fromMs: Infinity, toMs: -Infinity };
  const guard = createCapGuard(ports.settings.caps);
  const hardStop = new AbortController();
  // Each running call listens to it.
  setMaxListeners(0, hardStop.signal);
  const settled = new AbortController();
  // Running payouts get a little time; then calls end, and their outcome is unknown.
  const startGrace = (): void => void sleep(GRACE_MS, settled.signal).then(() => hardStop.abort());
  if (ports.signal.aborted) startGrace();
  else ports.signal.addEventListener("abort", startGrace, { once: true });

  const gate = createRefusalGate();
  const unitPorts: UnitPorts = {
    ...ports,
    groups: createGroups(ports),
    gate,
    hardStop: hardStop.signal,
    onClaimed: () => undefined,
    reserve: guard,
  };
  const window = createWindow({
    most: Math.min(MOST_IN_HAND, ports.gateway.requestsPerSecond),
  });
  const end: RunEnd = { fault: undefined, error: undefined, unrecorded: undefined, stopped: false };
  let noAnswerInARow = 0;
  const refusals = createRefusals();
  let lockedInARow = 0;
  let done = 0;
  const lost: Record<PayeeKind, string[]> = { consultant: [], organization: [] };
  const finished = (unit: Unit, result: UnitResult): void => {
    const code = "code" in result ? result.code : "";
    if (code === "CLAIMED_ELSEWHERE") lost[kindOf(unit)].push(unit.id);
    const isUnanswered = isWithoutAnswer(result);
    const isLocked = code === "ROW_LOCKED";
    const error = "error" in result ? result.error : undefined;
    noAnswerInARow = isUnanswered ? noAnswerInARow + 1 : 0;
    // A skipped payout proves nothing about the database.
    const isPassed = error === undefined && result.outcome !== "skipped";
    if (isLocked) lockedInARow++;
    else if (isPassed) lockedInARow = 0;
    if (isUnanswered || isLocked || error !== undefined) window.unanswered();
    else window.answered();
    if ("fault" in result) end.fault ??= result.fault;
    if (isPassed || error !== undefined) end.fault ??= refusals.next(error);
    end.fault ??= gate.fault;
    if (lockedInARow >= LOCKED_IN_A_ROW) end.fault ??= rowsLocked;
    if (noAnswerInARow >= NO_ANSWER_IN_A_ROW) end.fault ??= gatewayDown;
    if (STOPPED.has(code) || code === "interrupted") end.stopped = true;
    const counts = countsOf(report, kindOf(unit));
    if (LEFT.has(code)) counts.left++;
    count(ports, counts, { unit, result, inFlight });
    ports.progress.update(++done, totalFound(report));
  };

  const goOn = (): boolean =>
    (end.fault ?? gate.fault) === undefined && !end.stopped && !ports.signal.aborted;
  // One payout of a person at a time, also with several codes of one PAN. The next one is then taxed on a year
  // that counts the one before unless that was refused, and finds the contact that it made.
  const inTurn = createTurns();
  const pay = async (unit: Unit): Promise<void> => {
    if (!goOn()) return;
    let isClaimed = false;
    const onClaimed = (): void => {
      isClaimed = true;
      refusals.next(undefined);
      countsOf(report, kindOf(unit)).claimed++;
    };
    try {
      finished(unit, await payOne({ ...unitPorts, onClaimed }, unit));
    } catch (error) {
      countEnded(countsOf(report, kindOf(unit)), { payoutId: unit.id, isClaimed });
      // The first error ends the run; payouts running beside it mostly meet the same.
      if (end.error === undefined)
        ports.log.error(
          { payoutId: unit.id, err: toError(error) },
          "a running payout ended with an error",
        );
      end.error ??= error;
      throw error;
    }
  };

  try {
    await forEachInHand(payable.units, {
      atOnce: window.atOnce,
      goOn,
      work: (unit) => inTurn(unit.taxpayerId, () => pay(unit)),
    }).catch((error: unknown) => {
      // Kept, not thrown: the report must not be lost for it.
      end.error ??= error;
    });
    // Only now: those that were begun before it are finished, and the rest is no other run's.
    end.fault ??= payable.shortage;
    if (goOn() && end.error === undefined) {
      for (const kind of PAYEE_KINDS) countVanished(countsOf(report, kind));
      await countLost(ports, { report, lost }).catch((error: unknown) => {
        end.error ??= error;
      });
    }
    const follow = end.error === undefined ? inFlight : { ...inFlight, count: 0 };
    await followInFlight(
      unitPorts,
      follow,
      countFollowed(report, (error) => (end.unrecorded ??= error)),
    );
  } finally {
    ports.signal.removeEventListener("abort", startGrace);
    settled.abort();
  }
  return end;
}

/**
 * Another run held these payouts. Counts those it returned, which wait for the next run, and those it still
 * holds unsent.
 */
async function countLost(
  { db, runId, lease }: PayoutPorts,
  { report, lost }: { report: PayoutRunReport; lost: Readonly<Record<PayeeKind, string[]>> },
): Promise<void> {
  for (const kind of PAYEE_KINDS) {
    const dueAgain = await countDueOf(db, { kind, ids: lost[kind] });
    countsOf(report, kind).left += dueAgain;
  }
  if (PAYEE_KINDS.every((kind) => lost[kind].length === 0)) return;
  const unsent = await countUnsent(db, { runId, fence: lease.fence });
  report.unsentBefore = Math.max(report.unsentBefore, unsent);
}

/** Due when the run began, and claimed by another one before this run came to read their page. */
function countVanished(counts: PayoutCounts): void {
  const vanished = counts.found - counts.processed - counts.skipped;
  if (vanished <= 0) return;
  const reason = "skipped CLAIMED_ELSEWHERE";
  counts.skipped += vanished;
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + vanished;
}

/** Neither accepted nor refused, and not because this run was told to stop. */
function isWithoutAnswer(result: UnitResult): boolean {
  if ("error" in result) return false;
  if (result.outcome === "unknown")
    return result.code !== "interrupted" && result.code !== "LEASE_LOST";
  return result.outcome === "skipped" && result.code === "PROVIDER_UNAVAILABLE";
}

/** Skipped because this run may start nothing more. */
const STOPPED: ReadonlySet<string> = new Set(["STOPPING", "LEASE_LOST"]);
/** Skipped although no other run has them: they wait for the next run. */
const LEFT: ReadonlySet<string> = new Set(["PROVIDER_UNAVAILABLE", "ROW_LOCKED"]);

function count(
  { log }: PayoutPorts,
  counts: PayoutCounts,
  { unit, result, inFlight }: { unit: Unit; result: UnitResult; inFlight: InFlight },
): void {
  const payoutId = unit.id;
  if (result.outcome !== "succeeded") {
    const { outcome, code, message } = result;
    if (outcome === "unknown") counts.unknownNetPaise += result.payout?.netPaise ?? 0n;
    countItem(counts, { payoutId, outcome, code, message });
    const fields = { payoutId, outcome, code };
    if (outcome === "skipped") log.info(fields, message);
    else log.warn(fields, message);
    return;
  }
  const { payout, settlement, accepted } = result;
  countPaid(counts, "succeeded", payout);
  if (settlement === "paid") counts.completed++;
  else if (accepted) {
    const createdMs = accepted.provider.createdAt.getTime();
    inFlight.count++;
    inFlight.fromMs = Math.min(inFlight.fromMs, createdMs);
    inFlight.toMs = Math.max(inFlight.toMs, createdMs);
  }
  log.info(
    {
      payoutId,
      outcome: "succeeded",
      ...amountsOf(payout),
      providerPayoutId: accepted?.provider.id,
    },
    "payout sent",
  );
}

function amountsOf({ amountPaise, taxPaise, netPaise }: ClaimedPayout): Record<string, bigint> {
  return { amountPaise, taxPaise, netPaise };
}

function warnOfOthers({ log }: PayoutPorts, report: PayoutRunReport): void {
  const outOfTries = sum(PAYEE_KINDS.map((kind) => countsOf(report, kind).outOfTries));
  if (outOfTries > 0) {
    log.warn({ count: outOfTries }, "payouts are out of tries and wait for a person");
  }
  const held = sum(PAYEE_KINDS.map((kind) => countsOf(report, kind).held));
  if (held > 0) log.warn({ count: held }, "payouts are not sent: their payees are on hold");
  if (report.inDoubtBefore > 0) {
    log.warn(
      { count: report.inDoubtBefore },
      "payouts of earlier runs are in doubt: nobody has asked the provider yet",
    );
  }
  if (report.unsentBefore > 0) {
    log.warn(
      { count: report.unsentBefore },
      "payouts are claimed by another run and not sent: that run continues, or is dead",
    );
  }
}

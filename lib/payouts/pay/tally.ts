import { gatewayDown, NO_ANSWER_IN_A_ROW } from "../../provider/faults.ts";
import { createRefusals, rowsLocked } from "../state/faults.ts";
import { kindOf, type PayeeKind } from "../state/kind.ts";
import type { InFlight } from "./follow.ts";
import type { RunEnd } from "./judge.ts";
import { countEnded, countItem, countPaid, countsOf, type PayoutRunReport } from "./report.ts";
import type { DueItem, PayResult } from "./run.ts";

/** So many locked rows, with no payout in between that passed. Each costs two seconds. */
const LOCKED_IN_A_ROW = 30;

/** Counts the results of a run, and tells from them when the run must end. It reads and writes nothing else. */
export interface Tally {
  /** This run has won the payout, with any result. */
  readonly claimed: (item: DueItem) => void;
  readonly note: (item: DueItem, result: PayResult) => void;
  readonly end: RunEnd;
  /** Payouts that another run held, by their ids. */
  readonly lost: Readonly<Record<PayeeKind, string[]>>;
  /** The payouts that the provider has and had not finished when it answered. */
  readonly inFlight: InFlight;
}

export function createTally(report: PayoutRunReport): Tally {
  const end: RunEnd = { fault: undefined, error: undefined, unrecorded: undefined, stopped: false };
  const lost: Record<PayeeKind, string[]> = { consultant: [], organization: [] };
  const inFlight: InFlight = { count: 0, fromMs: Infinity, toMs: -Infinity };
  const refusals = createRefusals();
  let noAnswerInARow = 0;
  let lockedInARow = 0;

  return {
    end,
    lost,
    inFlight,
    claimed: (item) => {
      refusals.next(undefined);
      countsOf(report, kindOf(item)).claimed++;
    },
    note: (item, result) => {
      const counts = countsOf(report, kindOf(item));
      if (result.outcome === "run-ended") {
        countEnded(counts, { payoutId: item.id, isClaimed: result.isClaimed });
        end.error ??= result.error;
        return;
      }
      if (result.outcome === "succeeded") {
        countPaid(counts, "succeeded", result.payout);
        if (result.settlement === "paid") counts.completed++;
        else if (result.accepted) addInFlight(inFlight, result.accepted.createdAt.getTime());
      } else {
        const { outcome, code, message, payout } = result;
        if (outcome === "unknown") counts.unknownNetPaise += payout?.netPaise ?? 0n;
        countItem(counts, { payoutId: item.id, outcome, code, message });
        if (LEFT.has(code)) counts.left++;
        if (code === "CLAIMED_ELSEWHERE") lost[kindOf(item)].push(item.id);
        if (STOPPED.has(code)) end.stopped = true;
        end.fault ??= result.fault;
      }

      const error = errorOf(result);
      const isLocked = codeOf(result) === "ROW_LOCKED";
      // A skipped payout proves nothing about the database.
      const isPassed = error === undefined && result.outcome !== "skipped";
      noAnswerInARow = isWithoutAnswer(result) ? noAnswerInARow + 1 : 0;
      if (isLocked) lockedInARow++;
      else if (isPassed) lockedInARow = 0;
      if (isPassed || error !== undefined) end.fault ??= refusals.next(error);
      if (lockedInARow >= LOCKED_IN_A_ROW) end.fault ??= rowsLocked;
      if (noAnswerInARow >= NO_ANSWER_IN_A_ROW) end.fault ??= gatewayDown;
    },
  };
}

/** Skipped or unknown because this run may start nothing more. */
const STOPPED: ReadonlySet<string> = new Set(["STOPPING", "LEASE_LOST", "interrupted"]);
/** Skipped although no other run has them: they wait for the next run. */
const LEFT: ReadonlySet<string> = new Set(["PROVIDER_UNAVAILABLE", "ROW_LOCKED"]);

/** No usable answer, or a database that did not let the payout pass: more at once would make it worse. */
export function isTrouble(result: PayResult): boolean {
  return (
    isWithoutAnswer(result) || codeOf(result) === "ROW_LOCKED" || errorOf(result) !== undefined
  );
}

/** Neither accepted nor refused, and not because this run was told to stop. */
function isWithoutAnswer(result: PayResult): boolean {
  if (errorOf(result) !== undefined) return false;
  const code = codeOf(result);
  if (result.outcome === "unknown") return code !== "interrupted" && code !== "LEASE_LOST";
  return result.outcome === "skipped" && code === "PROVIDER_UNAVAILABLE";
}

function codeOf(result: PayResult): string {
  return "code" in result ? result.code : "";
}

function errorOf(result: PayResult): unknown {
  return "error" in result ? result.error : undefined;
}

function addInFlight(inFlight: InFlight, createdMs: number): void {
  inFlight.count++;
  inFlight.fromMs = Math.min(inFlight.fromMs, createdMs);
  inFlight.toMs = Math.max(inFlight.toMs, createdMs);
}

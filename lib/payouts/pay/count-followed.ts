import { describeRowError, isConnectionError, isLockConflict } from "../../db/sqlstate.ts";
import type { Follower } from "./follow.ts";
import { kindOf } from "../state/kind.ts";
import {
  countItem,
  countsOf,
  countUnrecorded,
  uncountPaid,
  type PayoutRunReport,
} from "./report.ts";
import { DatabaseBusyError } from "../../db/errors.ts";

/**
 * Counts what the provider's list says at the end of a run. `onUnexpected` is told what kept a final state from
 * being recorded, where that does not pass by itself.
 */
export function countFollowed(
  report: PayoutRunReport,
  onUnexpected: (error: unknown) => void,
): Follower {
  const onError = (error: unknown): void => {
    if (!isPassing(error)) onUnexpected(error);
  };
  return {
    onError,
    onSettled: (payout, settlement, provider) => {
      const counts = countsOf(report, kindOf(payout));
      if (settlement === "paid") counts.completed++;
      if (settlement !== "failed") return;
      uncountPaid(counts, payout);
      countItem(counts, {
        payoutId: payout.id,
        outcome: "failed",
        code: provider.statusReason ?? provider.statusText,
        message: "the provider accepted it and then reported that it failed",
      });
    },
    onUnrecorded: (payout, error) => {
      onError(error);
      const message = isLockConflict(error)
        ? "final at the provider; another database session holds the row"
        : `final at the provider; ${describeRowError(error)}`;
      countUnrecorded(countsOf(report, kindOf(payout)), { payoutId: payout.id, message });
    },
  };
}

/** Whether it is nothing to be red about: the next run of another job records what the database missed. */
function isPassing(error: unknown): boolean {
  return isConnectionError(error) || isLockConflict(error) || error instanceof DatabaseBusyError;
}

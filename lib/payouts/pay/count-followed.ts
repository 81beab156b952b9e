import { DatabaseBusyError, isConnectionError, isLockConflict } from "../../db/connection.ts";
import { describeRowError } from "../../db/row-error.ts";
import type { Follower } from "./follow.ts";
import { kindOf } from "../state/kind.ts";
import {
  countItem,
  countsOf,
  countUnrecorded,
  uncountPaid,
  type PayoutRunReport,
} from "./report.ts";

/**
 * Counts the final states in the provider's list at the end of a run. `onUnexpected` gets an error that kept a
 * final state from being recorded, unless the error is temporary.
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

/** Whether the error needs no red run: the next run of another job records the missing state. */
function isPassing(error: unknown): boolean {
  return isConnectionError(error) || isLockConflict(error) || error instanceof DatabaseBusyError;
}

import { LeaseLostError } from "../../support/lease.ts";
import { ClaimLostError } from "../state/release.ts";
import { skipped, type PayResult } from "./run.ts";

export const rowLocked = skipped(
  "ROW_LOCKED",
  "another database session holds the row; nothing was sent",
);

/** An unexpected database error: another team's trigger or constraint, or a full resource. */
export const REFUSED = "DATABASE_REFUSED";

/** The result of a payout that no longer is this run's, or that an error of the whole run ended. */
export function endedBy(error: unknown, { isClaimed }: { isClaimed: boolean }): PayResult {
  if (error instanceof ClaimLostError)
    return skipped("CLAIMED_ELSEWHERE", "another run has taken it over");
  if (error instanceof LeaseLostError) return skipped(error.code, error.message);
  return { outcome: "run-ended", isClaimed, error };
}

import { describeRowError, isForEveryRow } from "../../db/sqlstate.ts";
import { LeaseLostError } from "../../support/lease.ts";
import type { RunFault } from "../../support/verdict.ts";
import { DatabaseBusyError } from "../../db/errors.ts";

/** The section of docs/runbooks.md for each fault of this file. */
export const PAYOUT_FAULT_RUNBOOKS = {
  "answer-not-recorded": "an-outcome-is-unknown",
  "db-refuses-rows": "the-database-refuses-a-row",
  "rows-locked": "work-is-left-behind",
} as const;

/** Rows of one payout after the other are held by somebody else. */
export const rowsLocked: RunFault = {
  code: "rows-locked",
  message:
    "One payout after the other was passed over, because another database session holds its row, or its table.",
  remedy:
    "Look for the session (pg_stat_activity, pg_blocking_pids), let it finish or end it, then run again: nothing was sent for them.",
};

/** Not a rule of ours, and not of one row alone. */
function databaseRefuses(error: unknown): RunFault {
  return {
    code: "db-refuses-rows",
    message: `One payout after the other met an error in the database: ${describeRowError(error)}.`,
    remedy:
      "The log has the database's own words: a full disk, say, or a trigger or constraint that is not ours. Fix the cause, then run again. Unsent payouts are due, or payouts/handle-stuck-payouts makes them due again and records the sent ones.",
  };
}

/**
 * After so many database errors, each at another row, that make up half of the latest statements, the rows are
 * not the cause.
 */
const REFUSED_AT_LEAST = 5;
const LAST = 20;

/**
 * Tells when the database's errors are not those of single rows any more. Not by how many come one after the
 * other: rows of a batch that are refused are done at the same time, before or after all those that passed.
 */
export function createRefusals(): {
  /** `error`: the error at the row, undefined for a success. */
  next: (error: unknown) => RunFault | undefined;
} {
  const last: boolean[] = [];
  return {
    next: (error) => {
      last.push(error !== undefined);
      if (last.length > LAST) last.shift();
      const refused = last.filter(Boolean).length;
      return error !== undefined && refused >= REFUSED_AT_LEAST && 2 * refused >= last.length
        ? databaseRefuses(error)
        : undefined;
    },
  };
}

export const recordFailed: RunFault = {
  code: "answer-not-recorded",
  message: "The provider's answer could not be written to the database.",
  remedy:
    "Look at the database. The payout stays in processing, its earnings stay linked, and it is not sent again.",
};

/** Why no answer can be written any more. */
export function recordFault(error: unknown): RunFault {
  if (!(error instanceof DatabaseBusyError)) return recordFailed;
  const { remedy = recordFailed.remedy } = error;
  return { code: "db-busy", message: `${recordFailed.message} ${error.message}.`, remedy };
}

/** Whether the next row would meet the error as well. */
export function concernsAll(error: unknown): boolean {
  return isForEveryRow(error) || error instanceof LeaseLostError;
}

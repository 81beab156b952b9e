import {
  DatabaseFullError,
  DatabaseLockedError,
  DatabaseNotMigratedError,
  DatabasePermissionError,
  DatabaseReadOnlyError,
  DatabaseUnreachableError,
  isConnectionError,
  isFull,
  isLockConflict,
  isMissingSchema,
  isPermissionDenied,
  isReadOnly,
} from "../db/connection.ts";
import { DatabaseSessionError } from "../db/session-errors.ts";
import { AfterhoursError, toError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import type { Verdict } from "../support/verdict.ts";
import { LockUnavailableError } from "./lock/index.ts";
import type { Outcome } from "./outcome.ts";
import type { StopSignal } from "./signals.ts";

/**
 * The core's verdict as an outcome; only the harness knows why the run was asked to stop. A run that lost its
 * lock is never green: other runs may have done the work, or be doing it.
 */
export function outcomeOfVerdict(
  verdict: Verdict,
  { databaseUrl, stop }: { databaseUrl: string; stop: StopSignal },
): Outcome {
  if (verdict.kind === "completed" && stop.reason() === "lease-lost") return LOST_AT_THE_END;
  if (verdict.kind === "interrupted") return interrupted(stop);
  return verdict.kind === "broken" ? outcomeOfError(verdict.error, databaseUrl, stop) : verdict;
}

const LOST_AT_THE_END: Outcome = {
  kind: "interrupted",
  reason: "lease-lost",
  message:
    "Its lock could not be renewed or was lost. By then nothing was left for this run to do. Another run may have worked beside it: look at what that one says. To run it again is not needed, and does no harm.",
};

/** The run was asked to stop, and did. */
export function interrupted(stop: StopSignal): Outcome {
  const reason = stop.reason() ?? "SIGTERM";
  const why = {
    SIGINT: "It was told to stop (SIGINT).",
    SIGTERM: "It was told to stop (SIGTERM).",
    deadline: "Its deadline passed.",
    "lease-lost": "Its lock could not be renewed or was lost.",
  }[reason];
  return {
    kind: "interrupted",
    reason,
    message: `${why} What was in hand was finished or recorded as unknown, nothing else was started. Run it again to go on.`,
  };
}

/** The run was asked to stop, and the database let it wait for longer than anybody waits for a run. */
function cutOff(stop: StopSignal): Outcome {
  return {
    kind: "interrupted",
    reason: stop.reason() ?? "SIGTERM",
    message: `It was told to stop (${stop.reason() ?? "SIGTERM"}), and the database gave no answer in time: its sessions were cut. What they had in hand was rolled back, or is found by the next run. Look at the database, then run it again.`,
  };
}

/** A thrown error as an outcome, with the message and the remedy for an operator. */
export function outcomeOfError(
  thrown: unknown,
  databaseUrl: string | undefined,
  stop: StopSignal,
): Outcome {
  if (thrown instanceof LeaseLostError) {
    stop.stop("lease-lost");
    return interrupted(stop);
  }
  if (stop.givenUp.core.aborted && isConnectionError(thrown)) return cutOff(stop);
  // A run that was told to stop does not retry a transaction that waited for another session; that was rolled
  // back.
  if (stop.isStopping() && isLockConflict(thrown)) return interrupted(stop);
  const error = recognise(thrown, databaseUrl);
  if (error instanceof DatabaseSessionError) {
    const { problem } = error;
    return { kind: "misconfigured", problems: [{ variable: "DATABASE_URL", problem }] };
  }
  if (error instanceof AfterhoursError) {
    return {
      kind: "failed",
      code: error.code.toLowerCase().replaceAll("_", "-"),
      message: `${error.message}.`,
      ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      error,
    };
  }
  return {
    kind: "failed",
    code: "unexpected-error",
    message: error.message || error.constructor.name,
    remedy:
      "This is a bug or a state that nobody foresaw. The log has the stack; what was done is in the report and in the database.",
    error,
  };
}

/** The database's own errors, whichever library they come through, as the error an operator can use. */
function recognise(thrown: unknown, databaseUrl: string | undefined): Error {
  const error = toError(thrown);
  if (error instanceof AfterhoursError && !(error instanceof LockUnavailableError)) return error;
  if (databaseUrl === undefined) return error;
  const cause = error instanceof LockUnavailableError ? error.cause : error;
  if (cause instanceof DatabaseSessionError) return cause;
  if (isMissingSchema(cause)) return new DatabaseNotMigratedError(databaseUrl, error);
  if (isReadOnly(cause)) return new DatabaseReadOnlyError(databaseUrl, error);
  if (isPermissionDenied(cause)) return new DatabasePermissionError(databaseUrl, error);
  if (error instanceof LockUnavailableError) return error;
  if (isLockConflict(cause)) return new DatabaseLockedError(databaseUrl, error);
  if (isConnectionError(error)) return new DatabaseUnreachableError(databaseUrl, error);
  return isFull(error) ? new DatabaseFullError(databaseUrl, error) : error;
}

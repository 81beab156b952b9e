import { AfterhoursError } from "../support/errors.ts";
import type { Log } from "../support/log.ts";
import type { RetryEvent } from "./contract.ts";

/** Replaces a call that changes something at the provider. */
export function dryRunRefusal(call: string): () => never {
  return () => {
    throw new AfterhoursError("DRY_RUN_WRITE", `a dry run tried to call ${call}`);
  };
}

export function logRetries(log: Log): (event: RetryEvent) => void {
  return (event) => log.warn(event, "calling the provider again");
}

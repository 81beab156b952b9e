import type { Db } from "../db/client.ts";
import type { MailSettings, WithMail } from "../notifications/index.ts";
import type { RunContext } from "../support/run-context.ts";

/** All that a job of the waitlist may touch. */
export interface WaitlistPorts<Settings> extends Omit<
  RunContext<Settings & WithMail<MailSettings | undefined>>,
  "runId"
> {
  readonly db: Db;
}

/**
 * Whether a run left locked rows because it was told to stop: the session with the locks may have released them
 * a moment later.
 */
export function isStopped(
  { signal }: Pick<WaitlistPorts<unknown>, "signal">,
  { locked, failed }: { locked: number; failed: number },
): boolean {
  return signal.aborted && locked > 0 && failed === 0;
}

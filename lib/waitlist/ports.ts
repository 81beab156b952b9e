import type { Db } from "../db/client.ts";
import type { MailSettings, WithMail } from "../notifications/index.ts";
import type { Clock } from "../support/clock.ts";
import type { Lease } from "../support/lease.ts";
import type { Log } from "../support/log.ts";
import type { Progress } from "../support/progress.ts";
import type { Random } from "../support/random.ts";

/** All that a job of the waitlist may touch. */
export interface WaitlistPorts<Settings> {
  readonly dryRun: boolean;
  readonly limit: number | undefined;
  readonly settings: Settings & WithMail<MailSettings | undefined>;
  readonly db: Db;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly progress: Progress;
  /** Asks to stop: the current unit is finished, and no other is started. */
  readonly signal: AbortSignal;
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

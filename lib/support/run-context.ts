import type { Clock } from "./clock.ts";
import type { Lease } from "./lease.ts";
import type { Log } from "./log.ts";
import type { Progress } from "./progress.ts";
import type { Random } from "./random.ts";

/**
 * What the harness gives to every run. The ports of a core extend this, or a part of it, and add the database and
 * the providers that the core uses.
 */
export interface RunContext<Settings> {
  /** Identifies this run in the rows that it claims, and in the audit log. */
  readonly runId: string;
  /** Changes nothing, and says what a run would do. */
  readonly dryRun: boolean;
  /** At most so many items, if the caller said so. */
  readonly limit: number | undefined;
  readonly settings: Settings;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly progress: Progress;
  /**
   * Asks to stop: the current item is finished, and no other is started. Fires on SIGINT, SIGTERM, the deadline,
   * or a lost lease.
   */
  readonly signal: AbortSignal;
}

import type { Db } from "../../db/client.ts";
import type { Clock } from "../../support/clock.ts";
import type { Lease } from "../../support/lease.ts";
import type { Log } from "../../support/log.ts";
import type { Progress } from "../../support/progress.ts";
import type { PayoutProvider } from "../../provider/index.ts";

/** All that a run over payouts may touch. */
export interface RunPorts<Settings> {
  /** Identifies this run in the rows that it claims. */
  readonly runId: string;
  readonly dryRun: boolean;
  readonly limit: number | undefined;
  readonly settings: Settings;
  readonly db: Db;
  readonly gateway: PayoutProvider;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** Asks to stop: running payouts are finished, and no other is started. */
  readonly signal: AbortSignal;
}

import type { Db } from "../db/client.ts";
import type { Clock } from "../support/clock.ts";
import type { Lease } from "../support/lease.ts";
import type { Log } from "../support/log.ts";
import type { Progress } from "../support/progress.ts";
import type { RefundRules } from "./settings.ts";
import type { PaymentProvider } from "../provider/index.ts";

/** All that the refund run may touch. */
export interface RefundPorts {
  /** Identifies this run in the legs that it claims. */
  readonly runId: string;
  readonly dryRun: boolean;
  /** At most so many legs. */
  readonly limit: number | undefined;
  readonly settings: RefundRules;
  readonly db: Db;
  readonly payments: PaymentProvider;
  readonly lease: Lease;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** Asks to stop: the current leg is finished, and no other is started. */
  readonly signal: AbortSignal;
}

/** The ports of one leg. */
export interface LegPorts extends RefundPorts {
  /** Ends a call to the provider that would outlast the time a stopping run has. */
  readonly hardStop: AbortSignal;
  /** Of the lock that all runs over all refunds share; null for a run under another lock. */
  readonly fence: bigint | null;
}

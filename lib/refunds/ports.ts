import type { Db } from "../db/client.ts";
import type { PaymentProvider } from "../provider/index.ts";
import type { RunContext } from "../support/run-context.ts";
import type { RefundRules } from "./settings.ts";

/** All that the refund run may touch. `limit` counts legs. */
export interface RefundPorts extends Omit<RunContext<RefundRules>, "random"> {
  readonly db: Db;
  readonly payments: PaymentProvider;
}

/** The ports of one leg. */
export interface LegPorts extends RefundPorts {
  /** Ends a call to the provider that would outlast the time a stopping run has. */
  readonly hardStop: AbortSignal;
  /** Of the lock that all runs over all refunds share; null for a run under another lock. */
  readonly fence: bigint | null;
}

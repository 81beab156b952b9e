import type { Db } from "../db/client.ts";
import type { PaymentProvider } from "../provider/index.ts";
import type { RunContext } from "../support/run-context.ts";
import type { PaymentEventReport } from "./report.ts";
import type { PaymentEventSettings } from "./settings.ts";

export interface EventPorts extends Omit<RunContext<PaymentEventSettings>, "random" | "limit"> {
  readonly db: Db;
  readonly gateway: PaymentProvider;
  readonly report: PaymentEventReport;
}

/** The job, in the audit log. The hold of a dispute bears the same name, which the database writes. */
export const ACTOR = "job:payments/reconcile-payments";

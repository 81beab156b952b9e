/**
 * The pay run. This file is light: the run itself is in `process-payouts.ts`, which a job imports
 * dynamically, so that a skipped run loads neither the core nor the HTTP client.
 */
export { payoutOutputs, payoutTables } from "./outputs.ts";
export type { PayoutRunReport, ReportItem } from "./report.ts";
export { payoutEnvironment, type PayoutCaps, type PayoutSettings } from "./settings.ts";

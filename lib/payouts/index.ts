/**
 * Paying consultants. This file is light: the run itself is in `process-payouts.ts`, which a job imports
 * dynamically, so that a skipped run loads neither the core nor the HTTP client.
 */
export { payoutOutputs, payoutTables } from "./outputs.ts";
export type { PayoutRunReport, ReportItem } from "./report.ts";
export { payoutEnvironment, type PayoutCaps, type PayoutSettings } from "./settings.ts";
export { batchOutputs, batchTables } from "./batch/outputs.ts";
export type { BatchItem, BatchReport } from "./batch/report.ts";
export { batchEnvironment, type BatchSettings } from "./batch/settings.ts";
export { stuckOutputs, stuckTables, type StuckReport } from "./stuck/report.ts";
export { stuckEnvironment, type StuckSettings } from "./stuck/settings.ts";
export { reconcileOutputs, reconcileTables, type ReconcileReport } from "./reconcile/report.ts";
export { reconcileEnvironment, type ReconcileSettings } from "./reconcile/settings.ts";

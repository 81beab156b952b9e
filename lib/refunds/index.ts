/**
 * Giving money back to buyers. This file is light: the run itself is in `process-refunds.ts`, which a job
 * imports dynamically.
 */
export { REFUND_RUNBOOKS } from "./faults.ts";
export { refundOutputs, refundTables, type RefundRunReport } from "./report.ts";
export { refundEnvironment, type RefundRules } from "./settings.ts";

/** Making payouts of what is due. This file is light: a job imports `create-batch.ts` dynamically. */
export { batchOutputs, batchTables } from "./outputs.ts";
export type { BatchItem, BatchReport } from "./report.ts";
export { batchEnvironment, type BatchSettings } from "./settings.ts";

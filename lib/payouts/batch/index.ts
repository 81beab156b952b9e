/** Makes payouts of due earnings. This file is light: a job imports `create-batch.ts` dynamically. */
export { batchOutputs, batchTables, type BatchItem, type BatchReport } from "./report.ts";
export { batchEnvironment, type BatchSettings } from "./settings.ts";

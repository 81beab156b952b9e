/** Ending doubt about payouts. This file is light: a job imports `handle-stuck.ts` dynamically. */
export { stuckOutputs, stuckTables, type StuckReport } from "./report.ts";
export { stuckEnvironment, type StuckSettings } from "./settings.ts";

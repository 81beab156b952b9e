/** Declarations of the upkeep jobs for job files. Cores are imported when they run. */
export { pruneOutputs, pruneTables, type PruneReport } from "./prune/report.ts";
export { retentionEnvironment, type RetentionSettings } from "./prune/settings.ts";
export { watchOutputs, watchTables, type WatchReport } from "./watch/report.ts";
export { taxWatchEnvironment, type TaxWatchSettings } from "./watch/settings.ts";

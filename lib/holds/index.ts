/**
 * Slots and money of abandoned checkouts. Light: the run itself is in `cleanup/cleanup-tentative-slots.ts`,
 * which a job imports dynamically.
 */
export { cleanupOutputs, cleanupTables, type CleanupReport } from "./cleanup/report.ts";
export { cleanupEnvironment, type CleanupSettings } from "./cleanup/settings.ts";

/**
 * Checkouts that end, and money that comes late. Light: the runs themselves are in
 * `cancel/cancel-pending.ts` and `late/reconcile-late-captures.ts`, which jobs import dynamically.
 */
export { cancelOutputs, cancelTables, type CancelReport } from "./cancel/report.ts";
export { checkoutEnvironment } from "./provider/settings.ts";
export { lateOutputs, lateTables, type LateReport } from "./late/report.ts";
export { lateEnvironment, type LateSettings } from "./late/settings.ts";

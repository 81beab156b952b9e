/**
 * Checkouts that end, their slots and money, and late payments. Light: the runs themselves are in
 * `cleanup/cleanup-tentative-slots.ts`, `cancel/cancel-pending.ts` and `late/reconcile-late-captures.ts`, which
 * jobs import dynamically.
 */
export { cancelOutputs, cancelTables, type CancelReport } from "./cancel/report.ts";
export { CANCEL_REASONS, isCancelReason, type CancelReason } from "./cancel/reasons.ts";
export { checkoutEnvironment } from "./provider/settings.ts";
export { cleanupOutputs, cleanupTables, type CleanupReport } from "./cleanup/report.ts";
export { cleanupEnvironment, type CleanupSettings } from "./cleanup/settings.ts";
export { lateOutputs, lateTables, type LateReport } from "./late/report.ts";
export { lateEnvironment, type LateSettings } from "./late/settings.ts";

/** Our payouts against the bank's. This file is light: a job imports `reconcile-status.ts` dynamically. */
export { reconcileOutputs, reconcileTables, type ReconcileReport } from "./report.ts";
export { reconcileEnvironment, type ReconcileSettings } from "./settings.ts";

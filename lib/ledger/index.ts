/** The books. Light: the proof itself is in `reconcile/reconcile-ledger.ts`, which a job imports dynamically. */
export { ledgerOutputs, ledgerTables, type LedgerReport } from "./reconcile/report.ts";
export { ledgerEnvironment } from "./reconcile/settings.ts";

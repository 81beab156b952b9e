import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { checkEnvironment } from "../../lib/checks/index.ts";
import { ledgerEnvironment, ledgerOutputs, ledgerTables } from "../../lib/ledger/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";

export const job = defineJob({
  name: "ledger/reconcile-ledger",
  summary:
    "Proves that the books agree with earnings, payouts, tax, wallets and the cash at the provider, and looks for bookings, payments, offers and earnings that do not fit together.",
  schedule: { cron: "17 3 * * *" }, // daily, 08:47 in India, after the provider's account was read
  movesMoney: false,
  lock: { failMode: "open", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "offline",
  environment: combineEnvironments(ledgerEnvironment, checkEnvironment),
  runbooks: { "books-drift": "a-finding-is-open", "records-differ": "a-finding-is-open" },
  run: async (context) => {
    const { reconcileLedger } = await import("../../lib/ledger/reconcile/reconcile-ledger.ts");
    const { checkRecords } = await import("../../lib/checks/run-checks.ts");
    const { settings: rules, signal } = context;
    return reconcileLedger({
      ...context,
      checkRecords: (tx) => checkRecords(tx, { rules, signal }),
    });
  },
  outputs: ledgerOutputs,
  summarise: ledgerTables,
});

await runIfMain(import.meta, job);

import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { ledgerEnvironment, ledgerOutputs, ledgerTables } from "../../lib/ledger/index.ts";
import { minutes } from "../../lib/support/clock.ts";

export const job = defineJob({
  name: "ledger/reconcile-ledger",
  summary:
    "Proves that the books agree with earnings, payouts, tax, wallets and the cash at the provider.",
  schedule: { cron: "17 3 * * *" }, // daily, 08:47 in India, after the provider's account was read
  movesMoney: false,
  lock: { failMode: "open", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "offline",
  environment: ledgerEnvironment,
  runbooks: { "books-drift": "a-finding-is-open" },
  run: async (context) => {
    const { reconcileLedger } = await import("../../lib/ledger/reconcile/reconcile-ledger.ts");
    return reconcileLedger(context);
  },
  outputs: ledgerOutputs,
  summarise: ledgerTables,
});

await runIfMain(import.meta, job);

import { defineJob, runIfMain } from "../../lib/job/index.ts";
import { pruneOutputs, pruneTables, retentionEnvironment } from "../../lib/ops/index.ts";
import { minutes } from "../../lib/support/clock.ts";

export const job = defineJob({
  name: "ops/prune",
  summary: "Deletes run records, delivered mail and resolved findings older than their limit.",
  schedule: { cron: "21 20 * * *" }, // daily, 01:51 in India
  movesMoney: false,
  // Rows that one run deletes are skipped by another.
  lock: { failMode: "open", ttlMs: minutes(35) },
  deadlineMs: minutes(30),
  pausedBy: "degraded",
  environment: retentionEnvironment,
  run: async (context) => {
    const { prune } = await import("../../lib/ops/prune/prune.ts");
    return prune(context);
  },
  outputs: pruneOutputs,
  summarise: pruneTables,
});

await runIfMain(import.meta, job);

import { defineJob, lockEnvironment, redisLockHolder, runIfMain } from "../../lib/job/index.ts";
import { taxWatchEnvironment, watchOutputs, watchTables } from "../../lib/ops/index.ts";
import { minutes } from "../../lib/support/clock.ts";
import { combineEnvironments } from "../../lib/support/environment.ts";
import { watchedJobs } from "../watched.ts";

const NAME = "ops/watchdog";

export const job = defineJob({
  name: NAME,
  summary:
    "Says which jobs were missed, keep failing, or hang, and which tax is to be deposited; marks lost runs.",
  schedule: { cron: "51 4 * * *" }, // daily, 10:21 in India, when the nightly jobs are over
  movesMoney: false,
  lock: { failMode: "open", ttlMs: minutes(15) },
  deadlineMs: minutes(10),
  pausedBy: "offline",
  environment: combineEnvironments(lockEnvironment, taxWatchEnvironment),
  runbooks: { "jobs-missed": "a-job-was-missed", "tax-overdue": "tax-is-overdue" },
  run: async (context) => {
    const { watchJobs } = await import("../../lib/ops/watch/watch.ts");
    const holderOf = (name: string) => redisLockHolder(context.settings, name);
    return watchJobs({ ...context, jobs: watchedJobs, name: NAME, holderOf });
  },
  outputs: watchOutputs,
  summarise: watchTables,
});

await runIfMain(import.meta, job);

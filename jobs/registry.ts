import type { AnyJob } from "../lib/job/index.ts";
import { job as watchdog } from "./ops/watchdog.ts";
import { watchedJobs } from "./watched.ts";

/** Every job: the one source of names, schedules, lock times and environments. */
export const jobs: readonly AnyJob[] = [...watchedJobs, watchdog];

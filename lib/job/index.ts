export { defineJob, type AnyJob, type JobContext, type JobDefinition } from "./define-job.ts";
export { runIfMain } from "./run-if-main.ts";

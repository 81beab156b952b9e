export {
  defineJob,
  type AnyJob,
  type JobContext,
  type JobDefinition,
  type JobFlag,
} from "./define-job.ts";
export { runIfMain } from "./run-if-main.ts";

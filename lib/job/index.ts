export {
  defineJob,
  type AnyJob,
  type JobContext,
  type JobDefinition,
  type JobFlag,
} from "./define-job.ts";
export { runIfMain } from "./run-if-main.ts";
export { lockEnvironment, redisLockHolder, type LockSettings } from "./lock-holder.ts";

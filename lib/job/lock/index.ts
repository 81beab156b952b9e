export { acquireLease, type HeldLease, type LeaseResult } from "./lease.ts";
export { lockKey, LockUnavailableError, type LockStore } from "./lock-store.ts";
export { createPostgresLockStore } from "./postgres-lock-store.ts";

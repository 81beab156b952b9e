import { AfterhoursError } from "./errors.ts";

/**
 * The part of its lock that a core sees. The lock saves work; compare-and-swap on the row gives correctness. A
 * core asks before every step that spends money.
 */
export interface Lease {
  /** Grows with each acquisition of the same lock; null when the lock is switched off. */
  readonly fence: bigint | null;
  /** @throws {LeaseLostError} once this holder can no longer be sure to be the only one. */
  assertTrusted(): void;
}

/** The lease ran out, was taken by another holder, or could not be renewed in time. */
export class LeaseLostError extends AfterhoursError {
  override readonly name = "LeaseLostError";

  constructor(key: string) {
    super("LEASE_LOST", `the lease ${key} can no longer be trusted`, {
      remedy:
        "Nothing more was started. Run the job again: what was in hand is settled or recorded as unknown.",
    });
  }
}

/** For a run without a lock: always trusted, no fence. */
export const noLease: Lease = { fence: null, assertTrusted: () => undefined };

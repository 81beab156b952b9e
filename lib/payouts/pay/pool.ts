import PQueue from "p-queue";

/** The workers that send payouts: how many requests may be under way. */
export interface Pool {
  /** Begins now, or when a worker is free. `work` must not throw. */
  start(work: () => Promise<void>): void;
  /** How many more payouts would begin at once. */
  readonly room: number;
  readonly size: number;
  /** Resolves when the next one has ended; at once when none is under way. */
  oneEnded(): Promise<void>;
  /** Resolves when none is under way. */
  allEnded(): Promise<void>;
  /** The provider, or a rule of ours, gave an answer. */
  grow(): void;
  /** No usable answer came, or the database did not let the payout pass: a locked row, an error. */
  shrink(): void;
}

/** The most payouts that are in doubt when the provider turns out to be away. */
const FIRST = 16;

/**
 * Begins with a few workers and adds one for each answer, up to `most`; the first call without an answer brings
 * it back to a few. So pages grow while all is well, and an unreachable provider leaves no more payouts in doubt
 * than were under way. A locked row is no answer either: each waits its time for the one session of the run, and
 * more concurrent payouts make all of them wait longer.
 */
export function createPool({ most }: { most: number }): Pool {
  const first = Math.min(FIRST, most);
  const queue = new PQueue({ concurrency: first });
  return {
    start: (work) => void queue.add(work),
    get room() {
      return Math.max(0, queue.concurrency - queue.pending - queue.size);
    },
    get size() {
      return queue.concurrency;
    },
    oneEnded: async () => {
      if (queue.pending === 0) return;
      await new Promise<void>((resolve) => queue.once("next", () => resolve()));
    },
    allEnded: () => queue.onIdle(),
    grow: () => {
      queue.concurrency = Math.min(queue.concurrency + 1, most);
    },
    shrink: () => {
      queue.concurrency = first;
    },
  };
}

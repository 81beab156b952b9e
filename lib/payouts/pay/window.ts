/** How many payouts may run at once. */
export interface Window {
  readonly atOnce: () => number;
  /** The provider, or our own rules, gave an answer. */
  readonly answered: () => void;
  /** No usable answer came, or the database did not let the payout pass: a locked row, an error. */
  readonly unanswered: () => void;
}

/** As many as may be in doubt when the provider turns out to be away. */
const FIRST = 16;

/**
 * Begins with a few and adds one for each answer, up to `most`; the first call without an answer brings it back
 * to a few. So batches grow while all is well, and an unreachable provider leaves no more payouts in doubt than
 * were running. A locked row is no answer either: each waits its time for the one session of the run, and more
 * concurrent payouts make all of them wait longer.
 */
export function createWindow({ most }: { most: number }): Window {
  const first = Math.min(FIRST, most);
  let size = first;
  return {
    atOnce: () => size,
    answered: () => {
      size = Math.min(size + 1, most);
    },
    unanswered: () => {
      size = first;
    },
  };
}

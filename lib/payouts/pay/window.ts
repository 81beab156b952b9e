/** How many payouts may be in hand at once. */
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
 * Begins with a few and lets one more in for each answer, up to `most`; the first call without an answer
 * brings it back to a few. So batches grow large while all is well, and a provider that is away, or goes
 * away, leaves no more payouts in doubt than were in hand. A locked row is no answer either: each waits its
 * time for the one session of the run, and the more are in hand, the longer all of them wait.
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

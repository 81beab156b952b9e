const SECOND_MS = 1000;

/**
 * Requests a second, in whole seconds' worth of them. The first ones arrive all at once, as a limit for each
 * second allows: they only begin to count the time.
 */
export function perSecond(arrivalsMs: readonly number[], limit: number): number {
  const takenMs = (arrivalsMs.at(-1) ?? NaN) - (arrivalsMs[0] ?? NaN);
  return ((arrivalsMs.length - limit) / takenMs) * SECOND_MS;
}

/** Wherever that second begins. */
export function mostInAnySecond(arrivalsMs: readonly number[]): number {
  let most = 0;
  let from = 0;
  arrivalsMs.forEach((arrivedAtMs, index) => {
    while (arrivedAtMs - (arrivalsMs[from] ?? arrivedAtMs) >= SECOND_MS) from++;
    most = Math.max(most, index - from + 1);
  });
  return most;
}

const SECOND_MS = 1000;

/** Requests a second from the first to the last of them. */
export function perSecondOverall(arrivalsMs: readonly number[]): number {
  const tookMs = (arrivalsMs.at(-1) ?? NaN) - (arrivalsMs[0] ?? NaN);
  return ((arrivalsMs.length - 1) / tookMs) * SECOND_MS;
}

/**
 * Requests a second, from the first of all to the first of the last second's worth of them. That is how long
 * the others took; within a second the limit leaves open when they come.
 */
export function perSecond(arrivalsMs: readonly number[], limit: number): number {
  const others = arrivalsMs.length - limit;
  const tookMs = (arrivalsMs[others] ?? NaN) - (arrivalsMs[0] ?? NaN);
  return (others / tookMs) * SECOND_MS;
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

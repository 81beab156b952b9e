/** Outside of the deep tier one in so many cases is tried. It divides none of the lists' lengths, so that each value is met. */
const ONE_IN = 5;
const isDeep = process.env["TEST_TIER"] === "deep";

/** How often a property is tried, or how large its input is: the whole number in the deep tier, a fifth elsewhere. */
export function share(whole: number): number {
  return isDeep ? whole : Math.ceil(whole / ONE_IN);
}

/** All cases in the deep tier, every fifth of them elsewhere. */
export function sampleOf<T>(cases: readonly T[]): T[] {
  return cases.filter((_, index) => isDeep || index % ONE_IN === 0);
}

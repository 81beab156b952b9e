/** In the unit and the normal tier one in so many cases is tried. */
const ONE_IN = 5;
/** Vitest without a tier, as the mutation check runs it, tries all. */
const isWhole = !["unit", "normal"].includes(process.env["TEST_TIER"] ?? "");

/** How often a property is tried, or how large its input is: a fifth in the unit and the normal tier. */
export function share(whole: number): number {
  return isWhole ? whole : Math.ceil(whole / ONE_IN);
}

/** Every fifth case in the unit and the normal tier. */
export function sampleOf<T>(cases: readonly T[]): T[] {
  return cases.filter((_, index) => isWhole || index % ONE_IN === 0);
}

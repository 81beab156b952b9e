import type { Random } from "../../../lib/support/random.ts";

/** The same numbers for the same seed, on every machine (a 32-bit xorshift generator). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** An integer from 0 to `limit - 1`. */
export function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

export function pick<T>(items: readonly T[], random: Random): T {
  const item = items[below(items.length, random)];
  if (item === undefined) throw new RangeError("nothing to pick from");
  return item;
}

/** Digits, the first of which is not zero: spreadsheets drop leading zeros. */
export function digits(count: number, random: Random): string {
  const rest = Array.from({ length: count - 1 }, () => String(below(10, random)));
  return `${1 + below(9, random)}${rest.join("")}`;
}

export function letters(count: number, random: Random): string {
  return Array.from({ length: count }, () => String.fromCharCode(65 + below(26, random))).join("");
}

import { minutes } from "../support/clock.ts";
import type { Random } from "../support/random.ts";

const FIRST_WAIT_MS = minutes(1);
const LONGEST_WAIT_MS = minutes(4 * 60);

/** The wait after so many failed tries: a minute, doubled with each, four hours at most, and up to a fifth more. */
export function backOffMs(tries: number, random: Random): number {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
  return Math.round(wait * (1 + 0.2 * random()));
}

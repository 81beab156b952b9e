import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../../lib/support/clock.ts";
import { invalid, Refusal } from "./errors.ts";

/** The first result of a key: the made record, or the refusal. */
export type Outcome<Made> = { made: Made } | { refusal: Refusal };

export interface IdempotencyKeys<Made> {
  /**
   * The result of the key, or undefined when it is unused or older than seven days. Throws a `Refusal` when it
   * was used with another body.
   */
  find(key: string, rawBody: string): Outcome<Made> | undefined;
  remember(key: string, rawBody: string, outcome: Outcome<Made>): void;
}

export const PAYOUT_KEY_HEADER = "X-Payout-Idempotency";
export const REFUND_KEY_HEADER = "X-Refund-Idempotency";
const LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;

export function createIdempotencyKeys<Made>(options: {
  clock: Clock;
  /** Of which the error speaks. */
  header: string;
  /** HTTP number of "same key, another body"; the documentation does not say which it is. */
  conflictStatus: 400 | 409;
}): IdempotencyKeys<Made> {
  const uses = new Map<string, { rawBody: string; outcome: Outcome<Made>; atMs: number }>();
  return {
    find(key, rawBody) {
      const use = uses.get(key);
      if (!use || options.clock.now().getTime() - use.atMs > LIFETIME_MS) return undefined;
      if (!isSameBody(use.rawBody, rawBody))
        throw new Refusal(options.conflictStatus, {
          description: "Different request body sent for the same Idempotency Header.",
          field: options.header,
        });
      return use.outcome;
    },
    remember: (key, rawBody, outcome) =>
      void uses.set(key, { rawBody, outcome, atMs: options.clock.now().getTime() }),
  };
}

/** The key of a request. Throws a `Refusal` when it is missing or malformed. */
export function requireIdempotencyKey(key: string | undefined): string {
  if (key === undefined || key === "")
    throw invalid(
      PAYOUT_KEY_HEADER,
      "Idempotency key is missing. Include idempotency header and key in the request.",
    );
  if (!/^[A-Za-z0-9_\- ]{4,36}$/.test(key))
    throw invalid(
      PAYOUT_KEY_HEADER,
      "The idempotency key must have 4 to 36 letters, digits, hyphens, underscores or spaces.",
    );
  return key;
}

/** Equal bytes, or equal JSON apart from the order of its members and its white space. */
function isSameBody(before: string, now: string): boolean {
  if (before === now) return true;
  try {
    return isDeepStrictEqual(JSON.parse(before), JSON.parse(now));
  } catch {
    return false;
  }
}

import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../../../lib/support/clock.ts";
import { invalid, Refusal } from "./errors.ts";

/** The first result of a key: the made record, or the refusal. */
type Outcome<Made> = { made: Made } | { refusal: Refusal };

export interface IdempotencyKeys<Made> {
  /**
   * Makes a record once for a key, also for two requests in flight: nothing is awaited here. A used key answers
   * `again` of the first record, or the first refusal. A key is forgotten after seven days. Throws a `Refusal`
   * when it was used with another body.
   */
  once<Answer>(
    key: string | null,
    rawBody: string,
    then: { make: () => Made; first: (made: Made) => Answer; again: (made: Made) => Answer },
  ): Answer;
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
  /** Whether a refused request uses its key up. */
  refusalUsesKey: boolean;
}): IdempotencyKeys<Made> {
  const { clock, header, conflictStatus, refusalUsesKey } = options;
  const uses = new Map<string, { rawBody: string; outcome: Outcome<Made>; atMs: number }>();
  function find(key: string, rawBody: string): Outcome<Made> | undefined {
    const use = uses.get(key);
    if (!use || clock.now().getTime() - use.atMs > LIFETIME_MS) return undefined;
    if (isSameBody(use.rawBody, rawBody)) return use.outcome;
    throw new Refusal(conflictStatus, {
      description: "Different request body sent for the same Idempotency Header.",
      field: header,
    });
  }
  return {
    once(key, rawBody, { make, first, again }) {
      const used = key === null ? undefined : find(key, rawBody);
      if (used && "refusal" in used) throw used.refusal;
      if (used) return again(used.made);
      const remember = (outcome: Outcome<Made>): void => {
        if (key !== null) uses.set(key, { rawBody, outcome, atMs: clock.now().getTime() });
      };
      try {
        const made = make();
        remember({ made });
        return first(made);
      } catch (thrown) {
        if (thrown instanceof Refusal && refusalUsesKey) remember({ refusal: thrown });
        throw thrown;
      }
    },
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

import { randomHex } from "../../../lib/support/random.ts";

/** Makes identifiers in the provider's form: a prefix and fourteen characters. */
export interface Ids {
  next(
    prefix:
      "cont" | "fa" | "pout" | "txn" | "bt" | "adj" | "rvrsl" | "order" | "pay" | "rfnd" | "disp",
  ): string;
  /** A made-up bank reference of twelve digits. */
  utr(): string;
}

/**
 * The first six characters differ from start to start: a database that outlives the sandbox keeps
 * provider ids under a unique constraint, and a restarted sandbox must not hand them out again.
 */
export function createIds(): Ids {
  const start = randomHex(3);
  const startDigits = String(parseInt(start, 16) % 10_000).padStart(4, "0");
  let made = 0;
  const nextNumber = (radix: number): string => (++made).toString(radix).padStart(8, "0");
  return {
    next: (prefix) => `${prefix}_${start}${nextNumber(36)}`,
    utr: () => startDigits + nextNumber(10),
  };
}

/**
 * Money is an integer number of paise in a `bigint`. Rupees exist only at the edges: in a finance
 * export that is read, and in text that a person reads.
 */
export type Paise = bigint;

/** `"1,234.5"` is refused: an amount in an export has two decimals or none, and no grouping. */
const RUPEES = /^(0|[1-9][0-9]{0,12})(?:\.([0-9]{2}))?$/;

/**
 * Rupees as written in an export (`"1234.50"` or `"1234"`) to paise, exactly.
 * Returns `undefined` for anything else: a sign, grouping, one or three decimals, an exponent.
 */
export function parseRupees(text: string): Paise | undefined {
  const match = RUPEES.exec(text);
  if (!match) return undefined;
  return BigInt(match[1] ?? "0") * 100n + BigInt(match[2] ?? "0");
}

/** Made at first use: it takes 16 ms, which most starts of a job would spend for nothing. */
let indian: Intl.NumberFormat | undefined;

/** `123456700n` to `₹12,34,567.00`: two decimals, Indian grouping, sign before the symbol. */
export function formatRupees(paise: Paise): string {
  // As decimal text the amount stays exact; a number would round above 2 ** 53.
  indian ??= new Intl.NumberFormat("en-IN", { style: "currency", currency: "INR" });
  return indian.format(toRupees(paise) as Intl.StringNumericLiteral);
}

/** `-1234567n` to `-12345.67`. */
export function toRupees(paise: Paise): string {
  const sign = paise < 0n ? "-" : "";
  const digits = (paise < 0n ? -paise : paise).toString().padStart(3, "0");
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export function sumPaise(amounts: Iterable<Paise>): Paise {
  let total = 0n;
  for (const amount of amounts) total += amount;
  return total;
}

export function minPaise(a: Paise, b: Paise): Paise {
  return a < b ? a : b;
}

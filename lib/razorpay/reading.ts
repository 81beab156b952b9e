import * as z from "zod";
import type { JsonValue } from "../provider/json.ts";

/** The parsed body, or its problem (naming fields, never values). */
type Reading<T> = { ok: true; value: T } | { ok: false; problem: string };

export type Reader<T> = (body: JsonValue) => Reading<T>;

// Ids and money are strict. The rest is tolerant: an odd detail must not make the outcome of a payout or refund
// unknown.

export const id = z.string().regex(/^[A-Za-z0-9_]+$/);
export const amountPaise = z.int().nonnegative().transform(BigInt);
export const signedPaise = z.int().transform(BigInt);
export const instant = z
  .int()
  .nonnegative()
  .transform((seconds) => new Date(seconds * 1000));
export const rupeesOnly = z.literal("INR").optional();

/** The provider writes an absent text as null, as `""` or as the word `"null"`. */
export const text = z
  .string()
  .nullish()
  .transform((value) => (value === undefined || value === "" || value === "null" ? null : value));

/** As `text`, of a detail for which the provider also writes the word `NA`: not applicable. */
export const detail = text.transform((value) =>
  value === null || /^(?:null|n\/?a|)$/i.test(value.trim()) ? null : value,
);

/** As `detail`, where anything that is not text says no more than nothing. */
export const anyDetail = detail.catch(null);

/** A reader that also checks that the record is the one asked for. */
export function expecting<T>(
  read: Reader<T>,
  problemWith: (value: T) => string | undefined,
): Reader<T> {
  return (body) => {
    const reading = read(body);
    const problem = reading.ok ? problemWith(reading.value) : undefined;
    return problem === undefined ? reading : { ok: false, problem };
  };
}

export function reader<T>(schema: z.ZodType<T>): Reader<T> {
  return (body) => {
    const parsed = schema.safeParse(body);
    if (parsed.success) return { ok: true, value: parsed.data };
    const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the body");
    return { ok: false, problem: `unexpected ${[...new Set(fields)].join(", ")}` };
  };
}

/**
 * One unreadable item makes the whole list unreadable: leaving it out would say that the provider
 * doesn't have it. A list that counts items and holds none says the same.
 */
export function listReader<T>(item: z.ZodType<T>): Reader<T[]> {
  const list = z.object({ items: z.array(item), count: z.int().optional() });
  const read = reader(list);
  return (body) => {
    const reading = read(body);
    if (!reading.ok) return reading;
    const { items, count = 0 } = reading.value;
    return items.length === 0 && count > 0
      ? { ok: false, problem: "the list counts items and holds none" }
      : { ok: true, value: items };
  };
}

import * as z from "zod";
import { isDay } from "../../../lib/support/calendar.ts";
import {
  CROSSING_POLICIES,
  mayHaveAadhaar,
  PAN_STATUSES,
  PAYEE_CATEGORIES,
  ROUNDINGS,
} from "../../../lib/tds/index.ts";
import type { AssessmentInput, CrossingPolicy, Rounding } from "../../../lib/tds/index.ts";

interface CreditLine {
  readonly input: AssessmentInput;
  readonly crossing?: CrossingPolicy;
  readonly rounding?: Rounding;
  readonly error?: undefined;
}

interface LineError {
  readonly code: "MISSING_FIELD" | "UNKNOWN_FIELD" | "INVALID_FIELD";
  readonly field: string;
  readonly message: string;
}

/** One line of the `assess` command as the engine takes it, or the first thing that is wrong with it. */
export function parseCreditLine(object: object): CreditLine | { readonly error: LineError } {
  const parsed = creditLine.safeParse(object);
  if (!parsed.success) return { error: lineError(parsed.error.issues, object) };
  const { certificate, crossingPolicy, rounding, ...input } = parsed.data;
  return {
    input: {
      ...input,
      ...(certificate && { certificates: [{ id: "certificate", ...certificate }] }),
    },
    ...(crossingPolicy && { crossing: crossingPolicy }),
    ...(rounding && { rounding }),
  };
}

/** A bigint column of PostgreSQL holds no more digits for certain. */
const MAX_DIGITS = 18;
const DECIMAL = /^(?:0|[1-9][0-9]*)$/;

const day = z.string({ error: "expected a day as YYYY-MM-DD" }).refine(isDay, {
  error: "expected a day as YYYY-MM-DD that the calendar has",
});
const amount = paise("expected whole paise, zero or more, as an integer or a decimal string", 0n);
const positiveAmount = paise(
  "expected whole paise above zero, as an integer or a decimal string; a return is no credit, and docs/refunds.md says how it lowers the next one",
  1n,
);
const flag = z.boolean({ error: "expected true or false" });

const datedGross = z.strictObject(
  { creditedOn: day, grossPaise: amount },
  { error: "expected { creditedOn, grossPaise }" },
);

const panRelief = z
  .strictObject({ from: day, to: day }, { error: "expected { from, to }" })
  .refine(({ from, to }) => from <= to, { path: ["to"], error: "expected a day not before from" });

const certificate = z
  .strictObject(
    {
      rateBps: z
        .int({ error: "expected a rate in whole basis points" })
        .min(0, { error: "expected a rate of 0 basis points or more" })
        .max(10_000, { error: "expected a rate of 10000 basis points or less" }),
      from: day,
      to: day,
      ceilingPaise: amount,
      usedPaise: amount,
    },
    { error: "expected { rateBps, from, to, ceilingPaise, usedPaise }" },
  )
  .refine(({ from, to }) => from <= to, { path: ["to"], error: "expected a day not before from" });

const fields = z.strictObject({
  creditedOn: day,
  paidOn: day.exactOptional(),
  payeeCategory: oneOf(PAYEE_CATEGORIES),
  resident: flag,
  panStatus: oneOf(PAN_STATUSES),
  panRelief: panRelief.exactOptional(),
  aadhaar: flag,
  grossPaise: positiveAmount,
  yearGrossBeforePaise: amount,
  yearTaxBeforePaise: amount,
  yearCreditsBefore: z.array(datedGross, { error: "expected a list" }).exactOptional(),
  certificate: certificate.exactOptional(),
  crossingPolicy: oneOf(CROSSING_POLICIES).exactOptional(),
  rounding: oneOf(ROUNDINGS).exactOptional(),
  paymentPaise: amount.exactOptional(),
  carriedForwardBeforePaise: amount.exactOptional(),
});

const creditLine = fields
  .refine(({ aadhaar, payeeCategory }) => !aadhaar || mayHaveAadhaar(payeeCategory), {
    path: ["aadhaar"],
    error: "expected false: only an individual can have an Aadhaar",
  })
  .refine(({ panStatus, panRelief: relief }) => relief === undefined || panStatus !== "missing", {
    path: ["panRelief"],
    error: "expected none without a PAN: relief is for an inoperative one",
  });

function oneOf<const T extends readonly string[]>(values: T): z.ZodType<T[number]> {
  return z.literal(values, { error: `expected one of ${values.join(", ")}` });
}

/** A JSON number beyond 2^53 has already lost digits when it is read, so it must come as a string. */
function paise(message: string, minimum: bigint): z.ZodType<bigint> {
  return z.unknown().transform((value, context) => {
    const amount = integerOf(value);
    if (amount !== undefined && amount >= minimum) return amount;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  if (typeof value !== "string" || value.length > MAX_DIGITS) return undefined;
  return DECIMAL.test(value) ? BigInt(value) : undefined;
}

/** An unknown field goes first: it is often the misspelt name of one that is then missing. */
function lineError(issues: readonly z.core.$ZodIssue[], object: object): LineError {
  for (const issue of issues) {
    if (issue.code !== "unrecognized_keys") continue;
    const field = fieldPath([...issue.path, issue.keys[0] ?? ""]);
    return { code: "UNKNOWN_FIELD", field, message: "no such field" };
  }
  const [issue] = issues;
  const path = issue?.path ?? [];
  return {
    code: isAbsent(object, path) ? "MISSING_FIELD" : "INVALID_FIELD",
    field: fieldPath(path),
    message: issue?.message ?? "not a credit",
  };
}

/** `["yearCreditsBefore", 0, "grossPaise"]` to `yearCreditsBefore[0].grossPaise`. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

function isAbsent(object: object, path: readonly PropertyKey[]): boolean {
  let value: unknown = object;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return true;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return false;
}

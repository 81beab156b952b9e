import { withSourcePositions } from "./source-position.ts";

/**
 * Personal data and secrets never reach a log line, an output, a summary or an artifact. Structured
 * values are cut by the name of their field, free text by shape, and the secrets of this run by value.
 */
export const REDACTED = "[redacted]";

/** Fields that hold personal data or a secret, by name; compared without case, `_` and `-`. */
const PRIVATE_FIELDS = new Set(
  [
    "account_number",
    "bank_account",
    "vpa",
    "address",
    "pan",
    "aadhaar_number",
    "email",
    "phone",
    "contact",
    "name",
    "password",
    "secret",
    "key_secret",
    "authorization",
    "auth",
    "cookie",
    "connection_string",
    "database_url",
    "redis_url",
  ].map(normalise),
);

/** What personal data and secrets look like when they stand in the middle of a sentence. */
const PRIVATE_SHAPES: readonly RegExp[] = [
  // Credentials in a URL: everything between the scheme and the host.
  /(?<=[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi,
  // PAN.
  /(?<![A-Za-z0-9])[A-Za-z]{5}[0-9]{4}[A-Za-z](?![A-Za-z0-9])/g,
  // E-mail address or VPA; not a lease owner, where the seconds of a time of day stand before the `@`.
  /(?<![\w.%+-])(?!(?<=:\d\d:)\d\d\.\d{3}Z@)[A-Za-z0-9._%+-]+@[A-Za-z0-9][A-Za-z0-9.-]+/g,
  // Account number or telephone number: a run of digits that is part of no longer word, no fraction
  // and no UUID.
  /(?<!\w|\d\.|-[0-9a-f]{4}-)\+?[0-9]{9,18}(?!\w)/g,
];

/** A secret shorter than this is not masked by value: it would turn ordinary words into stars. */
const SHORTEST_SECRET = 6;

export interface Redactor {
  /** Free text with everything private replaced. */
  text(value: string): string;
  /** A copy of a JSON-like value with private fields and private text replaced. */
  value(value: unknown): unknown;
}

/** `secrets` are values known to this run (keys, passwords); they are removed wherever they stand. */
export function createRedactor(secrets: readonly string[] = []): Redactor {
  // The longest first: one that is part of another must not break it up.
  const known = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length);

  const text = (value: string): string => {
    let result = value;
    for (const secret of known) result = result.replaceAll(secret, REDACTED);
    for (const shape of PRIVATE_SHAPES) result = result.replace(shape, REDACTED);
    return result;
  };

  const walk = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Date) return value.toISOString();
    if (depth > 12) return REDACTED;
    if (Array.isArray(value)) return value.map((item) => walk(item, depth + 1));
    if (value instanceof Error) return walk(describeError(value), depth + 1);
    const copy: Record<string, unknown> = {};
    for (const [field, item] of Object.entries(value)) {
      if (PRIVATE_FIELDS.has(normalise(field))) copy[field] = REDACTED;
      else if (isAmount(field, item)) copy[field] = item;
      else copy[text(field)] = walk(item, depth + 1);
    }
    return copy;
  };

  return { text, value: (value) => walk(value, 0) };
}

/**
 * An error as data: what an operator needs of it, and nothing that a library hung on to it. Its cause
 * is still an error.
 */
export function describeError(error: Error): Record<string, unknown> {
  return {
    type: error.constructor.name,
    message: error.message,
    ...("code" in error && typeof error.code === "string" ? { code: error.code } : {}),
    ...("remedy" in error && typeof error.remedy === "string" ? { remedy: error.remedy } : {}),
    stack: error.stack === undefined ? undefined : withSourcePositions(error.stack),
    ...(error.cause instanceof Error ? { cause: error.cause } : {}),
  };
}

/** Amounts are digits, and are meant to be read. */
function isAmount(field: string, item: unknown): boolean {
  if (!field.endsWith("Paise") && !field.endsWith("_paise")) return false;
  return typeof item === "string" ? /^-?[0-9]+$/.test(item) : typeof item !== "object";
}

function normalise(field: string): string {
  return field.toLowerCase().replace(/[_-]/g, "");
}

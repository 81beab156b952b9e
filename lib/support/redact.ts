import { REDACTED, withoutPersonalData } from "./personal-data.ts";
import { isPrivateField } from "./private-fields.ts";
import { secretForms, SHORTEST_ANYWHERE } from "./secret-forms.ts";
import { withSourcePositions } from "./source-position.ts";

export { REDACTED };

/**
 * Personal data and secrets never reach a log line, an output, a summary or an artifact. Structured
 * values are cut by the name of their field, free text by shape, and the secrets of this run by value.
 */
export interface Redactor {
  /** Free text with everything private replaced. */
  text(value: string): string;
  /** A copy of a JSON-like value with private fields and private text replaced. */
  value(value: unknown): unknown;
  /** The text without the secrets of this run, in any of their forms; personal data stays. */
  withoutSecrets(text: string): string;
}

/** `secrets` are values known to this run (keys, passwords); they are removed wherever they stand, in every form. */
export function createRedactor(secrets: readonly string[] = []): Redactor {
  const withoutSecrets = secretRemover(secrets);
  const text = (value: string): string => withoutPersonalData(withoutSecrets(value));

  const walk = (value: unknown, depth: number): unknown => {
    if (typeof value === "string") return text(value);
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Date) return value.toISOString();
    if (depth > 12 || ArrayBuffer.isView(value)) return REDACTED;
    if (Array.isArray(value)) return value.map((item) => walk(item, depth + 1));
    if (value instanceof Error) return walk(describeError(value), depth + 1);
    const copy: Record<string, unknown> = {};
    for (const [field, item] of Object.entries(value)) {
      if (isPrivateField(field, item)) copy[text(field)] = REDACTED;
      else if (isAmount(field, item) || isBankReference(field, item)) copy[field] = item;
      else copy[text(field)] = walk(item, depth + 1);
    }
    return copy;
  };

  return { text, value: (value) => walk(value, 0), withoutSecrets };
}

function secretRemover(secrets: readonly string[]): (text: string) => string {
  const forms = secretForms(secrets);
  const anywhere = forms.filter((form) => form.length >= SHORTEST_ANYWHERE);
  const words = forms
    .filter((form) => form.length < SHORTEST_ANYWHERE)
    .map((form) => new RegExp(`(?<![\\p{L}\\p{N}])${escaped(form)}(?![\\p{L}\\p{N}])`, "gu"));
  const shortest = Math.min(...forms.map((form) => form.length));
  return (text) => {
    if (text.length < shortest) return text;
    let result = text;
    for (const form of anywhere) {
      if (result.includes(form)) result = result.replaceAll(form, REDACTED);
    }
    for (const word of words) result = result.replace(word, REDACTED);
    return result;
  };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/**
 * An error as data: only the fields that an operator needs, without those that a library added. The cause
 * remains an error.
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

/** A person quotes the bank's reference of a transfer to the bank. */
function isBankReference(field: string, item: unknown): boolean {
  return (
    /(?:^|_)(?:utr|rrn|arn)$|U(?:tr|TR)$/.test(field) &&
    typeof item === "string" &&
    BANK_REFERENCE.test(item)
  );
}

const BANK_REFERENCE = /^[A-Z0-9]{10,22}$/;

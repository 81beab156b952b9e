import { invalid, Refusal } from "./errors.ts";

export type JsonObject = Record<string, unknown>;
export type Notes = Record<string, string>;

interface TextRule {
  /** Least number of characters; default 1. */
  min?: number;
  /** Greatest number of characters. */
  max?: number;
  pattern?: RegExp;
  oneOf?: readonly string[];
}

const MAX_NOTES = 15;
const MAX_NOTE_CHARACTERS = 256;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A request body. Throws a `Refusal` when it is not a JSON object. */
export function parseJsonObject(rawBody: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(rawBody);
  } catch {
    throw new Refusal(400, { description: "The request body is not valid JSON." });
  }
  if (!isJsonObject(value))
    throw new Refusal(400, { description: "The request body must be a JSON object." });
  return value;
}

/** Refuses a field that the API does not know, so that a misspelt one is never ignored in silence. */
export function allowOnly(body: JsonObject, known: readonly string[]): void {
  for (const field of Object.keys(body)) {
    if (!known.includes(field))
      throw invalid(field, `${field} is not required and should not be sent.`);
  }
}

export function requiredText(body: JsonObject, field: string, rule: TextRule): string {
  const value = optionalText(body, field, rule);
  if (value === null) throw invalid(field, `The ${field} field is required.`);
  return value;
}

/** The text, or null when the field is absent or null. Throws a `Refusal` when it breaks the rule. */
export function optionalText(body: JsonObject, field: string, rule: TextRule): string | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== "string") throw invalid(field, `The ${field} must be a string.`);
  const { min = 1, max = Infinity, pattern, oneOf } = rule;
  if (value.length < min)
    throw invalid(field, `The ${field} must be at least ${min} characters long.`);
  if (value.length > max)
    throw invalid(field, `The ${field} may not be longer than ${max} characters.`);
  if (pattern && !pattern.test(value)) throw invalid(field, `The ${field} format is invalid.`);
  if (oneOf && !oneOf.includes(value))
    throw invalid(field, `The ${field} must be one of: ${oneOf.join(", ")} (case-sensitive).`);
  return value;
}

/** An integer number of paise that JSON carries exactly. */
export function requiredPaise(body: JsonObject, field: string, leastPaise: number): number {
  const value = body[field];
  if (value === undefined || value === null)
    throw invalid(field, `The ${field} field is required.`);
  if (!Number.isSafeInteger(value))
    throw invalid(field, `The ${field} must be an integer, in paise.`);
  if (Number(value) < leastPaise)
    throw invalid(field, `The ${field} must be at least ${leastPaise} paise.`);
  return Number(value);
}

export function optionalBoolean(body: JsonObject, field: string): boolean | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value !== "boolean") throw invalid(field, `The ${field} must be true or false.`);
  return value;
}

export function requiredObject(body: JsonObject, field: string): JsonObject {
  const value = body[field];
  if (!isJsonObject(value)) throw invalid(field, `The ${field} field is required, as an object.`);
  return value;
}

/** At most 15 pairs of at most 256 characters. An empty array counts as none, as in the answers. */
export function optionalNotes(body: JsonObject): Notes {
  const value = body["notes"];
  if (value === undefined || value === null) return {};
  if (Array.isArray(value) && value.length === 0) return {};
  if (!isJsonObject(value)) throw invalid("notes", "The notes must be pairs of key and text.");
  const pairs = Object.entries(value);
  if (pairs.length > MAX_NOTES)
    throw invalid("notes", `The notes may not have more than ${MAX_NOTES} pairs.`);
  const notes: Notes = {};
  for (const [key, text] of pairs) {
    if (typeof text !== "string") throw invalid("notes", "Each value in notes must be a string.");
    if (key.length > MAX_NOTE_CHARACTERS || text.length > MAX_NOTE_CHARACTERS)
      throw invalid("notes", `A note may not be longer than ${MAX_NOTE_CHARACTERS} characters.`);
    notes[key] = text;
  }
  return notes;
}

/** The provider answers empty notes with an empty array, not with an empty object. */
export function notesJson(notes: Notes): Notes | [] {
  return Object.keys(notes).length === 0 ? [] : notes;
}

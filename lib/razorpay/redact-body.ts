import { REDACTED, withoutPersonalData } from "../support/personal-data.ts";
import type { Redactor } from "../support/redact.ts";
import type { JsonValue } from "../provider/json.ts";

/** Deeper than any answer of the provider; beyond it nothing is kept. */
const MAX_DEPTH = 24;

/** Details of a payee or a buyer and free text of anybody: gone as a whole, keys included. */
const NEVER_KEPT = new Set([
  "bank_account",
  "vpa",
  "upi",
  "card",
  "card_id",
  "token",
  "token_id",
  "wallet",
  "notes",
]);

/** Words from the provider's own vocabulary. */
const WORDS = new Set([
  "account_type",
  "code",
  "currency",
  "entity",
  "error_code",
  "error_reason",
  "error_source",
  "error_step",
  "fee_type",
  "field",
  "method",
  "mode",
  "purpose",
  "reason",
  "refund_status",
  "source",
  "speed_processed",
  "speed_requested",
  "status",
  "step",
  "type",
]);

/** References of a bank, by which a person traces a transfer: digits, as account numbers are. */
const REFERENCES = new Set(["arn", "rrn", "utr"]);

/** References of ours, which hold no long number. */
const OWN_REFERENCES = new Set(["receipt", "reference_id"]);

const SENTENCES = new Set(["description", "failure_reason"]);

const NUMBERS = new Set([
  "amount",
  "amount_due",
  "amount_paid",
  "amount_refunded",
  "attempts",
  "available_amount",
  "balance",
  "count",
  "credit",
  "debit",
  "fee",
  "fees",
  "skip",
  "tax",
]);

const KEY = /^[a-z_]{1,40}$/;
const PROVIDER_ID = /^[a-z]{2,12}_[A-Za-z0-9_]{1,40}$/;
const REFERENCE = /^[A-Za-z0-9_./-]{1,60}$/;
const WORD = /^[A-Za-z0-9_. [\]-]{1,80}$/;

/**
 * The provider's answer without personal data. Only harmless fields stay: ids, statuses, amounts, references,
 * error fields. All else becomes `[redacted]`, so that a new field of the provider does not leak.
 */
export function redactBody(body: JsonValue): JsonValue {
  return redact("", body, 0);
}

/** Free text without personal data, at most 300 characters. */
export function scrubText(text: string): string {
  return withoutPersonalData(beginning(text)).slice(0, LONGEST_TEXT);
}

/** A word of the provider's vocabulary, or `[redacted]` when it is anything else. */
export function scrubWord(text: string): string {
  return WORD.test(text) ? scrubText(text) : REDACTED;
}

/** A bank's reference, or `[redacted]` when it is anything else. */
export function scrubReference(text: string): string {
  return REFERENCE.test(text) ? text : REDACTED;
}

const LONGEST_TEXT = 300;
/** More than is kept, so that nothing is cut in two before it is recognised. */
const MOST_READ = 2_000;
/** The last characters that are read may be the first half of something. */
const UNSURE = 100;

/** As much of a text as is needed to keep some of it: the provider sets no limit. */
function beginning(text: string): string {
  if (text.length <= MOST_READ) return text;
  const blank = text.lastIndexOf(" ", MOST_READ - UNSURE);
  return blank < 0 ? REDACTED : text.slice(0, blank);
}

/** Our own account is compared with these; they are never kept. */
const COMPARED = new Set(["account_number", "debit_account_number"]);

/**
 * The provider's answer without the secrets of this run, which it may repeat to us; all that is read of an answer is
 * read of this.
 */
export function withoutSecrets(body: JsonValue, redactor: Redactor, depth = 0): JsonValue {
  if (typeof body === "string") return redactor.withoutSecrets(body);
  if (typeof body !== "object" || body === null) return body;
  if (depth >= MAX_DEPTH) return REDACTED;
  if (Array.isArray(body)) return body.map((item) => withoutSecrets(item, redactor, depth + 1));
  return Object.fromEntries(
    Object.entries(body).map(([key, value]) => [
      redactor.withoutSecrets(key),
      COMPARED.has(key) ? value : withoutSecrets(value, redactor, depth + 1),
    ]),
  );
}

function redact(key: string, value: JsonValue, depth: number): JsonValue {
  if (value === null || typeof value === "boolean") return value;
  if (NEVER_KEPT.has(key)) return REDACTED;
  if (typeof value === "number") return isKeptNumber(key) ? value : REDACTED;
  if (typeof value === "string") return redactText(key, value);
  if (depth >= MAX_DEPTH) return REDACTED;
  if (Array.isArray(value)) return value.map((item) => redact(key, item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      KEY.test(name) ? name : REDACTED,
      isOwnWords(value, name) ? REDACTED : redact(name, inner, depth + 1),
    ]),
  );
}

/** A record's description is free text of its maker; an error's is the provider's sentence. */
function isOwnWords(holder: { [key: string]: JsonValue }, name: string): boolean {
  return name === "description" && holder["entity"] !== undefined && holder[name] !== null;
}

function isKeptNumber(key: string): boolean {
  return NUMBERS.has(key) || key.endsWith("_at");
}

function redactText(key: string, text: string): string {
  if (WORDS.has(key)) return scrubWord(text);
  if (SENTENCES.has(key)) return scrubText(text);
  if (REFERENCES.has(key)) return scrubReference(text);
  if (OWN_REFERENCES.has(key)) return scrubText(scrubReference(text));
  if (key === "id" || key.endsWith("_id")) return PROVIDER_ID.test(text) ? text : REDACTED;
  return REDACTED;
}

import { createHash } from "node:crypto";
import { AfterhoursError } from "../support/errors.ts";
import type { Paise } from "../support/money.ts";
import { MINIMUM_PAYOUT_PAISE, type PayoutMode } from "./choose-mode.ts";
import type { JsonValue } from "./json.ts";
import { notesRules, sortedNotes } from "./notes.ts";

export interface PayoutDetails {
  /** Our own RazorpayX account, which pays. */
  accountNumber: string;
  /** `fa_…` of the payee. */
  fundAccountId: string;
  /** At least 100; fees and tax come on top. */
  amountPaise: Paise;
  mode: PayoutMode;
  /** 1 to 40 characters; by it an unknown outcome is looked up. */
  referenceId: string;
  /** 1 to 30 letters, digits and spaces: the payee reads it on the bank statement. */
  narration: string;
  /** At most 15 pairs of at most 256 characters each. */
  notes?: Record<string, string>;
}

export interface BuiltPayoutRequest {
  /** The exact text to send. */
  body: string;
  /** SHA-256, in hex, of the body's UTF-8 bytes. */
  hash: string;
  /** The same request with our account number masked, for the record. */
  maskedBody: JsonValue;
}

/**
 * The body of a payout. The same details always give the same bytes, for any order of the notes, because the
 * provider refuses a repeat whose body differs.
 *
 * `queue_if_low_balance` is always false: a payout that waits for money would be paid at a random time. On a
 * current account the provider may still queue it while a bank is down, for up to an hour. It is then in flight,
 * like any payout that is not final.
 *
 * @throws AfterhoursError `PAYOUT_REQUEST_INVALID` naming every field that breaks a rule of the provider, never
 * its value.
 */
export function buildPayoutRequest(details: PayoutDetails): BuiltPayoutRequest {
  const problems = problemsOf(details);
  if (problems.length > 0) {
    throw new AfterhoursError(
      "PAYOUT_REQUEST_INVALID",
      `The payout request can't be built: ${problems.join("; ")}.`,
    );
  }
  const masked: { [field: string]: JsonValue } = {
    account_number: "[redacted]",
    fund_account_id: details.fundAccountId,
    amount: Number(details.amountPaise),
    currency: "INR",
    mode: details.mode,
    purpose: "payout",
    queue_if_low_balance: false,
    reference_id: details.referenceId,
    narration: details.narration,
    ...(details.notes ? { notes: sortedNotes(details.notes) } : {}),
  };
  const body = JSON.stringify({ ...masked, account_number: details.accountNumber });
  return { body, hash: requestHash(body), maskedBody: masked };
}

/** SHA-256, in hex, of a request body's UTF-8 bytes. */
export function requestHash(body: string): string {
  return createHash("sha256").update(body, "utf8").digest("hex");
}

function problemsOf(details: PayoutDetails): string[] {
  const rules: [field: string, holds: boolean, expected: string][] = [
    [
      "accountNumber",
      /^[A-Za-z0-9]{5,35}$/.test(details.accountNumber),
      "5 to 35 letters and digits",
    ],
    ["fundAccountId", /^fa_[A-Za-z0-9]+$/.test(details.fundAccountId), "an id like fa_…"],
    ["amountPaise", isPayable(details.amountPaise), "at least 100 and an exact JSON number"],
    ["referenceId", /^[\x21-\x7e]{1,40}$/.test(details.referenceId), "1 to 40 visible characters"],
    [
      "narration",
      /^[a-zA-Z0-9 ]{1,30}$/.test(details.narration),
      "1 to 30 letters, digits and spaces",
    ],
    ...notesRules(details.notes ?? {}),
  ];
  return rules
    .filter(([, holds]) => !holds)
    .map(([field, , expected]) => `${field} must be ${expected}`);
}

function isPayable(amountPaise: Paise): boolean {
  return amountPaise >= MINIMUM_PAYOUT_PAISE && amountPaise <= BigInt(Number.MAX_SAFE_INTEGER);
}

import { AfterhoursError } from "../support/errors.ts";
import type { Paise } from "../support/money.ts";
import { notesRules, sortedNotes } from "./notes.ts";
import { RECEIPT_NOTE } from "./payments-entities.ts";
import { requestHash } from "./payout-request.ts";

/** The provider refunds nothing below ₹1. */
export const MINIMUM_REFUND_PAISE: Paise = 100n;

/** `optimum` is at once where the bank can (the provider charges for it), else as `normal`: 5 to 7 days. */
export type RefundSpeed = "normal" | "optimum";

export interface RefundDetails {
  /** At least 100. All refunds of a payment together are at most the captured amount. */
  amountPaise: Paise;
  /**
   * 1 to 40 characters; by it an unknown outcome is looked up. One per attempt: the provider refuses a
   * receipt that an earlier refund of the same payment bears. UNVERIFIED: its greatest length; 40 is
   * that of an order's receipt.
   */
  receipt: string;
  /**
   * At most 14 pairs of at most 256 characters each: the 15th is `receipt`, which `bearsReceipt` reads.
   */
  notes?: Record<string, string>;
  speed: RefundSpeed;
}

export interface BuiltRefundRequest {
  /** The exact text to send. It holds nothing to mask. */
  body: string;
  /** SHA-256, in hex, of the body's UTF-8 bytes. */
  hash: string;
}

/**
 * The body of a refund. The same details always give the same bytes, for any order of the notes, because the
 * provider refuses a repeat whose body differs.
 *
 * @throws AfterhoursError `REFUND_REQUEST_INVALID` naming every field that breaks a rule of the provider, never
 * its value.
 */
export function buildRefundRequest(details: RefundDetails): BuiltRefundRequest {
  const notes = { ...details.notes, [RECEIPT_NOTE]: details.receipt };
  const problems = problemsOf(details, notes);
  if (problems.length > 0) {
    throw new AfterhoursError(
      "REFUND_REQUEST_INVALID",
      `The refund request can't be built: ${problems.join("; ")}.`,
    );
  }
  const body = JSON.stringify({
    amount: Number(details.amountPaise),
    speed: details.speed,
    receipt: details.receipt,
    notes: sortedNotes(notes),
  });
  return { body, hash: requestHash(body) };
}

function problemsOf(details: RefundDetails, notes: Record<string, string>): string[] {
  const { amountPaise, receipt } = details;
  const ownNote = details.notes?.[RECEIPT_NOTE];
  const rules: [field: string, holds: boolean, expected: string][] = [
    [
      "amountPaise",
      amountPaise >= MINIMUM_REFUND_PAISE && amountPaise <= BigInt(Number.MAX_SAFE_INTEGER),
      "at least 100 and an exact JSON number",
    ],
    ["receipt", /^[\x21-\x7e]{1,40}$/.test(receipt), "1 to 40 visible characters"],
    [
      "notes",
      ownNote === undefined || ownNote === receipt,
      `without another text under ${RECEIPT_NOTE}`,
    ],
    ...notesRules(notes),
  ];
  return rules
    .filter(([, holds]) => !holds)
    .map(([field, , expected]) => `${field} must be ${expected}`);
}

import type { Contact, ContactDetails } from "./contacts.ts";
import { parseContact } from "./contacts.ts";
import { invalid } from "./errors.ts";
import type { PayoutMode } from "./fees.ts";
import { AMOUNT_LIMITS_PAISE, PAYOUT_MODES } from "./fees.ts";
import type { JsonObject, Notes } from "./fields.ts";
import {
  allowOnly,
  optionalBoolean,
  optionalNotes,
  optionalText,
  requiredObject,
  requiredPaise,
  requiredText,
} from "./fields.ts";
import type { FundAccount, FundAccountDetails } from "./fund-accounts.ts";
import { parseFundAccountDetails } from "./fund-accounts.ts";

/** A request for a payout that keeps every documented rule. */
export interface PayoutRequest {
  payee: Payee;
  amountPaise: number;
  mode: PayoutMode;
  purpose: string;
  queueIfLowBalance: boolean;
  referenceId: string | null;
  narration: string | null;
  notes: Notes;
}

/** A fund account made before, or one that the request itself describes (the composite form). */
export type Payee =
  | { form: "existing"; fundAccount: FundAccount }
  | { form: "composite"; contact: ContactDetails | Contact; details: FundAccountDetails };

export interface PayoutRequestContext {
  /** The only account that money can leave from. */
  accountNumber: string;
  fundAccount: (id: string) => FundAccount | undefined;
  contact: (id: string) => Contact | undefined;
}

const FIELDS = [
  "account_number",
  "fund_account_id",
  "fund_account",
  "amount",
  "currency",
  "mode",
  "purpose",
  "queue_if_low_balance",
  "reference_id",
  "narration",
  "notes",
] as const;

const PURPOSES = ["refund", "cashback", "payout", "salary", "utility bill", "vendor bill"] as const;

/** Throws a `Refusal` that names the first field at fault. */
export function parsePayoutRequest(body: JsonObject, context: PayoutRequestContext): PayoutRequest {
  allowOnly(body, FIELDS);
  if (requiredText(body, "account_number", {}) !== context.accountNumber)
    throw invalid(
      "account_number",
      "The account_number is not an account of this business: send your own, not the payee's.",
    );
  const payee = parsePayee(body, context);
  const amountPaise = requiredPaise(body, "amount", 100);
  requiredText(body, "currency", { oneOf: ["INR"] });
  const mode = parseMode(body, payee);
  checkLimits(mode, amountPaise);
  return {
    payee,
    amountPaise,
    mode,
    purpose: requiredText(body, "purpose", { oneOf: PURPOSES }),
    queueIfLowBalance: optionalBoolean(body, "queue_if_low_balance") ?? false,
    referenceId: optionalText(body, "reference_id", { max: 40 }),
    narration: optionalText(body, "narration", { max: 30, pattern: /^[a-zA-Z0-9 ]+$/ }),
    notes: optionalNotes(body),
  };
}

function parsePayee(body: JsonObject, context: PayoutRequestContext): Payee {
  if (body["fund_account"] !== undefined) {
    if (body["fund_account_id"] !== undefined)
      throw invalid("fund_account_id", "Send fund_account_id or fund_account, not both.");
    return parseCompositePayee(requiredObject(body, "fund_account"), context);
  }
  const id = requiredText(body, "fund_account_id", {});
  const fundAccount = context.fundAccount(id);
  if (!fundAccount) throw invalid("fund_account_id", "The id provided does not exist");
  if (!fundAccount.active || !fundAccount.contact.active)
    throw invalid("fund_account_id", "The fund account or its contact is not active.");
  return { form: "existing", fundAccount };
}

function parseCompositePayee(nested: JsonObject, context: PayoutRequestContext): Payee {
  allowOnly(nested, ["account_type", "bank_account", "vpa", "contact", "contact_id"]);
  const details = parseFundAccountDetails(nested);
  if (nested["contact_id"] === undefined)
    return {
      form: "composite",
      contact: parseContact(requiredObject(nested, "contact")),
      details,
    };
  const contact = context.contact(requiredText(nested, "contact_id", {}));
  if (!contact?.active)
    throw invalid("contact_id", "The id provided does not exist or is not active.");
  return { form: "composite", contact, details };
}

function parseMode(body: JsonObject, payee: Payee): PayoutMode {
  const text = requiredText(body, "mode", { oneOf: PAYOUT_MODES });
  const mode = PAYOUT_MODES.find((known) => known === text) ?? "IMPS";
  const kind = payee.form === "existing" ? payee.fundAccount.details.kind : payee.details.kind;
  if ((mode === "UPI") !== (kind === "vpa"))
    throw invalid("mode", `The mode ${mode} cannot pay a fund account of type ${kind}.`);
  return mode;
}

function checkLimits(mode: PayoutMode, amountPaise: number): void {
  const { least, most } = AMOUNT_LIMITS_PAISE[mode];
  if (amountPaise < least)
    throw invalid("amount", `The least amount of ${mode} is ${least} paise.`);
  if (amountPaise > most)
    throw invalid(
      "amount",
      `The greatest amount of ${mode} is ${most} paise.`,
      "transaction_limit_exceeded",
    );
}

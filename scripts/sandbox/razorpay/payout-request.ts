import { invalid } from "./errors.ts";
import type { PayoutMode } from "./fees.ts";
import { AMOUNT_LIMITS_PAISE, PAYOUT_MODES } from "./fees.ts";
import type { JsonObject, Notes } from "./fields.ts";
import {
  allowOnly,
  optionalBoolean,
  optionalNotes,
  optionalText,
  requiredPaise,
  requiredText,
} from "./fields.ts";
import type { FundAccount } from "./fund-accounts.ts";

/** A request for a payout that keeps every documented rule. */
export interface PayoutRequest {
  fundAccount: FundAccount;
  amountPaise: number;
  mode: PayoutMode;
  purpose: string;
  queueIfLowBalance: boolean;
  referenceId: string | null;
  narration: string | null;
  notes: Notes;
}

export interface PayoutRequestContext {
  /** The only account that money can leave from. */
  accountNumber: string;
  fundAccount: (id: string) => FundAccount | undefined;
}

const FIELDS = [
  "account_number",
  "fund_account_id",
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
  const fundAccount = parsePayee(body, context);
  const amountPaise = requiredPaise(body, "amount", 100);
  requiredText(body, "currency", { oneOf: ["INR"] });
  const mode = parseMode(body, fundAccount);
  checkLimits(mode, amountPaise);
  return {
    fundAccount,
    amountPaise,
    mode,
    purpose: requiredText(body, "purpose", { oneOf: PURPOSES }),
    queueIfLowBalance: optionalBoolean(body, "queue_if_low_balance") ?? false,
    referenceId: optionalText(body, "reference_id", { max: 40 }),
    narration: optionalText(body, "narration", { max: 30, pattern: /^[a-zA-Z0-9 ]+$/ }),
    notes: optionalNotes(body),
  };
}

function parsePayee(body: JsonObject, context: PayoutRequestContext): FundAccount {
  const fundAccount = context.fundAccount(requiredText(body, "fund_account_id", {}));
  if (!fundAccount) throw invalid("fund_account_id", "The id provided does not exist");
  if (!fundAccount.active || !fundAccount.contact.active)
    throw invalid("fund_account_id", "The fund account or its contact is not active.");
  return fundAccount;
}

function parseMode(body: JsonObject, { details: { kind } }: FundAccount): PayoutMode {
  const text = requiredText(body, "mode", { oneOf: PAYOUT_MODES });
  const mode = PAYOUT_MODES.find((known) => known === text) ?? "IMPS";
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

import * as z from "zod";
import {
  type Balance,
  type Contact,
  type FundAccount,
  PROVIDER_PAYOUT_STATUSES,
  type ProviderPayout,
  type ProviderPayoutStatus,
  type Transaction,
} from "../provider/entities.ts";
import {
  amountPaise,
  anyDetail,
  id,
  instant,
  listReader,
  type Reader,
  reader,
  rupeesOnly,
  signedPaise,
  text,
} from "./reading.ts";
import { scrubReference, scrubText, scrubWord } from "./redact-body.ts";

/** A word of the provider's vocabulary, which is kept and shown. */
const word = anyDetail.transform((value) => (value === null ? null : scrubWord(value)));

const explanation = z.object({ reason: word, source: word }).nullish().catch(null);

const rawPayout = z.object({
  id,
  status: z.string().min(1),
  amount: amountPaise,
  currency: rupeesOnly,
  fees: amountPaise.nullish().catch(null),
  tax: amountPaise.nullish().catch(null),
  utr: anyDetail.transform((value) => (value === null ? null : scrubReference(value))),
  mode: word,
  reference_id: text,
  fund_account_id: id.nullish().catch(null),
  status_details: explanation,
  // Deprecated, and still sent by accounts that were never moved to `status_details`.
  error: explanation,
  failure_reason: anyDetail,
  created_at: instant,
  purpose: word,
  debit_account_number: anyDetail,
});

function payout(payoutAccountNumber: string): z.ZodType<ProviderPayout> {
  return rawPayout.transform((raw): ProviderPayout => ({
    id: raw.id,
    status: knownStatus(raw.status),
    statusText: scrubWord(raw.status),
    amountPaise: raw.amount,
    feesPaise: raw.fees ?? null,
    feesTaxPaise: raw.tax ?? null,
    utr: raw.utr,
    mode: raw.mode,
    referenceId: raw.reference_id,
    fundAccountId: raw.fund_account_id ?? null,
    statusReason:
      raw.status_details?.reason ?? raw.error?.reason ?? reasonWord(raw.failure_reason) ?? null,
    statusSource: raw.status_details?.source ?? raw.error?.source ?? null,
    createdAt: raw.created_at,
    purpose: raw.purpose,
    debitedElsewhere:
      raw.debit_account_number !== null && raw.debit_account_number !== payoutAccountNumber,
  }));
}

/** Without a word it is active: the provider marks records that are switched off. */
const isActive = z
  .boolean()
  .nullish()
  .transform((active) => active ?? true);

const contact = z
  .object({
    id,
    type: text.catch(null),
    reference_id: text,
    active: isActive,
  })
  .transform((raw): Contact => ({
    id: raw.id,
    type: raw.type,
    referenceId: raw.reference_id,
    active: raw.active,
  }));

const fundAccount = z
  .object({
    id,
    contact_id: id,
    account_type: anyDetail,
    active: isActive,
  })
  .transform((raw): FundAccount => ({
    id: raw.id,
    contactId: raw.contact_id,
    kind: raw.account_type,
    active: raw.active,
  }));

const transaction = z
  .object({
    id,
    amount: amountPaise,
    currency: rupeesOnly,
    credit: amountPaise,
    debit: amountPaise,
    balance: signedPaise.nullish().catch(null),
    source: z
      .object({ id, entity: z.string(), payout_id: id.nullish().catch(null) })
      .nullish()
      .catch(null),
    created_at: instant,
  })
  .transform((raw): Transaction => ({
    id: raw.id,
    amountPaise: raw.amount,
    creditPaise: raw.credit,
    debitPaise: raw.debit,
    balancePaise: raw.balance ?? null,
    source: raw.source ? { id: raw.source.id, entity: raw.source.entity } : null,
    payoutId: payoutOf(raw.source ?? null),
    createdAt: raw.created_at,
  }));

function payoutOf(
  source: { id: string; entity: string; payout_id?: string | null | undefined } | null,
): string | null {
  if (source?.entity === "payout") return source.id;
  return source?.payout_id ?? null;
}

function balance(payoutAccountNumber: string): z.ZodType<Balance> {
  return z
    .object({
      account_number: z.string(),
      account_type: text.catch(null),
      currency: rupeesOnly,
      amount: signedPaise,
      available_amount: signedPaise.nullish(),
      refreshed_at: instant.nullish().catch(null),
    })
    .transform((raw): Balance => ({
      isPayoutAccount: raw.account_number === payoutAccountNumber,
      accountType: raw.account_type,
      amountPaise: raw.amount,
      availablePaise: raw.available_amount ?? raw.amount,
      refreshedAt: raw.refreshed_at ?? null,
    }));
}

export const readContact: Reader<Contact> = reader(contact);
export const readFundAccount: Reader<FundAccount> = reader(fundAccount);
export const readTransactions: Reader<Transaction[]> = listReader(transaction);

export function payoutReader(payoutAccountNumber: string): Reader<ProviderPayout> {
  return reader(payout(payoutAccountNumber));
}

export function payoutsReader(payoutAccountNumber: string): Reader<ProviderPayout[]> {
  return listReader(payout(payoutAccountNumber));
}

export function balancesReader(payoutAccountNumber: string): Reader<Balance[]> {
  return listReader(balance(payoutAccountNumber));
}

/** The older sentence as a word by which failures can be counted, without possible personal data. */
function reasonWord(sentence: string | null): string | null {
  if (sentence === null) return null;
  const word = scrubText(sentence)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_|_$/g, "")
    .slice(0, LONGEST_REASON);
  return word === "" ? null : word;
}

const LONGEST_REASON = 60;

function knownStatus(word: string): ProviderPayoutStatus {
  return PROVIDER_PAYOUT_STATUSES.find((status) => status === word) ?? "unrecognised";
}

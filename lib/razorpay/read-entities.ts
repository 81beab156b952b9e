import * as z from "zod";
import {
  type Balance,
  type Contact,
  type FundAccount,
  PROVIDER_PAYOUT_STATUSES,
  type ProviderPayout,
  type ProviderPayoutStatus,
  type Transaction,
} from "./entities.ts";
import {
  amountPaise,
  id,
  instant,
  listReader,
  type Reader,
  reader,
  rupeesOnly,
  signedPaise,
  text,
} from "./reading.ts";

const rawPayout = z.object({
  id,
  status: z.string().min(1),
  amount: amountPaise,
  currency: rupeesOnly,
  fees: amountPaise.nullish().catch(null),
  tax: amountPaise.nullish().catch(null),
  utr: text.catch(null),
  mode: z.string(),
  reference_id: text,
  fund_account_id: id,
  status_details: z
    .object({ reason: text.catch(null), source: text.catch(null) })
    .nullish()
    .catch(null),
  created_at: instant,
  purpose: text.catch(null),
  debit_account_number: text.catch(null),
});

function payout(payoutAccountNumber: string): z.ZodType<ProviderPayout> {
  return rawPayout.transform((raw): ProviderPayout => ({
    id: raw.id,
    status: knownStatus(raw.status),
    statusText: raw.status,
    amountPaise: raw.amount,
    feesPaise: raw.fees ?? null,
    feesTaxPaise: raw.tax ?? null,
    utr: raw.utr,
    mode: raw.mode,
    referenceId: raw.reference_id,
    fundAccountId: raw.fund_account_id,
    statusReason: raw.status_details?.reason ?? null,
    statusSource: raw.status_details?.source ?? null,
    createdAt: raw.created_at,
    purpose: raw.purpose,
    debitedElsewhere:
      raw.debit_account_number !== null && raw.debit_account_number !== payoutAccountNumber,
  }));
}

const contact = z
  .object({
    id,
    type: text.catch(null),
    reference_id: text,
    active: z.boolean().default(true),
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
    account_type: z.string(),
    active: z.boolean().default(true),
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

function knownStatus(word: string): ProviderPayoutStatus {
  return PROVIDER_PAYOUT_STATUSES.find((status) => status === word) ?? "unrecognised";
}

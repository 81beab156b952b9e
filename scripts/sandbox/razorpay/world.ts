import type { Clock } from "../../../lib/support/clock.ts";
import type { Account } from "./account.ts";
import { createAccount } from "./account.ts";
import type { Contacts } from "./contacts.ts";
import { createContacts, parseContact } from "./contacts.ts";
import type { Disputes } from "./disputes.ts";
import { createDisputes } from "./disputes.ts";
import type { FundAccounts } from "./fund-accounts.ts";
import { createFundAccounts, parseFundAccountDetails } from "./fund-accounts.ts";
import type { IdempotencyKeys } from "./idempotency.ts";
import { createIdempotencyKeys, PAYOUT_KEY_HEADER, REFUND_KEY_HEADER } from "./idempotency.ts";
import type { Ids } from "./ids.ts";
import type { Orders } from "./orders.ts";
import { createOrders } from "./orders.ts";
import type { Payments } from "./payments.ts";
import { createPayments } from "./payments.ts";
import type { Payout } from "./payout-book.ts";
import type { Payouts } from "./payouts.ts";
import { createPayouts } from "./payouts.ts";
import type { Refund, Refunds } from "./refunds.ts";
import { createRefunds } from "./refunds.ts";

/** How the imitated account behaves from its start to its end. */
export interface WorldSettings {
  accountNumber: string;
  openingPaise: number;
  settleAfterMs: number;
  refusalUsesKey: boolean;
  conflictStatus: 400 | 409;
  refundConflictStatus: 400 | 409;
  accountKind: "lite" | "current";
  clock: Clock;
  ids: Ids;
}

/** Everything that the provider would know. It lives in memory and is gone with the process. */
export interface World {
  readonly settings: WorldSettings;
  readonly account: Account;
  readonly contacts: Contacts;
  readonly fundAccounts: FundAccounts;
  readonly payouts: Payouts;
  readonly keys: IdempotencyKeys<Payout>;
  /** Payments of buyers less refunds, apart from the RazorpayX account. */
  readonly paymentsAccount: Account;
  readonly orders: Orders;
  readonly payments: Payments;
  readonly refunds: Refunds;
  readonly disputes: Disputes;
  readonly refundKeys: IdempotencyKeys<Refund>;
}

export function createWorld(settings: WorldSettings): World {
  const account = createAccount(settings);
  const paymentsAccount = createAccount({ ...settings, openingPaise: 0 });
  const payments = createPayments({ ...settings, account: paymentsAccount });
  const contacts = createContacts(settings);
  const fundAccounts = createFundAccounts(settings);
  const feesPayee = () => {
    const contact = contacts.create(parseContact({ name: "Provider", type: "vendor" }));
    const bank_account = { name: "Provider", ifsc: "RATN0000001", account_number: "1000000001" };
    const details = parseFundAccountDetails({ account_type: "bank_account", bank_account });
    return fundAccounts.create(contact, details);
  };
  return {
    settings,
    account,
    contacts,
    fundAccounts,
    payouts: createPayouts({ ...settings, account, feesPayee }),
    keys: createIdempotencyKeys<Payout>({ ...settings, header: PAYOUT_KEY_HEADER }),
    paymentsAccount,
    orders: createOrders(settings),
    payments,
    refunds: createRefunds({ ...settings, account: paymentsAccount, payments }),
    disputes: createDisputes({ ...settings, account: paymentsAccount }),
    refundKeys: createIdempotencyKeys<Refund>({
      ...settings,
      header: REFUND_KEY_HEADER,
      conflictStatus: settings.refundConflictStatus,
    }),
  };
}

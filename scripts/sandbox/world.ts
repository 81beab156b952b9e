import type { Clock } from "../../lib/support/clock.ts";
import type { Account } from "./account.ts";
import { createAccount } from "./account.ts";
import type { Contacts } from "./contacts.ts";
import { createContacts } from "./contacts.ts";
import type { FundAccounts } from "./fund-accounts.ts";
import { createFundAccounts } from "./fund-accounts.ts";
import type { IdempotencyKeys } from "./idempotency.ts";
import { createIdempotencyKeys } from "./idempotency.ts";
import type { Ids } from "./ids.ts";
import type { Payouts } from "./payouts.ts";
import { createPayouts } from "./payouts.ts";

/** How the imitated account behaves from its start to its end. */
export interface WorldSettings {
  accountNumber: string;
  openingPaise: number;
  settleAfterMs: number;
  refusalUsesKey: boolean;
  conflictStatus: 400 | 409;
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
  readonly keys: IdempotencyKeys;
}

export function createWorld(settings: WorldSettings): World {
  const account = createAccount(settings);
  return {
    settings,
    account,
    contacts: createContacts(settings),
    fundAccounts: createFundAccounts(settings),
    payouts: createPayouts({ ...settings, account }),
    keys: createIdempotencyKeys(settings),
  };
}

import type { Account } from "./account.ts";
import type { Ids } from "./ids.ts";

export type BalanceChange = { balancePaise: number } | { addPaise: number };

/** Sets a balance or adds to it, in paise. Throws a RangeError when it would not be a whole number from zero. */
export function changeBalance(account: Account, change: BalanceChange, ids: Ids): void {
  const { balancePaise } = account.summary();
  const wantedPaise =
    "balancePaise" in change ? change.balancePaise : balancePaise + change.addPaise;
  if (!Number.isSafeInteger(wantedPaise) || wantedPaise < 0)
    throw new RangeError("a balance is a whole number of paise, zero or more");
  const addedPaise = wantedPaise - balancePaise;
  if (addedPaise > 0) {
    const id = ids.next("bt");
    account.credit(addedPaise, () => ({ id, entity: "bank_transfer", amount: addedPaise }));
  }
  if (addedPaise < 0) {
    const id = ids.next("adj");
    account.debit(-addedPaise, () => ({ id, entity: "adjustment", amount: -addedPaise }));
  }
}

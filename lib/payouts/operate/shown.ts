import type { DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { formatRupees } from "../../support/money.ts";
import type { Refusal } from "./change.ts";
import type { LockedPayout } from "./locked-payout.ts";

/** The payout as a person saw it before approving. */
export interface Shown {
  amountPaise: Paise;
  sales: number;
  /** The payee's active account; null: none. */
  accountId: string | null;
}

/** Whether the approval that was just given is for the account that was shown: another may have been placed meanwhile. */
export async function isBoundTo(
  tx: DbSession,
  payoutId: string,
  accountId: string | null,
): Promise<boolean> {
  const [bound] = await tx.query<{ accountId: string | null }[]>`
    SELECT approved_account_id AS "accountId" FROM payouts WHERE id = ${payoutId}::uuid`;
  return bound?.accountId === accountId;
}

/** A refusal when the payout differs from the shown one. The payout is locked. */
export async function changedSinceShown(
  tx: DbSession,
  payout: LockedPayout,
  shown: Shown,
): Promise<Refusal | undefined> {
  const [now] = await tx.query<Omit<Shown, "amountPaise">[]>`
    SELECT (SELECT count(*)::int FROM payout_items
            WHERE payout_id = ${payout.id}::uuid AND released_at IS NULL) AS sales,
           (SELECT id FROM payout_accounts
            WHERE consultant_id = ${payout.consultantId}::uuid AND active) AS "accountId"`;
  const changes = [
    ...(payout.amountPaise === shown.amountPaise
      ? []
      : [
          `the amount is ${formatRupees(payout.amountPaise)}, not ${formatRupees(shown.amountPaise)}`,
        ]),
    ...(now?.sales === shown.sales ? [] : [`it has ${now?.sales ?? 0} sales, not ${shown.sales}`]),
    ...(now?.accountId === shown.accountId ? [] : ["the payee's account is another one"]),
  ];
  if (changes.length === 0) return undefined;
  return {
    code: "CHANGED_SINCE_SHOWN",
    message: `it changed after it was shown: ${changes.join(", ")}`,
    remedy: "Look at `payouts list` again, then approve the correct payouts.",
  };
}

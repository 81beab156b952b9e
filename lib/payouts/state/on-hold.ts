import { sql, type DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { REFUSED_ACCOUNT } from "./account-holds.ts";

/**
 * Every open hold, as `consultant_id` and `kind`: these consultants are not paid. This is the only list of
 * reasons that keep a payee from being paid; add another kind of hold here. `refused_account` is a hold of the
 * active account. Read from the open holds, which are few; read from the accounts, it costs 13 ms for 100,000.
 */
export const OPEN_HOLDS = sql`
  SELECT consultant_id, kind::text AS kind FROM consultant_holds WHERE released_at IS NULL
  UNION ALL
  SELECT DISTINCT account.consultant_id, 'refused_account'
  FROM payout_account_holds AS refused
  JOIN payout_accounts AS same ON same.id = refused.payout_account_id
  JOIN payout_accounts AS account ON account.consultant_id = same.consultant_id AND account.active
    AND (same.kind, same.ifsc, same.account_number, same.vpa)
      IS NOT DISTINCT FROM (account.kind, account.ifsc, account.account_number, account.vpa)
  WHERE refused.released_at IS NULL`;

/** Whether the payee of a row of `payouts` is on hold. IN, because the holds are then read once for all rows. */
export const IS_HELD = sql`
  payouts.consultant_id IN (SELECT hold.consultant_id FROM (${OPEN_HOLDS}) AS hold)`;

/** The reason that a run gives for a payout that waits for the release of a hold. */
export const ON_HOLD = "ON_HOLD";

/** A payout that is not sent while its payee is on hold. */
export interface HeldPayout {
  id: string;
  consultantRef: string;
  /** Kinds of the open holds. */
  holds: readonly string[];
}

/** A run's message about a held payout. */
export function heldMessage({ consultantRef, holds }: Omit<HeldPayout, "id">): string {
  return `consultant ${consultantRef} is on hold (${holds.join(", ")}); nothing is sent until ${holdEnds(holds)}`;
}

const NEW_ACCOUNT = "another account of the payee is imported with --update-accounts";

/** The action that ends these holds: a release does not correct a refused account. */
export function holdEnds(holds: readonly string[]): string {
  const isRefused = holds.includes(REFUSED_ACCOUNT);
  if (!isRefused) return "the hold is released";
  return holds.length === 1 ? NEW_ACCOUNT : `the hold is released and ${NEW_ACCOUNT}`;
}

/** The action of a person about holds of several kinds. */
export const HOLD_REMEDY =
  "Release the hold (npm run payouts -- release). Where the account was refused (refused_account), get another account from the payee instead, and import it with --update-accounts.";

/**
 * Makes new holds of these payouts' payees wait until the transaction ends. Placing a hold takes the same lock,
 * in a trigger. So a hold is either committed before the claim, which then sees it, or it waits for the claim
 * and counts the payout as in processing. A separate statement, before the one that reads holds. The lock is a
 * row of `payee_locks`, which readers cannot lock. It is not the consultant's row, which stores the provider's
 * contact meanwhile.
 */
export async function lockAgainstHolds(tx: DbSession, payoutIds: readonly string[]): Promise<void> {
  await tx.query`
    SELECT share_payee_lock(consultant_id)::text FROM (
      SELECT DISTINCT consultant_id FROM payouts WHERE id = ANY(${payoutIds}::uuid[])) AS payee`;
}

/** Those of the payouts whose payee is on hold, by id. */
export async function heldAmong(
  db: DbSession,
  payoutIds: readonly string[],
): Promise<ReadonlyMap<string, HeldPayout>> {
  if (payoutIds.length === 0) return new Map();
  const rows = await db.query<HeldPayout[]>`
    SELECT payouts.id, consultant.external_ref AS "consultantRef",
           array_agg(hold.kind ORDER BY hold.kind) AS holds
    FROM payouts
    JOIN consultants AS consultant ON consultant.id = payouts.consultant_id
    JOIN (${OPEN_HOLDS}) AS hold ON hold.consultant_id = payouts.consultant_id
    WHERE payouts.id = ANY(${payoutIds}::uuid[])
    GROUP BY payouts.id, consultant.id`;
  return new Map(rows.map((held) => [held.id, held]));
}

/** Payouts of one kind of payee that would be due but for a hold. */
export interface HeldDue {
  count: number;
  totalPaise: Paise;
  /** The first of them. */
  payouts: readonly HeldPayout[];
}

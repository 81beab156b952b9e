import type { DbSession } from "../../db/client.ts";
import { isUuid } from "../../support/uuid.ts";

/**
 * The payees of payouts by the codes that finance knows them by, as `C-7` or `C-7 for ORG-2`. Ids that are none of
 * ours are left out.
 */
async function payeeRefs(
  db: DbSession,
  payoutIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(payoutIds)].filter(isUuid);
  if (ids.length === 0) return new Map();
  const rows = await db.query<{ payoutId: string; payee: string }[]>`
    SELECT payout.id AS "payoutId",
           consultant.external_ref || COALESCE(' for ' || organization.external_ref, '') AS payee
    FROM payouts AS payout JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    LEFT JOIN organizations AS organization ON organization.id = payout.organization_id
    WHERE payout.id = ANY(${ids}::uuid[])`;
  return new Map(rows.map(({ payoutId, payee }) => [payoutId, payee]));
}

/**
 * Writes each item's payee beside it, for the reader of the report. An unreachable database leaves the ids: the
 * report is worth more.
 */
export async function namePayees(
  db: DbSession,
  items: readonly { payoutId: string; payee?: string }[],
): Promise<void> {
  const refs = await payeeRefs(
    db,
    items.map(({ payoutId }) => payoutId),
  ).catch(() => undefined);
  for (const item of items) {
    const payee = refs?.get(item.payoutId);
    if (payee !== undefined) item.payee = payee;
  }
}

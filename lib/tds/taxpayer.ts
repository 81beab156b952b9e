import { sql, type DbSession, type SqlPart } from "../db/client.ts";

/**
 * SQL: the person taxed by a row of `payouts`, as one consultant's id. That is the first consultant with the
 * payee's PAN, or the payee without a PAN. No PAN leaves the database for this.
 */
export const TAXPAYER_OF_PAYOUT: SqlPart = sql`
  COALESCE(
    (SELECT same.consultant_id
     FROM tax_profiles AS own JOIN tax_profiles AS same ON same.pan = own.pan
     WHERE own.consultant_id = payouts.consultant_id
     ORDER BY same.consultant_id LIMIT 1),
    payouts.consultant_id)`;

/** For each given consultant, all consultants that are the same person for tax: at least itself. */
export async function readTaxpayers(
  db: DbSession,
  consultantIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db.query<{ consultantId: string; memberId: string }[]>`
    SELECT own.consultant_id AS "consultantId", same.consultant_id AS "memberId"
    FROM tax_profiles AS own JOIN tax_profiles AS same ON same.pan = own.pan
    WHERE own.consultant_id = ANY(${consultantIds}::uuid[])
    ORDER BY own.consultant_id, same.consultant_id`;
  const members = new Map<string, string[]>();
  for (const { consultantId, memberId } of rows) {
    const known = members.get(consultantId);
    if (known) known.push(memberId);
    else members.set(consultantId, [memberId]);
  }
  return new Map(consultantIds.map((id) => [id, members.get(id) ?? [id]]));
}

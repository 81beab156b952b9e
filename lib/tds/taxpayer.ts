import { sql, type DbSession, type SqlPart } from "../db/client.ts";

/**
 * SQL: the person taxed for a consultant, as one consultant's id: the first of all who have the same PAN, the
 * consultant itself where there is no PAN. A PAN never leaves the database for it.
 */
export function taxpayerOf(consultantId: SqlPart): SqlPart {
  return sql`COALESCE(
    (SELECT same.consultant_id
     FROM tax_profiles AS own JOIN tax_profiles AS same ON same.pan = own.pan
     WHERE own.consultant_id = ${consultantId}
     ORDER BY same.consultant_id LIMIT 1),
    ${consultantId})`;
}

/** The consultants who are one person for the tax, by each consultant that was asked for: at least itself. */
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

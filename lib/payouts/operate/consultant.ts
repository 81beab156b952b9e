import type { DbSession } from "../../db/client.ts";

export interface ConsultantName {
  id: string;
  /** As the marketplace or the finance export names the consultant. */
  ref: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The consultant with this id, else with this external reference. */
export async function findConsultant(
  db: DbSession,
  idOrRef: string,
): Promise<ConsultantName | undefined> {
  const id = isUuid(idOrRef) ? idOrRef : null;
  const [row] = await db.query<ConsultantName[]>`
    SELECT id, external_ref AS ref FROM consultants
    WHERE id = ${id}::uuid OR external_ref = ${idOrRef}
    ORDER BY (id = ${id}::uuid) DESC NULLS LAST
    LIMIT 1`;
  return row;
}

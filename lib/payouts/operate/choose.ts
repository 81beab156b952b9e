import type { DbSession } from "../../db/client.ts";
import { isUuid } from "./consultant.ts";
import { listPayouts, type ListedPayout } from "./list.ts";

/** Which payouts a person means to approve together. */
export type Choice =
  | { kind: "all" }
  /** Of one run of the batch, by its run id. */
  | { kind: "batch"; runId: string }
  /** Payouts' ids, or consultants' codes or ids, each with the line on which it stands. */
  | { kind: "named"; names: readonly { line: number; name: string }[] };

export interface Chosen {
  /** All are PENDING and no organization's. */
  payouts: ListedPayout[];
  /** Lines that name nothing that waits for approval: with one, the whole choice is wrong. */
  problems: string[];
}

const ALL = 1_000_000;

/** The PENDING payouts that a choice means, as they are now. Reads only. */
export async function choosePayouts(db: DbSession, choice: Choice): Promise<Chosen> {
  if (choice.kind !== "named") {
    const batch = choice.kind === "batch" ? choice.runId : undefined;
    const { payouts } = await listPayouts(db, {
      status: "PENDING",
      batch,
      organizations: false,
      limit: ALL,
    });
    return { payouts, problems: [] };
  }
  const byName = await payoutsByName(
    db,
    choice.names.map(({ name }) => name),
  );
  const problems = choice.names.flatMap(({ line, name }) => {
    const own = byName.get(name) ?? [];
    if (own.some(({ status }) => status === "PENDING")) return [];
    const status = own[0]?.status;
    if (status) return [`line ${line}: payout ${name} is ${status}, not PENDING`];
    const what = isUuid(name) ? "payout or consultant" : "consultant";
    return [`line ${line}: there is no ${what} ${name} with a payout that waits for approval`];
  });
  const ids = [...byName.values()]
    .flat()
    .flatMap(({ id, status }) => (status === "PENDING" ? [id] : []));
  const { payouts } = await listPayouts(db, {
    status: "PENDING",
    ids: [...new Set(ids)],
    organizations: false,
    limit: ALL,
  });
  return { payouts, problems };
}

interface NamedPayout {
  id: string;
  status: string;
}

/** By payout's id, else those that wait of the consultant with this code or id. */
async function payoutsByName(
  db: DbSession,
  names: readonly string[],
): Promise<Map<string, NamedPayout[]>> {
  const uuids = names.filter(isUuid);
  const byId = await db.query<NamedPayout[]>`
    SELECT id, status::text AS status FROM payouts
    WHERE id = ANY(${uuids}::uuid[]) AND organization_id IS NULL`;
  const waiting = await db.query<(NamedPayout & { ref: string; consultantId: string })[]>`
    SELECT payout.id, payout.status::text AS status, consultant.external_ref AS ref,
           consultant.id AS "consultantId"
    FROM consultants AS consultant JOIN payouts AS payout ON payout.consultant_id = consultant.id
    WHERE (consultant.external_ref = ANY(${names}::text[]) OR consultant.id = ANY(${uuids}::uuid[]))
      AND payout.status = 'PENDING' AND payout.organization_id IS NULL`;
  const found = new Map<string, NamedPayout[]>();
  const add = (name: string, payout: NamedPayout): void => {
    found.set(name, [...(found.get(name) ?? []), payout]);
  };
  for (const payout of byId) add(payout.id, payout);
  for (const payout of waiting) {
    add(payout.ref, payout);
    add(payout.consultantId, payout);
  }
  return new Map(
    names.map((name) => [name, found.get(name) ?? found.get(name.toLowerCase()) ?? []]),
  );
}

import type { DbSession } from "../../db/client.ts";
import { isUuid } from "./consultant.ts";
import { listPayouts, type ListedPayout } from "./list.ts";

/** Which payouts a person means to approve together. */
export type Choice =
  | { kind: "all" }
  /** Of one run of the batch, by its run id. */
  | { kind: "batch"; runId: string }
  /** Payouts' ids, or consultants' codes or ids, each with its line. */
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
    const { payouts: own, isConsultant } = byName.get(name) ?? NOTHING;
    if (own.some(({ status }) => status === "PENDING")) return [];
    const last = own[0];
    if (last && isConsultant) {
      return [
        `line ${line}: consultant ${name} has no payout that waits for approval; ` +
          `the last one, ${last.id}, is ${last.status}`,
      ];
    }
    if (last) return [`line ${line}: payout ${name} is ${last.status}, not PENDING`];
    if (isConsultant) return [`line ${line}: consultant ${name} has no payout`];
    const kind = isUuid(name) ? "payout or consultant" : "consultant";
    return [`line ${line}: there is no ${kind} ${name}`];
  });
  const ids = [...byName.values()]
    .flatMap(({ payouts: own }) => own)
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

interface Named {
  /** Of a consultant: those that wait, else the last one. */
  payouts: NamedPayout[];
  isConsultant: boolean;
}

const NOTHING: Named = { payouts: [], isConsultant: false };

/** By payout's id, else by the code or id of a consultant. */
async function payoutsByName(db: DbSession, names: readonly string[]): Promise<Map<string, Named>> {
  const uuids = names.filter(isUuid);
  const byId = await db.query<NamedPayout[]>`
    SELECT id, status::text AS status FROM payouts
    WHERE id = ANY(${uuids}::uuid[]) AND organization_id IS NULL`;
  const ofConsultants = await db.query<
    { ref: string; consultantId: string; id: string | null; status: string | null }[]
  >`
    SELECT consultant.external_ref AS ref, consultant.id AS "consultantId", payout.id, payout.status
    FROM consultants AS consultant
    LEFT JOIN LATERAL (
      SELECT id, status::text AS status,
             rank() OVER (ORDER BY (status = 'PENDING') DESC,
                                   CASE WHEN status <> 'PENDING' THEN created_at END DESC,
                                   CASE WHEN status <> 'PENDING' THEN id END) AS place
      FROM payouts
      WHERE consultant_id = consultant.id AND organization_id IS NULL
    ) AS payout ON payout.place = 1
    WHERE consultant.external_ref = ANY(${names}::text[]) OR consultant.id = ANY(${uuids}::uuid[])`;
  const found = new Map<string, Named>();
  const add = (name: string, payout: NamedPayout | undefined, isConsultant: boolean): void => {
    const known = found.get(name)?.payouts ?? [];
    found.set(name, { payouts: payout ? [...known, payout] : known, isConsultant });
  };
  for (const payout of byId) add(payout.id, payout, false);
  for (const { ref, consultantId, id, status } of ofConsultants) {
    const payout = id !== null && status !== null ? { id, status } : undefined;
    add(ref, payout, true);
    add(consultantId, payout, true);
  }
  return new Map(
    names.map((name) => [name, found.get(name) ?? found.get(name.toLowerCase()) ?? NOTHING]),
  );
}

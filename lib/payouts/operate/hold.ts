import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { REFUSED_ACCOUNT, releaseAccountHolds } from "../state/account-holds.ts";
import { OPEN_HOLDS } from "../state/on-hold.ts";
import type { Operator, Refusal } from "./change.ts";
import { findConsultant, type ConsultantName } from "./consultant.ts";

export type HoldKind = "open_dispute" | "unverified_account" | "suspended" | "manual";

export const HOLD_KINDS: readonly HoldKind[] = [
  "open_dispute",
  "unverified_account",
  "suspended",
  "manual",
];

/**
 * The kinds that can be released: a hold that a person placed, or that of an account which the provider refused.
 */
export type ReleasedKind = HoldKind | typeof REFUSED_ACCOUNT;

export const RELEASED_KINDS: readonly ReleasedKind[] = [...HOLD_KINDS, REFUSED_ACCOUNT];

/** How many unfinished payouts of a payee a hold reaches. */
export interface HoldReach {
  /** Due: APPROVED, or PENDING and an organization's. Not sent while the hold is open. */
  due: number;
  /** Waiting for approval, which the hold refuses. */
  pending: number;
  /** In processing: claimed before the hold. */
  processing: number;
  /** Of those in processing, in doubt: sent, or perhaps not. */
  inDoubt: number;
}

export type HoldChange =
  | {
      done: true;
      consultant: ConsultantName;
      kinds: readonly ReleasedKind[];
      reach: HoldReach;
      /** Kinds of the holds that are open after it. */
      open: readonly string[];
    }
  | { done: false; refusal: Refusal };

type Reasoned = Operator & { reason: string };

/**
 * Keeps a consultant from being paid until the release: no new payouts, and due ones wait. A claim at this
 * moment is before or after the hold, since both take the payee's lock. `reach` is counted after that lock, so
 * that a payout claimed before is among those in processing.
 */
export async function placeHold(
  db: Db,
  { consultant: name, kind, operator }: { consultant: string; kind: HoldKind; operator: Reasoned },
): Promise<HoldChange> {
  return inTransaction(db, async (tx): Promise<HoldChange> => {
    const consultant = await findConsultant(tx, name);
    if (!consultant) return unknownConsultant(name);
    const placed = await tx.execute`
      INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
      VALUES (${consultant.id}::uuid, ${kind}::hold_kind, ${operator.reason}, ${operator.by})
      ON CONFLICT (consultant_id, kind) WHERE released_at IS NULL DO NOTHING`;
    if (placed !== 1) return alreadyOnHold(tx, consultant, kind);
    await auditHold(tx, { consultant, kind, operator, action: "placed" });
    return { done: true, consultant, kinds: [kind], ...(await afterwards(tx, consultant)) };
  });
}

/** Releases the open hold of one kind, or of every kind. */
export async function releaseHold(
  db: Db,
  {
    consultant: name,
    kind,
    operator,
  }: { consultant: string; kind: ReleasedKind | undefined; operator: Reasoned },
): Promise<HoldChange> {
  return inTransaction(db, async (tx): Promise<HoldChange> => {
    const consultant = await findConsultant(tx, name);
    if (!consultant) return unknownConsultant(name);
    const kinds = [
      ...(await releaseOwnHolds(tx, { consultantId: consultant.id, kind, by: operator.by })),
      ...(await releaseRefusedAccounts(tx, { consultantId: consultant.id, kind, by: operator.by })),
    ];
    if (kinds.length === 0) {
      return notDone({
        code: "NOT_ON_HOLD",
        message: `consultant ${consultant.ref} has no open hold${kind === undefined ? "" : ` of kind ${kind}`}`,
        remedy: "Nothing is to be released.",
      });
    }
    for (const each of kinds) {
      await auditHold(tx, { consultant, kind: each, operator, action: "released" });
    }
    return { done: true, consultant, kinds, ...(await afterwards(tx, consultant)) };
  });
}

interface Release {
  consultantId: string;
  kind: ReleasedKind | undefined;
  by: string;
}

async function releaseOwnHolds(
  tx: DbSession,
  { consultantId, kind, by }: Release,
): Promise<HoldKind[]> {
  if (kind === REFUSED_ACCOUNT) return [];
  const released = await tx.query<{ kind: HoldKind }[]>`
    UPDATE consultant_holds SET released_at = now(), released_by = ${by}
    WHERE consultant_id = ${consultantId}::uuid AND released_at IS NULL
      AND (${kind ?? null}::hold_kind IS NULL OR kind = ${kind ?? null}::hold_kind)
    RETURNING kind::text AS kind`;
  return HOLD_KINDS.filter((each) => released.some((row) => row.kind === each));
}

async function releaseRefusedAccounts(
  tx: DbSession,
  { consultantId, kind, by }: Release,
): Promise<(typeof REFUSED_ACCOUNT)[]> {
  if (kind !== undefined && kind !== REFUSED_ACCOUNT) return [];
  const reasons = await releaseAccountHolds(tx, { consultantId, by });
  return reasons.length > 0 ? [REFUSED_ACCOUNT] : [];
}

async function auditHold(
  tx: DbSession,
  {
    consultant,
    kind,
    operator,
    action,
  }: { consultant: ConsultantName; kind: ReleasedKind; operator: Reasoned; action: string },
): Promise<void> {
  await recordAudit(tx, {
    actor: operator.by,
    category: "hold",
    action,
    subjectType: "consultant",
    subjectId: consultant.id,
    reason: operator.reason,
    detail: { kind },
  });
}

async function afterwards(
  tx: DbSession,
  consultant: ConsultantName,
): Promise<{ reach: HoldReach; open: string[] }> {
  const open = await tx.query<{ kind: string }[]>`
    SELECT kind FROM (${OPEN_HOLDS}) AS hold WHERE consultant_id = ${consultant.id}::uuid ORDER BY kind`;
  return { reach: await reachOf(tx, consultant), open: open.map(({ kind }) => kind) };
}

async function reachOf(tx: DbSession, consultant: ConsultantName): Promise<HoldReach> {
  const [row] = await tx.query<HoldReach[]>`
    SELECT (count(*) FILTER (WHERE status = 'APPROVED' OR status = 'PENDING' AND organization_id IS NOT NULL))::int
             AS due,
           (count(*) FILTER (WHERE status = 'PENDING' AND organization_id IS NULL))::int AS pending,
           (count(*) FILTER (WHERE status = 'PROCESSING'))::int AS processing,
           (count(*) FILTER (WHERE status = 'PROCESSING' AND EXISTS (
             SELECT FROM payout_attempts AS attempt
             WHERE attempt.payout_id = payouts.id AND attempt.state IN ('PREPARED', 'UNKNOWN'))))::int AS "inDoubt"
    FROM payouts
    WHERE consultant_id = ${consultant.id}::uuid AND status IN ('PENDING', 'APPROVED', 'PROCESSING')`;
  return row ?? { due: 0, pending: 0, processing: 0, inDoubt: 0 };
}

async function alreadyOnHold(
  tx: DbSession,
  consultant: ConsultantName,
  kind: HoldKind,
): Promise<HoldChange> {
  const [open] = await tx.query<{ by: string; at: string }[]>`
    SELECT placed_by AS by, to_char(placed_at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI') AS at
    FROM consultant_holds
    WHERE consultant_id = ${consultant.id}::uuid AND kind = ${kind}::hold_kind AND released_at IS NULL`;
  const since = open ? ` since ${open.at} IST, by ${open.by}` : "";
  return notDone({
    code: "ALREADY_ON_HOLD",
    message: `consultant ${consultant.ref} is on hold already (${kind})${since}`,
    remedy: "Nothing is to be done; release it first to give another reason.",
  });
}

function unknownConsultant(name: string): HoldChange {
  return notDone({
    code: "UNKNOWN_CONSULTANT",
    message: `there is no consultant ${name}`,
    remedy: "Name the consultant's id or external reference.",
  });
}

function notDone(refusal: Refusal): HoldChange {
  return { done: false, refusal };
}

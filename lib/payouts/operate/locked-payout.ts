import type { DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { describeStop, readAccountStops } from "../state/account-holds.ts";
import { holdEnds, OPEN_HOLDS } from "../state/on-hold.ts";
import type { Refusal } from "./change.ts";

export type PayoutStatus =
  "PENDING" | "APPROVED" | "PROCESSING" | "COMPLETED" | "FAILED" | "REVERSED" | "REJECTED";

export const PAYOUT_STATUSES: readonly PayoutStatus[] = [
  "PENDING",
  "APPROVED",
  "PROCESSING",
  "COMPLETED",
  "FAILED",
  "REVERSED",
  "REJECTED",
];

/** A payout whose row, and its consultant's, stay as they are until the transaction ends. */
export interface LockedPayout {
  id: string;
  consultantId: string;
  consultantRef: string;
  /** The payee's organization, if there is one. */
  organizationId: string | null;
  status: PayoutStatus;
  tries: number;
  grossPaise: Paise;
  amountPaise: Paise;
}

/**
 * Locks the consultant, then the payout: the order in which the batch locks as well. Undefined when there
 * is no such payout.
 */
export async function lockPayout(
  tx: DbSession,
  payoutId: string,
): Promise<LockedPayout | undefined> {
  await tx.query`
    SELECT 1 FROM consultants
    WHERE id = (SELECT consultant_id FROM payouts WHERE id = ${payoutId}::uuid)
    FOR NO KEY UPDATE`;
  await tx.query`SELECT 1 FROM payouts WHERE id = ${payoutId}::uuid FOR NO KEY UPDATE`;
  const [row] = await tx.query<LockedPayout[]>`
    SELECT payout.id, payout.consultant_id AS "consultantId", consultant.external_ref AS "consultantRef",
           payout.organization_id AS "organizationId", payout.status::text AS status, payout.tries, payout.gross_paise AS "grossPaise",
           payout.amount_paise AS "amountPaise"
    FROM payouts AS payout JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    WHERE payout.id = ${payoutId}::uuid`;
  return row;
}

export function unknownPayout(payoutId: string): Refusal {
  return {
    code: "UNKNOWN_PAYOUT",
    message: `there is no payout ${payoutId}`,
    remedy: "Look at `payouts list`; is DATABASE_URL the right database?",
  };
}

/** Names the person who was first, where the audit log knows. */
export async function wrongStatus(
  tx: DbSession,
  payout: LockedPayout,
  { wanted, remedy }: { wanted: string; remedy: string },
): Promise<Refusal> {
  const [last] = await tx.query<{ actor: string; action: string; at: string }[]>`
    SELECT actor, action, to_char(at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI') AS at
    FROM audit_log WHERE subject_type = 'payout' AND subject_id = ${payout.id}
    ORDER BY id DESC LIMIT 1`;
  const by = last ? `; ${last.action} by ${last.actor} on ${last.at} IST` : "";
  return {
    code: `IS_${payout.status}`,
    message: `it is ${payout.status}, not ${wanted}${by}`,
    remedy,
  };
}

/** A refusal while the consultant has an open hold. */
export async function openHold(tx: DbSession, payout: LockedPayout): Promise<Refusal | undefined> {
  const holds = await tx.query<{ kind: string }[]>`
    SELECT kind FROM (${OPEN_HOLDS}) AS hold
    WHERE consultant_id = ${payout.consultantId}::uuid ORDER BY kind`;
  if (holds.length === 0) return undefined;
  const kinds = holds.map(({ kind }) => kind);
  const isOpen = payout.status === "PENDING" || payout.status === "APPROVED";
  return {
    code: "CONSULTANT_ON_HOLD",
    message: `consultant ${payout.consultantRef} is on hold (${kinds.join(", ")})`,
    remedy: `Wait until ${holdEnds(kinds)}${isOpen ? ", or reject the payout" : ""}.`,
  };
}

/** A refusal while the wait after a failure is not over. A refused account is a hold, which `openHold` tells of. */
export async function stoppedAccount(
  tx: DbSession,
  payout: LockedPayout,
): Promise<Refusal | undefined> {
  const stop = (await readAccountStops(tx, [payout.consultantId])).get(payout.consultantId);
  if (stop?.kind !== "retry-later") return undefined;
  return { ...describeStop(stop), remedy: "Try it again then." };
}

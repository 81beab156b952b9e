import { recordAudit } from "../audit/audit-log.ts";
import type { DbSession } from "../db/client.ts";
import { AfterhoursError } from "../support/errors.ts";
import { sumPaise, type Paise } from "../support/money.ts";
import {
  planTakes,
  type AcrossYears,
  type OpenRecovery,
  type ReadyEarning,
  type Take,
} from "./recovery-plan.ts";
import { refundReadyEarning } from "./refund.ts";

export type { Take } from "./recovery-plan.ts";

/** The sum taken, or in a plan to be taken. */
export function takenPaise(takes: readonly Take[]): Paise {
  return sumPaise(takes.map(({ amountPaise }) => amountPaise));
}

/**
 * Takes a consultant's debt off READY earnings, as refunds of those earnings with the key
 * `recovery:<recovery>:<earning>`. The rest of the debt waits for the next earnings.
 *
 * Belongs into a transaction. Locks the consultant, then the earnings by booking reference, as making a payout
 * does. So an earning is either reduced before it is linked, or found linked and left unchanged.
 */
export async function applyRecoveries(
  tx: DbSession,
  {
    consultantId,
    actor,
    acrossYears,
  }: { consultantId: string; actor: string; acrossYears: AcrossYears },
): Promise<Take[]> {
  await lockConsultant(tx, consultantId);
  const recoveries = await openRecoveries(tx, [consultantId]);
  if (recoveries.length === 0) return [];
  await tx.query`
    SELECT 1 FROM earnings WHERE consultant_id = ${consultantId}::uuid AND status = 'READY'
    ORDER BY booking_reference
    FOR NO KEY UPDATE`;
  const takes = planTakes(recoveries, await readyEarnings(tx, [consultantId]), acrossYears);
  for (const take of takes) await carryOut(tx, take);
  if (takes.length > 0) {
    await recordAudit(tx, {
      actor,
      category: "REFUND",
      action: "RECOVERED",
      subjectType: "consultant",
      subjectId: consultantId,
      reason: null,
      detail: { amountPaise: takenPaise(takes), takes },
    });
  }
  return takes;
}

/** The amounts that `applyRecoveries` would take from these consultants now. Reads only. */
export async function planRecoveries(
  db: DbSession,
  consultantIds: readonly string[],
  acrossYears: AcrossYears,
): Promise<Take[]> {
  const recoveries = await openRecoveries(db, consultantIds);
  if (recoveries.length === 0) return [];
  const owing = [...new Set(recoveries.map(({ consultantId }) => consultantId))];
  return planTakes(recoveries, await readyEarnings(db, owing), acrossYears);
}

/**
 * Which of these consultants owe something of a refunded sale, in `currency` if it is given: a debt is taken off
 * earnings of its own currency alone, and holds up no others.
 */
export async function consultantsThatOwe(
  db: DbSession,
  consultantIds: readonly string[],
  currency?: string,
): Promise<string[]> {
  const rows = await db.query<{ id: string }[]>`
    SELECT DISTINCT recovery.consultant_id AS id
    FROM earning_recoveries AS recovery JOIN earnings AS earning ON earning.id = recovery.earning_id
    WHERE recovery.consultant_id = ANY(${consultantIds}::uuid[])
      AND recovery.recovered_amount_paise < recovery.amount_paise
      AND (${currency ?? null}::text IS NULL OR earning.currency = ${currency ?? null})
    ORDER BY 1`;
  return rows.map(({ id }) => id);
}

/** Every transaction that makes a payout or a consultant's debt takes this lock first. */
export async function lockConsultant(tx: DbSession, consultantId: string): Promise<void> {
  await tx.query`SELECT 1 FROM consultants WHERE id = ${consultantId}::uuid FOR NO KEY UPDATE`;
}

async function openRecoveries(
  db: DbSession,
  consultantIds: readonly string[],
): Promise<OpenRecovery[]> {
  return db.query<OpenRecovery[]>`
    SELECT recovery.id AS "recoveryId", recovery.consultant_id AS "consultantId",
           earning.currency::text AS currency, earning.credited_on::text AS "creditedOn",
           recovery.gross_paise - recovery.recovered_gross_paise AS "grossPaise",
           recovery.amount_paise - recovery.recovered_amount_paise AS "amountPaise"
    FROM earning_recoveries AS recovery JOIN earnings AS earning ON earning.id = recovery.earning_id
    WHERE recovery.consultant_id = ANY(${consultantIds}::uuid[])
      AND recovery.recovered_amount_paise < recovery.amount_paise
    ORDER BY recovery.created_at, recovery.id`;
}

async function readyEarnings(
  db: DbSession,
  consultantIds: readonly string[],
): Promise<ReadyEarning[]> {
  return db.query<ReadyEarning[]>`
    SELECT net.earning_id AS "earningId", net.consultant_id AS "consultantId",
           net.currency::text AS currency, earning.credited_on::text AS "creditedOn",
           net.gross_paise AS "grossPaise", net.amount_paise AS "amountPaise"
    FROM earnings_net AS net JOIN earnings AS earning ON earning.id = net.earning_id
    WHERE net.consultant_id = ANY(${consultantIds}::uuid[]) AND net.status = 'READY'
      AND net.amount_paise > 0
    ORDER BY earning.credited_on, net.earning_id`;
}

/** @throws {AfterhoursError} `RECOVERY_NOT_APPLIED`, which rolls the transaction back */
async function carryOut(
  tx: DbSession,
  { recoveryId, earningId, grossPaise, amountPaise }: Take,
): Promise<void> {
  const refunded = await refundReadyEarning(tx, {
    earningId,
    key: `recovery:${recoveryId}:${earningId}`,
    grossPaise,
    amountPaise,
  });
  if (refunded.kind !== "refunded") {
    throw new AfterhoursError(
      "RECOVERY_NOT_APPLIED",
      `recovery ${recoveryId} can not be taken off earning ${earningId}: ${refunded.kind === "refused" ? refunded.message : "it was taken before"}`,
      { remedy: "Nothing was written for this consultant; look at the earning's refunds." },
    );
  }
  await tx.execute`
    UPDATE earning_recoveries
    SET recovered_gross_paise = recovered_gross_paise + ${grossPaise},
        recovered_amount_paise = recovered_amount_paise + ${amountPaise}
    WHERE id = ${recoveryId}::uuid`;
}

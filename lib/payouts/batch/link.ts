import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { consultantsThatOwe, lockConsultant } from "../../earnings/recoveries.ts";
import { newUuid } from "../../support/random.ts";
import { readAccountStops, type AccountStop } from "../state/account-holds.ts";
import { OPEN_HOLDS } from "../state/on-hold.ts";
import type { NewStatus } from "./decide.ts";
import type { DueGroup } from "./read-due.ts";

export const BATCH_ACTOR = "job:payouts/create-payout-batch";

export type LinkResult =
  | { kind: "created"; payoutId: string }
  /** A hold was placed since the consultant was read. */
  | { kind: "on_hold"; holds: readonly string[] }
  /** The consultant's account was refused since. */
  | { kind: "stopped"; stop: AccountStop }
  /** An earning was linked, refunded or held back since it was read, or the consultant owes something since. */
  | { kind: "changed" };

/**
 * Makes one payout out of a group, all or nothing: the payout, every earning READY to LINKED by
 * compare-and-swap, and items that add up to the payout to the paisa.
 *
 * Locks are taken in one order everywhere, consultant and then earnings by booking reference. Each check is a
 * separate statement after them: it sees rows that were committed while it waited.
 */
export async function linkPayout(
  db: Db,
  { group, status, runId }: { group: DueGroup; status: NewStatus; runId: string },
): Promise<LinkResult> {
  try {
    return await inTransaction(db, async (tx) => {
      await lockConsultant(tx, group.consultantId);
      const holds = await openHolds(tx, group.consultantId);
      if (holds.length > 0) return { kind: "on_hold", holds };
      const stop = (await readAccountStops(tx, [group.consultantId])).get(group.consultantId);
      if (stop) return { kind: "stopped", stop };
      await assertOwesNothing(tx, group.consultantId);
      await assertSameOrganization(tx, group);
      await lockEarnings(tx, group.earningIds);

      const payoutId = await insertPayout(tx, { group, status });
      await linkEarnings(tx, group.earningIds);
      await insertItems(tx, { payoutId, group });
      await recordAudit(tx, {
        actor: BATCH_ACTOR,
        category: "payout",
        action: status === "APPROVED" ? "created-approved" : "created-pending",
        subjectType: "payout",
        subjectId: payoutId,
        reason: reasonFor(group, status),
        detail: { runId, earnings: group.earningIds.length, amountPaise: group.amountPaise },
      });
      return { kind: "created", payoutId };
    });
  } catch (error) {
    if (error instanceof ChangedMeanwhile) return { kind: "changed" };
    throw error;
  }
}

function reasonFor({ organizationId }: DueGroup, status: NewStatus): string {
  if (organizationId !== null) return "paid without approval: organization";
  return status === "APPROVED"
    ? "at or below the limit of automatic approval"
    : "above the limit of automatic approval";
}

/** Rolls the transaction back. */
class ChangedMeanwhile extends Error {}

/** The kinds of open holds. Placing one takes the lock of the consultant, in a trigger. */
async function openHolds(tx: DbSession, consultantId: string): Promise<string[]> {
  const rows = await tx.query<{ kind: string }[]>`
    SELECT kind FROM (${OPEN_HOLDS}) AS hold WHERE consultant_id = ${consultantId}::uuid ORDER BY kind`;
  return rows.map(({ kind }) => kind);
}

/** A consultant's debt is taken first; this finds a debt from a sale refunded since. */
async function assertOwesNothing(tx: DbSession, consultantId: string): Promise<void> {
  const owing = await consultantsThatOwe(tx, [consultantId]);
  if (owing.length > 0) throw new ChangedMeanwhile();
}

/** Making a consultant an organization's payee takes the same lock. */
async function assertSameOrganization(
  tx: DbSession,
  { consultantId, organizationId }: DueGroup,
): Promise<void> {
  const [organization] = await tx.query<{ id: string }[]>`
    SELECT id FROM organizations WHERE payee_id = ${consultantId}::uuid`;
  if ((organization?.id ?? null) !== organizationId) throw new ChangedMeanwhile();
}

async function lockEarnings(tx: DbSession, earningIds: readonly string[]): Promise<void> {
  await tx.query`
    SELECT 1 FROM earnings WHERE id = ANY(${earningIds}::uuid[])
    ORDER BY booking_reference
    FOR NO KEY UPDATE`;
}

async function insertPayout(
  tx: DbSession,
  { group, status }: { group: DueGroup; status: NewStatus },
): Promise<string> {
  const payoutId = newUuid();
  await tx.execute`
    INSERT INTO payouts (id, consultant_id, organization_id, currency, gross_paise, amount_paise, status,
                         approved_at)
    VALUES (${payoutId}::uuid, ${group.consultantId}::uuid, ${group.organizationId}::uuid, ${group.currency},
            ${group.grossPaise}, ${group.amountPaise}, ${status}::payout_status,
            CASE WHEN ${status}::text = 'APPROVED' THEN now() END)`;
  return payoutId;
}

async function linkEarnings(tx: DbSession, earningIds: readonly string[]): Promise<void> {
  const linked = await tx.execute`
    UPDATE earnings SET status = 'LINKED', updated_at = now()
    WHERE id = ANY(${earningIds}::uuid[]) AND status = 'READY'
      AND (hold_until IS NULL OR hold_until <= india_today())`;
  if (linked !== earningIds.length) throw new ChangedMeanwhile();
}

/** All of the items or none: an earning that was refunded meanwhile leaves less than was read, or nothing. */
async function insertItems(
  tx: DbSession,
  { payoutId, group }: { payoutId: string; group: DueGroup },
): Promise<void> {
  const inserted = await tx.execute`
    WITH due AS (
      SELECT earning_id, gross_paise, amount_paise FROM earnings_net
      WHERE earning_id = ANY(${group.earningIds}::uuid[]) AND payable
        AND consultant_id = ${group.consultantId}::uuid AND currency = ${group.currency}
    )
    INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
    SELECT ${payoutId}::uuid, earning_id, gross_paise, amount_paise FROM due
    WHERE (SELECT sum(gross_paise) = ${group.grossPaise} AND sum(amount_paise) = ${group.amountPaise} FROM due)`;
  if (inserted !== group.earningIds.length) throw new ChangedMeanwhile();
}

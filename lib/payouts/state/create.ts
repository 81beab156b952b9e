import type { DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { newUuid } from "../../support/random.ts";

/** A payout to be made, and the earnings that it pays, as they were read. */
export interface NewPayout {
  consultantId: string;
  organizationId: string | null;
  currency: string;
  grossPaise: Paise;
  amountPaise: Paise;
  earningIds: readonly string[];
}

/** Somebody changed the rows since they were read. Rolls the transaction back. */
export class ChangedMeanwhileError extends Error {
  override readonly name = "ChangedMeanwhileError";
}

/**
 * Makes a payout: every earning READY to LINKED by compare-and-swap, and items that add up to the payout to the
 * paisa. The caller has locked the consultant. Returns the payout's id.
 *
 * @throws {ChangedMeanwhileError} when an earning was linked, refunded or held back since it was read
 */
export async function createPayout(
  tx: DbSession,
  payout: NewPayout,
  status: "APPROVED" | "PENDING",
): Promise<string> {
  const { consultantId, organizationId, currency, grossPaise, amountPaise, earningIds } = payout;
  await tx.query`
    SELECT 1 FROM earnings WHERE id = ANY(${earningIds}::uuid[])
    ORDER BY booking_reference
    FOR NO KEY UPDATE`;
  const payoutId = newUuid();
  await tx.execute`
    INSERT INTO payouts (id, consultant_id, organization_id, currency, gross_paise, amount_paise, status,
                         approved_at)
    VALUES (${payoutId}::uuid, ${consultantId}::uuid, ${organizationId}::uuid, ${currency}, ${grossPaise},
            ${amountPaise}, ${status}::payout_status,
            CASE WHEN ${status}::text = 'APPROVED' THEN now() END)`;
  await linkEarnings(tx, earningIds);
  await insertItems(tx, payoutId, payout);
  return payoutId;
}

async function linkEarnings(tx: DbSession, earningIds: readonly string[]): Promise<void> {
  const linked = await tx.execute`
    UPDATE earnings SET status = 'LINKED', updated_at = now()
    WHERE id = ANY(${earningIds}::uuid[]) AND status = 'READY'
      AND (hold_until IS NULL OR hold_until <= india_today())`;
  if (linked !== earningIds.length) throw new ChangedMeanwhileError();
}

/** All of the items or none: an earning that was refunded meanwhile leaves less than was read, or nothing. */
async function insertItems(tx: DbSession, payoutId: string, payout: NewPayout): Promise<void> {
  const { consultantId, currency, grossPaise, amountPaise, earningIds } = payout;
  const inserted = await tx.execute`
    WITH due AS (
      SELECT earning_id, gross_paise, amount_paise FROM earnings_net
      WHERE earning_id = ANY(${earningIds}::uuid[]) AND payable
        AND consultant_id = ${consultantId}::uuid AND currency = ${currency}
    )
    INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
    SELECT ${payoutId}::uuid, earning_id, gross_paise, amount_paise FROM due
    WHERE (SELECT sum(gross_paise) = ${grossPaise} AND sum(amount_paise) = ${amountPaise} FROM due)`;
  if (inserted !== earningIds.length) throw new ChangedMeanwhileError();
}

import type { DbSession } from "../db/client.ts";
import { applyRecoveries, lockConsultant } from "../earnings/recoveries.ts";
import { refundReadyEarning } from "../earnings/refund.ts";
import { less, takeFrom, type GrossAndAmount } from "../earnings/take.ts";
import { AfterhoursError } from "../support/errors.ts";
import type { Paise } from "../support/money.ts";
import { shareOfRefund } from "./share.ts";

export const REFUND_ACTOR = "job:payments/process-refunds";

/**
 * Charges the consultant's share of a refund, once for the refund's key. An earning that waits for a payout is
 * reduced by it. A share of an earning in a payout, or already paid, becomes a debt. Waiting earnings of the
 * sale's financial year pay the debt at once. Other earnings pay it in the batch that pays them out.
 *
 * The caller holds the payment's lock and has settled the refund. Locks the consultant, then earnings.
 *
 * @returns `no-sale`: nothing was charged, since no earning of the booking is on record
 */
export async function chargeConsultant(
  tx: DbSession,
  { key, paymentId }: { key: string; paymentId: string },
): Promise<"no-sale" | undefined> {
  const sale = await lockSale(tx, { key, paymentId });
  if (!sale) return "no-sale";
  const share = shareOfRefund(sale.earned, sale, sale);
  if (share.amountPaise === 0n) return undefined;

  const { earningId, consultantId } = sale;
  const now = sale.status === "READY" ? takeFrom(sale.left, share) : NOTHING;
  if (now.amountPaise > 0n) {
    const refunded = await refundReadyEarning(tx, { earningId, key, ...now });
    if (refunded.kind !== "refunded") {
      throw new AfterhoursError(
        "EARNING_NOT_REFUNDED",
        `refund ${key} can not be taken off earning ${earningId}: ${refunded.kind === "refused" ? refunded.message : "it was taken before"}`,
        { remedy: "Nothing was written; look at the refunds of the earning." },
      );
    }
  }
  const owed = less(share, now);
  if (owed.amountPaise === 0n) return undefined;
  await tx.execute`
    INSERT INTO earning_recoveries (consultant_id, earning_id, key, gross_paise, amount_paise)
    VALUES (${consultantId}::uuid, ${earningId}::uuid, ${key}, ${owed.grossPaise}, ${owed.amountPaise})`;
  // A debt across 31 March waits for the batch, whose setting decides whether it lowers the base of the tax.
  await applyRecoveries(tx, { consultantId, actor: REFUND_ACTOR, acrossYears: "later" });
  return undefined;
}

const NOTHING: GrossAndAmount = { grossPaise: 0n, amountPaise: 0n };

interface Sale {
  earningId: string;
  consultantId: string;
  status: string;
  earned: GrossAndAmount;
  /** The part that waits for a payout. */
  left: GrossAndAmount;
  /**
   * The whole of which the earning is a part: the payment, less refunds from before the earning was recorded.
   */
  paidPaise: Paise;
  /** Since then, by refunds that are settled, this one included. */
  backPaise: Paise;
  /** By earlier refunds of this payment. */
  borne: GrossAndAmount;
  /** By refunds that came otherwise, such as from finance; recoveries of other sales are none. */
  otherwise: GrossAndAmount;
}

interface SaleRow {
  earningId: string;
  consultantId: string;
  status: string;
  earnedGross: Paise;
  earnedAmount: Paise;
  leftGross: Paise;
  leftAmount: Paise;
  paidPaise: Paise;
  backPaise: Paise;
  borneGross: Paise;
  borneAmount: Paise;
  otherGross: Paise;
  otherAmount: Paise;
}

/**
 * Finds the sale's earning by the booking's reference in its one form; undefined without one, or where several look alike. An earning that was recorded after
 * a refund is already net of it, so that this refund is no part of the fraction. All earnings that may be
 * reduced are locked, by booking reference as everywhere, to avoid deadlocks.
 */
async function lockSale(
  tx: DbSession,
  { key, paymentId }: { key: string; paymentId: string },
): Promise<Sale | undefined> {
  const [found] = await tx.query<{ earningId: string; consultantId: string }[]>`
    SELECT earning.id AS "earningId", earning.consultant_id AS "consultantId"
    FROM payments AS payment
    JOIN bookings AS booking ON booking.id = payment.booking_id
    JOIN earnings AS earning ON earning.id = sale_of_booking(booking.reference)
    WHERE payment.id = ${paymentId}::uuid`;
  if (!found) return undefined;
  await lockConsultant(tx, found.consultantId);
  await tx.query`
    SELECT 1 FROM earnings
    WHERE consultant_id = ${found.consultantId}::uuid
      AND (status = 'READY' OR id = ${found.earningId}::uuid)
    ORDER BY booking_reference
    FOR NO KEY UPDATE`;
  const [row] = await tx.query<SaleRow[]>`
    WITH borne AS (
      SELECT sum(part.gross_paise) AS gross_paise, sum(part.amount_paise) AS amount_paise
      FROM (
        SELECT key, gross_paise, amount_paise FROM earning_refunds WHERE earning_id = ${found.earningId}::uuid
        UNION ALL
        SELECT key, gross_paise, amount_paise FROM earning_recoveries WHERE earning_id = ${found.earningId}::uuid
      ) AS part
      WHERE part.key IN (SELECT key FROM refunds WHERE payment_id = ${paymentId}::uuid)
    ), otherwise AS (
      SELECT sum(part.gross_paise) AS gross_paise, sum(part.amount_paise) AS amount_paise
      FROM (
        SELECT key, gross_paise, amount_paise FROM earning_refunds
        WHERE earning_id = ${found.earningId}::uuid AND key NOT LIKE 'recovery:%'
        UNION ALL
        SELECT key, gross_paise, amount_paise FROM earning_recoveries WHERE earning_id = ${found.earningId}::uuid
      ) AS part
      WHERE part.key NOT IN (SELECT key FROM refunds WHERE payment_id = ${paymentId}::uuid)
    )
    SELECT earning.id AS "earningId", earning.consultant_id AS "consultantId",
           earning.status::text AS status, earning.gross_paise AS "earnedGross",
           earning.amount_paise AS "earnedAmount", net.gross_paise AS "leftGross",
           net.amount_paise AS "leftAmount",
           (payment.amount_paise - refunded.before_paise)::bigint AS "paidPaise",
           refunded.since_paise::bigint AS "backPaise",
           COALESCE(borne.gross_paise, 0)::bigint AS "borneGross",
           COALESCE(borne.amount_paise, 0)::bigint AS "borneAmount",
           COALESCE(otherwise.gross_paise, 0)::bigint AS "otherGross",
           COALESCE(otherwise.amount_paise, 0)::bigint AS "otherAmount"
    FROM payments AS payment
    CROSS JOIN borne CROSS JOIN otherwise
    JOIN earnings AS earning ON earning.id = ${found.earningId}::uuid
    JOIN earnings_net AS net ON net.earning_id = earning.id
    CROSS JOIN LATERAL (
      SELECT COALESCE(sum(leg.amount_paise) FILTER (WHERE borne_by_sale), 0) AS since_paise,
             COALESCE(sum(leg.amount_paise) FILTER (WHERE NOT borne_by_sale), 0) AS before_paise
      FROM refunds AS refund
      JOIN refund_legs AS leg ON leg.refund_id = refund.id AND leg.state = 'PROCESSED'
      CROSS JOIN LATERAL (
        SELECT refund.key = ${key}
               OR (refund.of_sale AND refund.settled_at >= earning.created_at) AS borne_by_sale
      ) AS which
      WHERE refund.payment_id = payment.id AND refund.status <> 'PENDING'
    ) AS refunded
    WHERE payment.id = ${paymentId}::uuid`;
  if (!row) return undefined;
  return {
    ...row,
    earned: { grossPaise: row.earnedGross, amountPaise: row.earnedAmount },
    left: { grossPaise: row.leftGross, amountPaise: row.leftAmount },
    borne: { grossPaise: row.borneGross, amountPaise: row.borneAmount },
    otherwise: { grossPaise: row.otherGross, amountPaise: row.otherAmount },
  };
}

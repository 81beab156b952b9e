import { sql, type Db, type DbSession } from "../db/client.ts";
import { onPayment } from "./on-payment.ts";

/** SQL over `payment`: some of what was paid has not gone back. Released legs never left the buyer for good. */
const SOME_IS_LEFT = sql`EXISTS (
  SELECT 1 FROM payment_legs AS leg
  WHERE leg.payment_id = payment.id AND leg.released_at IS NULL AND leg.amount_paise > (
    SELECT COALESCE(sum(back.amount_paise), 0) FROM refund_legs AS back
    WHERE back.payment_leg_id = leg.id AND back.state = 'PROCESSED'))`;

/**
 * Makes a payment REFUNDED once all of it has gone back, and REFUNDING where REFUNDED was said too early. The
 * database then resolves the findings of its failed refunds. The caller holds the payment's lock.
 */
export async function followRefunds(tx: DbSession, paymentId: string): Promise<void> {
  await tx.execute`
    UPDATE payments AS payment
    SET status = CASE WHEN ${SOME_IS_LEFT} THEN 'REFUNDING' ELSE 'REFUNDED' END::payment_status, updated_at = now()
    WHERE payment.id = ${paymentId}::uuid
      AND CASE WHEN ${SOME_IS_LEFT} THEN payment.status = 'REFUNDED'
               ELSE payment.status IN ('PAID', 'ORPHANED', 'REFUNDING') END`;
}

/** One page: the next run takes the rest. */
const AT_ONCE = 200;

/**
 * The same for payments whose last leg was settled by a version that did not know REFUNDING. Rides on
 * `payments_refunding`.
 */
export async function followAllRefunds(db: Db): Promise<void> {
  const done = await db.query<{ id: string }[]>`
    SELECT payment.id FROM payments AS payment
    WHERE payment.status = 'REFUNDING' AND NOT (${SOME_IS_LEFT})
    ORDER BY payment.id LIMIT ${AT_ONCE}`;
  for (const { id } of done) await onPayment(db, id, (tx) => followRefunds(tx, id));
}

import { sql, type DbSession, type SqlPart } from "../db/client.ts";

/**
 * SQL: a dispute of this payment is open. Nothing of it goes back meanwhile, since a dispute that is lost gives the
 * buyer the money as well. One that is lost counts as open until what the provider took is booked.
 */
export function isDisputed(paymentId: SqlPart): SqlPart {
  return sql`EXISTS (
    SELECT 1 FROM disputes AS dispute WHERE dispute.payment_id = ${paymentId} AND dispute.ended_at IS NULL)`;
}

/** The reason that is given for a refund that waits for the end of a dispute. */
export const DISPUTE_OPEN = "DISPUTE_OPEN";

export async function isPaymentDisputed(db: DbSession, paymentId: string): Promise<boolean> {
  const [row] = await db.query<{ disputed: boolean }[]>`
    SELECT ${isDisputed(sql`${paymentId}::uuid`)} AS disputed`;
  return row?.disputed ?? false;
}

import { inTransaction, type Db, type DbSession } from "../db/client.ts";

/**
 * Locks the payment, as everything does that settles a leg: two legs of one refund, and two refunds of one
 * payment, are settled one after the other.
 */
export async function onPayment<T>(
  db: Db,
  paymentId: string,
  body: (tx: DbSession) => Promise<T>,
): Promise<T> {
  return inTransaction(db, async (tx) => {
    await tx.query`SELECT 1 FROM payments WHERE id = ${paymentId}::uuid FOR NO KEY UPDATE`;
    return body(tx);
  });
}

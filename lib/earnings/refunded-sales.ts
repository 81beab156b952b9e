import type { ClientBase } from "pg";
import { formatRupees } from "../support/money.ts";
import { referenceKey } from "../support/reference-key.ts";
import { batches } from "./batches.ts";
import type { Problem } from "./problems.ts";
import type { EarningRow } from "./types.ts";

interface Refunded {
  key: string;
  paidPaise: bigint;
  backPaise: bigint;
}

/**
 * Names the rows whose sale was refunded before it is imported. Nothing charges the consultant for such a refund later:
 * the row has to be net of it. Nobody can tell from the amounts, since the payment has GST in it and the row has none.
 */
export async function refundedSales(
  client: ClientBase,
  rows: readonly EarningRow[],
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const batch of batches(rows)) {
    const keys = batch.map(({ bookingReference }) => referenceKey(bookingReference));
    const { rows: found } = await client.query<Record<keyof Refunded, string>>(REFUNDED, [keys]);
    const byKey = new Map(found.map((refunded) => [refunded.key, refunded]));
    for (const { line, bookingReference } of batch) {
      const refunded = byKey.get(referenceKey(bookingReference));
      if (refunded === undefined) continue;
      const [back, paid] = [refunded.backPaise, refunded.paidPaise].map((paise) =>
        formatRupees(BigInt(paise)),
      );
      const message = `of the sale ${bookingReference}, ${back} of ${paid} with GST went back to the buyer; bring it in net of that, or not at all. If this row is net, or the consultant is to be paid all the same, run again with --although-refunded`;
      problems.push({ line, column: "gross", message });
    }
  }
  return problems;
}

/**
 * Only refunds that are settled: one under way charges the consultant when it is settled. Key by key, as the earnings on
 * record are found.
 */
const REFUNDED = `
  SELECT asked.key, sum(payment.amount_paise)::bigint::text AS "paidPaise",
         sum(back.paise)::bigint::text AS "backPaise"
  FROM unnest($1::text[]) AS asked (key)
  CROSS JOIN LATERAL (
    SELECT id FROM bookings WHERE reference_key(reference) = asked.key OFFSET 0
  ) AS booking
  JOIN payments AS payment ON payment.booking_id = booking.id
  CROSS JOIN LATERAL (
    SELECT sum(leg.amount_paise) AS paise
    FROM refunds AS refund JOIN refund_legs AS leg ON leg.refund_id = refund.id AND leg.state = 'PROCESSED'
    WHERE refund.payment_id = payment.id AND refund.of_sale AND refund.status <> 'PENDING'
  ) AS back
  WHERE back.paise > 0
  GROUP BY 1`;

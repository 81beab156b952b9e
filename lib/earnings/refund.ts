import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import { postEarningRefunded } from "../ledger/post-refund.ts";
import { formatRupees, type Paise } from "../support/money.ts";

/** A buyer's refund for one sale, before the consultant was paid for it. */
export interface EarningRefund {
  earningId: string;
  /** Makes the refund happen once, such as the provider's id of it. */
  key: string;
  /** The refund without GST. */
  grossPaise: Paise;
  /** The reduction of the consultant's amount; at most `grossPaise`. */
  amountPaise: Paise;
}

export type RefundResult =
  | { kind: "refunded" }
  /** This very refund is on record already; nothing changed. */
  | { kind: "known" }
  | { kind: "refused"; code: RefundRefusal; message: string };

export type RefundRefusal =
  | "AMOUNT_NOT_POSITIVE"
  | "UNKNOWN_EARNING"
  /** Another refund has this key. */
  | "KEY_REUSED"
  /** It is in a payout, or paid: reject the payout first, or recover the money from the consultant. */
  | "EARNING_NOT_READY"
  | "REFUND_EXCEEDS_EARNING";

/** Records a refund of a READY earning and posts it to the books, in one transaction. */
export async function refundEarning(db: Db, refund: EarningRefund): Promise<RefundResult> {
  return inTransaction(db, (tx) => refundReadyEarning(tx, refund));
}

/**
 * The same inside the caller's transaction. The earning's row is locked, so that a refund and a payout of
 * the same earning come one after the other.
 */
export async function refundReadyEarning(
  tx: DbSession,
  refund: EarningRefund,
): Promise<RefundResult> {
  // A recovery of an earlier year's sale takes money alone: the database holds the two apart as well.
  const isMoneyAlone = refund.grossPaise === 0n && refund.key.startsWith("recovery:");
  if (refund.amountPaise <= 0n || (refund.grossPaise < refund.amountPaise && !isMoneyAlone)) {
    return refuse(
      "AMOUNT_NOT_POSITIVE",
      "a refund takes back more than nothing, and from the consultant at most what the buyer got",
    );
  }
  const earning = await lockEarning(tx, refund.earningId);
  if (!earning) return refuse("UNKNOWN_EARNING", `there is no earning ${refund.earningId}`);
  const known = await findRefund(tx, refund.key);
  if (known) return isSame(known, refund) ? { kind: "known" } : keyReused(refund);
  if (earning.status !== "READY") {
    return refuse(
      "EARNING_NOT_READY",
      `earning ${refund.earningId} is ${earning.status}; only what is in no payout is refunded here`,
    );
  }
  if (
    refund.amountPaise > earning.amountPaise ||
    earning.grossPaise - refund.grossPaise < earning.amountPaise - refund.amountPaise
  ) {
    return refuse(
      "REFUND_EXCEEDS_EARNING",
      `earning ${refund.earningId} has ${formatRupees(earning.amountPaise)} of ${formatRupees(earning.grossPaise)} left; the refund takes ${formatRupees(refund.amountPaise)} of ${formatRupees(refund.grossPaise)}`,
    );
  }
  const inserted = await tx.execute`
    INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise)
    VALUES (${refund.earningId}::uuid, ${refund.key}, ${refund.grossPaise}, ${refund.amountPaise})
    ON CONFLICT (key) DO NOTHING`;
  // The same key for another earning, at the same moment: the lock on this earning did not stop it.
  if (inserted !== 1) return keyReused(refund);
  await postEarningRefunded(tx, refund);
  return { kind: "refunded" };
}

interface OpenEarning {
  status: string;
  /** Net of earlier refunds. */
  grossPaise: Paise;
  amountPaise: Paise;
}

/** Two statements, so that the second one sees rows that were committed while the first waited. */
async function lockEarning(tx: DbSession, earningId: string): Promise<OpenEarning | undefined> {
  await tx.query`SELECT 1 FROM earnings WHERE id = ${earningId}::uuid FOR NO KEY UPDATE`;
  const [row] = await tx.query<OpenEarning[]>`
    SELECT status::text AS status, gross_paise AS "grossPaise", amount_paise AS "amountPaise"
    FROM earnings_net WHERE earning_id = ${earningId}::uuid`;
  return row;
}

async function findRefund(tx: DbSession, key: string): Promise<EarningRefund | undefined> {
  const [row] = await tx.query<EarningRefund[]>`
    SELECT earning_id AS "earningId", key, gross_paise AS "grossPaise", amount_paise AS "amountPaise"
    FROM earning_refunds WHERE key = ${key}`;
  return row;
}

function isSame(known: EarningRefund, refund: EarningRefund): boolean {
  return (
    known.earningId === refund.earningId.toLowerCase() &&
    known.grossPaise === refund.grossPaise &&
    known.amountPaise === refund.amountPaise
  );
}

function keyReused({ key }: EarningRefund): RefundResult {
  return refuse("KEY_REUSED", `the key ${key} stands for another refund`);
}

function refuse(code: RefundRefusal, message: string): RefundResult {
  return { kind: "refused", code, message };
}

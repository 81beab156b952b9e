import { sql, type DbSession } from "../db/client.ts";
import type { ProviderDispute } from "../provider/index.ts";
import { readCard } from "../refunds/outside-refund.ts";

/** Why a dispute holds nobody and is booked nowhere. */
export type UnmatchedReason =
  | "unknown-payment"
  | "other-currency"
  /** More than was paid by card, or at its end more than is left of it. */
  | "exceeds-payment"
  /** All of it was sent back before. */
  | "payment-refunded";

export type DisputeDecision =
  /** It has ended by our record. */
  | { kind: "known"; paymentId: string | null }
  /** `holds`: its consultant is not paid meanwhile. `waitsForRefund`: lost, and not to be booked yet. */
  | { kind: "open"; paymentId: string; holds: boolean; waitsForRefund: boolean }
  /** Won or closed. */
  | { kind: "kept"; paymentId: string }
  /** The deduction is to be booked. */
  | { kind: "lost"; paymentId: string }
  | { kind: "unmatched"; paymentId: string | null; why: UnmatchedReason; ended: boolean };

export interface StoredDispute {
  status: string;
  unmatched: string | null;
  holds: boolean;
  hasEnded: boolean;
  paymentId: string | null;
}

export async function readDispute(
  db: DbSession,
  id: string,
  { forUpdate }: { forUpdate: boolean },
): Promise<StoredDispute | undefined> {
  const [stored] = await db.query<StoredDispute[]>`
    SELECT status, unmatched, holds_consultant AS holds, ended_at IS NOT NULL AS "hasEnded",
           payment_id AS "paymentId"
    FROM disputes WHERE id = ${id} ${forUpdate ? sql`FOR UPDATE` : sql``}`;
  return stored;
}

/**
 * The decision on a dispute as the provider tells of it. Only reads; the writer of the decision holds the payment's lock.
 * A status that is not known here counts as open. Lost with nothing deducted counts as open as well: nobody is
 * charged for money that was not taken, and nothing more goes back.
 */
export async function decideDispute(
  db: DbSession,
  { told, stored }: { told: ProviderDispute; stored: StoredDispute | undefined },
): Promise<DisputeDecision> {
  if (stored?.hasEnded) return { kind: "known", paymentId: stored.paymentId };
  const [payment] = await db.query<{ id: string; isOfSale: boolean }[]>`
    SELECT payment.id,
           payment.status::text = 'PAID' OR EXISTS (
             SELECT 1 FROM refunds WHERE payment_id = payment.id AND of_sale) AS "isOfSale"
    FROM payments AS payment WHERE payment.provider_payment_id = ${told.paymentId}`;
  const ended = told.status === "won" || told.status === "closed" || told.status === "lost";
  if (!payment) return { kind: "unmatched", paymentId: null, why: "unknown-payment", ended };
  const paymentId = payment.id;
  const why = stored?.holds ? undefined : await reasonUnmatched(db, told, paymentId);
  if (why !== undefined) return { kind: "unmatched", paymentId, why, ended };
  if (told.status === "won" || told.status === "closed") return { kind: "kept", paymentId };
  if (told.status === "lost" && told.deductedPaise > 0n) return { kind: "lost", paymentId };
  const holds = payment.isOfSale || (stored?.holds ?? false);
  return { kind: "open", paymentId, holds, waitsForRefund: false };
}

async function reasonUnmatched(
  db: DbSession,
  told: ProviderDispute,
  paymentId: string,
): Promise<UnmatchedReason | undefined> {
  if (told.currency !== "INR") return "other-currency";
  const card = await readCard(db, paymentId);
  if (!card || told.amountPaise > card.paidPaise) return "exceeds-payment";
  return card.leftPaise + card.duePaise === 0n ? "payment-refunded" : undefined;
}

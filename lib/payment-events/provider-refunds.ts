import type { DbSession } from "../db/client.ts";
import { receiptsOf, type ProviderRefund } from "../provider/index.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";
import { isUuid } from "../support/uuid.ts";

/** A refund at the provider of which it is not known yet whose it is. */
export interface UnmatchedRefund {
  id: string;
  providerPaymentId: string;
  amountPaise: Paise;
  status: string;
  /** Our payment with that id of the provider. */
  paymentId: string | null;
  /** The state of our leg whose receipt it bears. */
  legState: string | null;
  /** The leg has this refund, or will be asked about. */
  isOurs: boolean;
  /** Not on the list that this run has read: its status may be an old one. */
  isStale: boolean;
}

/** The part of a refund that is kept: never its notes, nor a receipt that is not one of ours. */
interface Told {
  id: string;
  providerPaymentId: string;
  amountPaise: Paise;
  status: string;
  madeAt: Date;
  legId: string | undefined;
}

function told(refund: ProviderRefund): Told {
  return {
    id: refund.id,
    providerPaymentId: refund.paymentId,
    amountPaise: refund.amountPaise,
    status: refund.status,
    madeAt: new Date(refund.createdAtMs),
    legId: receiptsOf(refund).find(isUuid),
  };
}

/**
 * Stores refunds as the provider tells of them, each once. One of ours with its id, and one that failed, needs nothing
 * more.
 */
export async function storeRefunds(
  db: DbSession,
  refunds: readonly ProviderRefund[],
): Promise<void> {
  await db.execute`
    INSERT INTO provider_refunds (id, provider_payment_id, amount_paise, status, made_at, refund_leg_id, matched_at)
    SELECT told.id, told."providerPaymentId", told."amountPaise", told.status, told."madeAt", leg.id,
           CASE WHEN told.status = 'failed' OR told."amountPaise" = 0
                  OR EXISTS (SELECT 1 FROM refund_legs AS ours WHERE ours.provider_refund_id = told.id) THEN now() END
    FROM jsonb_to_recordset(${toJson(refunds.map(told))}::jsonb) AS told (
           id text, "providerPaymentId" text, "amountPaise" bigint, status text, "madeAt" timestamptz, "legId" uuid)
    LEFT JOIN refund_legs AS leg ON leg.id = told."legId"
    ORDER BY told.id
    ON CONFLICT (id) DO UPDATE
    SET status = EXCLUDED.status, seen_at = now(),
        refund_leg_id = COALESCE(provider_refunds.refund_leg_id, EXCLUDED.refund_leg_id),
        matched_at = COALESCE(provider_refunds.matched_at, EXCLUDED.matched_at)`;
}

/** Those that were found among ours since they were read. */
export async function matchKnown(db: DbSession): Promise<void> {
  await db.execute`
    UPDATE provider_refunds AS told SET matched_at = now()
    WHERE told.matched_at IS NULL
      AND EXISTS (SELECT 1 FROM refund_legs AS ours WHERE ours.provider_refund_id = told.id)`;
}

/** More than a run may have to look at; the next run goes on. */
const MOST = 5_000;

/** Those that are stored and not matched, the oldest first. Rides on `provider_refunds_unmatched`. */
export async function unmatchedRefunds(
  db: DbSession,
  { readSince }: { readSince: Date },
): Promise<UnmatchedRefund[]> {
  return db.query<UnmatchedRefund[]>`
    SELECT told.id, told.provider_payment_id AS "providerPaymentId", told.amount_paise AS "amountPaise",
           told.status, payment.id AS "paymentId", leg.state::text AS "legState",
           COALESCE(leg.state <> 'FAILED' AND COALESCE(leg.provider_refund_id, told.id) = told.id, false) AS "isOurs",
           told.seen_at < ${readSince} AS "isStale"
    FROM provider_refunds AS told
    LEFT JOIN payments AS payment ON payment.provider_payment_id = told.provider_payment_id
    LEFT JOIN refund_legs AS leg ON leg.id = told.refund_leg_id
    WHERE told.matched_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM refund_legs AS ours WHERE ours.provider_refund_id = told.id)
    ORDER BY told.made_at, told.id
    LIMIT ${MOST}`;
}

/** The same of refunds that a dry run has read and may not store. */
export async function unmatchedAmong(
  db: DbSession,
  refunds: readonly ProviderRefund[],
): Promise<UnmatchedRefund[]> {
  return db.query<UnmatchedRefund[]>`
    SELECT told.id, told."providerPaymentId", told."amountPaise", told.status, payment.id AS "paymentId",
           leg.state::text AS "legState",
           COALESCE(leg.state <> 'FAILED' AND COALESCE(leg.provider_refund_id, told.id) = told.id, false) AS "isOurs",
           false AS "isStale"
    FROM jsonb_to_recordset(${toJson(refunds.map(told))}::jsonb) AS told (
           id text, "providerPaymentId" text, "amountPaise" bigint, status text, "madeAt" timestamptz, "legId" uuid)
    LEFT JOIN payments AS payment ON payment.provider_payment_id = told."providerPaymentId"
    LEFT JOIN refund_legs AS leg ON leg.id = told."legId"
    WHERE told.status <> 'failed' AND told."amountPaise" > 0
      AND NOT EXISTS (SELECT 1 FROM refund_legs AS ours WHERE ours.provider_refund_id = told.id)
      AND NOT EXISTS (SELECT 1 FROM provider_refunds AS known WHERE known.id = told.id)
    ORDER BY told."madeAt", told.id`;
}

/** Booked, or found among ours: never looked at again. */
export async function markMatched(db: DbSession, id: string): Promise<void> {
  await db.execute`
    UPDATE provider_refunds SET matched_at = now() WHERE id = ${id} AND matched_at IS NULL`;
}

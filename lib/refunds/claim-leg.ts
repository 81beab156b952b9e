import type { Db, DbSession } from "../db/client.ts";
import { AfterhoursError } from "../support/errors.ts";
import { isFree, WAITS_FOR_DISPUTE, type OpenLeg } from "./open-legs.ts";
import { buildRefundRequest, requestHash } from "../provider/index.ts";

/** A compare-and-swap that had to hit the leg hit none: another run has it, or it is settled. */
export class LegLostError extends AfterhoursError {
  override readonly name = "LegLostError";

  constructor(legId: string) {
    super("CLAIM_LOST", `refund leg ${legId} is no longer held by this run`);
  }
}

/** The run that holds a leg. */
export interface HeldLeg {
  legId: string;
  refundId: string;
  paymentId: string;
  runId: string;
}

/** A leg whose request is committed, ready to be sent. */
interface PreparedLeg {
  providerPaymentId: string;
  idempotencyKey: string;
  /** The exact bytes to send; their hash is in the leg's row. */
  body: string;
  /** The same request may have been sent before. */
  resend: boolean;
}

/**
 * The idempotency key of a leg, and our receipt for it at the provider. It is the leg's id, and so depends on
 * the leg alone. 36 characters, the provider's maximum.
 */
export function keyOf(legId: string): string {
  return legId;
}

interface StoredRequest {
  providerPaymentId: string;
  idempotencyKey: string;
  requestBody: string;
  requestHash: string;
  resend: boolean;
}

/**
 * Claims a due leg of a card by compare-and-swap and commits its request before it is sent: DUE to PREPARED. The
 * request is written once; every repeat sends the stored bytes.
 *
 * @throws {LegLostError} when another run was faster
 * @throws {AfterhoursError} `REFUND_REQUEST_CHANGED` when the stored request is not the one that was hashed
 */
export async function prepareLeg(
  db: Db,
  { leg, runId, fence }: { leg: OpenLeg; runId: string; fence: bigint | null },
): Promise<PreparedLeg> {
  const { legId, amountPaise } = leg;
  const key = keyOf(legId);
  const request = buildRefundRequest({ amountPaise, receipt: key, speed: "normal" });
  const [row] = await db.query<StoredRequest[]>`
    WITH before AS (SELECT id, sent_at FROM refund_legs WHERE id = ${legId}::uuid)
    UPDATE refund_legs AS leg
    SET state = 'PREPARED', claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
        idempotency_key = COALESCE(leg.idempotency_key, ${key}),
        request_body = COALESCE(leg.request_body, ${request.body}),
        request_hash = COALESCE(leg.request_hash, ${request.hash}),
        sent_at = now()
    FROM before, refunds AS refund, payments AS payment
    WHERE leg.id = before.id AND leg.state = 'DUE' AND ${isFree({ runId, fence })}
      AND leg.sent_at IS NOT DISTINCT FROM before.sent_at AND NOT ${WAITS_FOR_DISPUTE}
      AND refund.id = leg.refund_id AND payment.id = refund.payment_id
      AND payment.provider_payment_id IS NOT NULL
    RETURNING payment.provider_payment_id AS "providerPaymentId", leg.idempotency_key AS "idempotencyKey",
              leg.request_body AS "requestBody", leg.request_hash AS "requestHash",
              before.sent_at IS NOT NULL AS resend`;
  if (!row) throw new LegLostError(legId);
  const { providerPaymentId, idempotencyKey, requestBody: body, resend } = row;
  if (idempotencyKey !== key || requestHash(body) !== row.requestHash) {
    throw new AfterhoursError(
      "REFUND_REQUEST_CHANGED",
      `the stored request of refund leg ${legId} is not the one that was prepared; it is not sent`,
      { remedy: "Find out who changed refund_legs; compare with the refunds of the payment." },
    );
  }
  return { providerPaymentId, idempotencyKey, body, resend };
}

/**
 * Takes a leg that the provider may have, or has, so that this run alone may settle it. One that a dead
 * run left PREPARED is UNKNOWN from now on. Only one of several that try it at once does.
 */
export async function takeLeg(
  db: DbSession,
  { leg, runId, fence }: { leg: OpenLeg; runId: string; fence: bigint | null },
): Promise<boolean> {
  const hit = await db.execute`
    UPDATE refund_legs AS leg
    SET claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
        state = CASE WHEN state = 'PREPARED' THEN 'UNKNOWN' ELSE state END
    WHERE leg.id = ${leg.legId}::uuid AND leg.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')
      AND ${isFree({ runId, fence })}`;
  return hit === 1;
}

import { inTransaction, type Db } from "../db/prisma.ts";
import { buildPayoutRequest, type PayoutMode } from "../razorpay/index.ts";
import { toJson } from "../support/log.ts";
import type { ClaimedPayout } from "./claim.ts";
import { assertHeld } from "./held.ts";

/** A committed attempt, ready to be sent. */
export interface PreparedAttempt {
  id: string;
  idempotencyKey: string;
  /** The exact bytes to send, whose hash stands in the attempt's row. */
  body: string;
}

/**
 * The key of attempt n of a payout, a function of the two and of nothing else, so that no retry can
 * carry another. The hyphens of the payout's id are left out: the provider takes 36 characters.
 */
export function idempotencyKeyOf(payoutId: string, attemptNo: number): string {
  return `${payoutId.replaceAll("-", "")}-${attemptNo}`;
}

/** Our reference at the provider, by which an unknown outcome is looked up; at most 40 characters. */
export function referenceIdOf(payoutId: string, attemptNo: number): string {
  return `${payoutId}-${attemptNo}`;
}

/**
 * Commits the attempt before its request leaves: key, hash of the exact body, masked body. From here on
 * the money may move, so the payout can only be settled by the provider's answer.
 *
 * @throws {ClaimLostError} when another run holds the payout by now
 */
export async function prepareAttempt(
  db: Db,
  input: {
    payout: ClaimedPayout;
    runId: string;
    fundAccountId: string;
    mode: PayoutMode;
    accountNumber: string;
    narration: string;
  },
): Promise<PreparedAttempt> {
  const { payout, runId, fundAccountId, mode, accountNumber, narration } = input;
  return inTransaction(db, async (tx) => {
    await assertHeld(tx, { payoutId: payout.id, runId });
    const [earlier] = await tx.$queryRaw<{ count: bigint }[]>`
      SELECT count(*) AS count FROM payout_attempts WHERE payout_id = ${payout.id}::uuid`;
    const attemptNo = Number(earlier?.count ?? 0n) + 1;
    const referenceId = referenceIdOf(payout.id, attemptNo);
    const request = buildPayoutRequest({
      accountNumber,
      fundAccountId,
      amountPaise: payout.netPaise,
      mode,
      referenceId,
      narration,
    });
    const idempotencyKey = idempotencyKeyOf(payout.id, attemptNo);
    const [row] = await tx.$queryRaw<{ id: string }[]>`
      INSERT INTO payout_attempts (
        payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id, mode,
        amount_paise, request_hash, request_body)
      VALUES (
        ${payout.id}::uuid, ${attemptNo}, ${payout.payoutAccountId}::uuid, ${runId}::uuid,
        ${idempotencyKey}, ${referenceId}, ${mode}, ${payout.netPaise}, ${request.hash},
        ${toJson(request.maskedBody)}::jsonb)
      RETURNING id`;
    if (!row) throw new Error("the attempt was inserted and not returned");
    return { id: row.id, idempotencyKey, body: request.body };
  });
}

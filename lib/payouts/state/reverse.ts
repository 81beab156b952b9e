import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { postInverse } from "../../ledger/post-transaction.ts";
import { reverseDeductions } from "../../tds/reserve.ts";
import { holdRefusedAccounts } from "./account-holds.ts";
import { ClaimLostError, releaseEarnings } from "./release.ts";
import type { ProviderPayout } from "../../provider/index.ts";

/** A paid payout, the attempt that paid it, and the provider's current state of it. */
export interface Reversal {
  payoutId: string;
  attemptId: string;
  provider: ProviderPayout;
  /** The observer's name in the audit log: `job:<name>`. */
  actor: string;
}

/**
 * The provider reports that the money of a completed payout was returned. Attempt and payout become REVERSED,
 * its earnings READY, negative rows take back its tax, and the books get the exact inverse of the completion's
 * posting. All in one transaction, and once: false when it was done before.
 *
 * @throws {ClaimLostError} when the payout is neither completed nor reversed
 */
export async function reversePayout(db: Db, reversal: Reversal): Promise<boolean> {
  const { payoutId, attemptId, provider, actor } = reversal;
  return inTransaction(db, async (tx) => {
    const status = await lockedStatus(tx, payoutId);
    if (status === "REVERSED") return false;
    if (status !== "COMPLETED") throw new ClaimLostError(payoutId);
    await markAttemptReversed(tx, reversal);
    const hit = await tx.execute`
      UPDATE payouts SET status = 'REVERSED', failure_code = ${reasonOf(provider)},
             failure_message = 'the provider paid it, and the money came back', updated_at = now()
      WHERE id = ${payoutId}::uuid AND status = 'COMPLETED'`;
    if (hit !== 1) throw new ClaimLostError(payoutId);
    await releaseEarnings(tx, [payoutId], { from: "PAID" });
    await reverseDeductions(tx, [payoutId]);
    await postInverse(tx, {
      key: `payout-reversed:${payoutId}`,
      kind: "payout-reversed",
      payoutId,
      of: `payout-completed:${payoutId}`,
    });
    await recordAudit(tx, {
      actor,
      category: "payout",
      action: "reversed",
      subjectType: "payout",
      subjectId: payoutId,
      reason: reasonOf(provider),
      detail: { providerPayoutId: provider.id },
    });
    await holdRefusedAccounts(tx, { actor }, [attemptId]);
    return true;
  });
}

async function lockedStatus(tx: DbSession, payoutId: string): Promise<string | undefined> {
  const [row] = await tx.query<{ status: string }[]>`
    SELECT status::text AS status FROM payouts WHERE id = ${payoutId}::uuid FOR UPDATE`;
  return row?.status;
}

async function markAttemptReversed(
  tx: DbSession,
  { payoutId, attemptId, provider }: Reversal,
): Promise<void> {
  const hit = await tx.execute`
    UPDATE payout_attempts
    SET state = 'REVERSED', provider_status = ${provider.statusText}, failure_code = ${reasonOf(provider)},
        settled_at = now()
    WHERE id = ${attemptId}::uuid AND payout_id = ${payoutId}::uuid AND state = 'PROCESSED'
      AND provider_payout_id = ${provider.id}`;
  if (hit !== 1) throw new ClaimLostError(payoutId);
}

function reasonOf({ statusReason, statusText }: ProviderPayout): string {
  return statusReason ?? statusText;
}

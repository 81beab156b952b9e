import type { DbSession } from "../db/client.ts";
import type { PayoutProvider, Transaction, Walk } from "../provider/index.ts";

/**
 * A request whose answer was lost, or is not yet recorded, may have left a debit that matches no known attempt.
 * This asks the provider for its payout and stores the id on the attempt. Without it the books would show a
 * debit without a reason. The rest of the attempt stays unchanged; the run that claimed the payout finishes it.
 */
export async function nameInDoubt(
  { db, gateway, signal }: { db: DbSession; gateway: PayoutProvider; signal: AbortSignal },
  transactions: readonly Transaction[],
): Promise<Walk> {
  for (const providerPayoutId of await unknownPayouts(db, transactions)) {
    const answer = await gateway.fetchPayout(providerPayoutId, { signal });
    if (answer.kind === "accepted") {
      await keepId(db, { providerPayoutId, referenceId: answer.value.referenceId });
    } else if (answer.kind !== "refused") {
      return signal.aborted ? { kind: "interrupted" } : { kind: "unusable", answer };
    }
  }
  return { kind: "complete" };
}

/** Payouts that were debited and that no attempt is known by; none as long as no attempt lacks its id. */
async function unknownPayouts(
  db: DbSession,
  transactions: readonly Transaction[],
): Promise<string[]> {
  const debited = transactions.flatMap(({ payoutId, debitPaise }) =>
    payoutId !== null && debitPaise > 0n ? [payoutId] : [],
  );
  const rows = await db.query<{ id: string }[]>`
    SELECT debited.id FROM unnest(${debited}::text[]) AS debited (id)
    WHERE NOT EXISTS (SELECT 1 FROM payout_attempts WHERE provider_payout_id = debited.id)
      AND EXISTS (
        SELECT 1 FROM payout_attempts WHERE state IN ('PREPARED', 'UNKNOWN') AND provider_payout_id IS NULL)`;
  return rows.map(({ id }) => id);
}

async function keepId(
  db: DbSession,
  { providerPayoutId, referenceId }: { providerPayoutId: string; referenceId: string | null },
): Promise<void> {
  await db.execute`
    UPDATE payout_attempts SET provider_payout_id = ${providerPayoutId}
    WHERE reference_id = ${referenceId} AND state IN ('PREPARED', 'UNKNOWN') AND provider_payout_id IS NULL`;
}

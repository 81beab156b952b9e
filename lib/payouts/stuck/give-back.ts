import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type DbSession } from "../../db/client.ts";
import { abandonedClaims, type AbandonedClaim } from "../due.ts";
import { PAYEE_KINDS } from "../kind.ts";
import { returnToDue } from "../release.ts";
import type { Decision, Settler } from "./settle-found.ts";

const REASON = "ABANDONED_CLAIM";

/**
 * Claims without an attempt that are older than any run may last, of both kinds of payee. The fence that
 * this job holds is of its own lock and says nothing of the pay run's, so only the age counts.
 */
export async function findAbandoned(
  { db, runId }: Settler,
  limit: number,
): Promise<AbandonedClaim[]> {
  const found: AbandonedClaim[] = [];
  for (const kind of PAYEE_KINDS) {
    const left = limit - found.length;
    found.push(...(await abandonedClaims(db, { kind, runId, fence: null, limit: left })));
  }
  return found;
}

/**
 * Makes a claim whose run is dead due again: nothing was sent for it, so nobody has to be asked. No try is
 * counted, since the payout is not to blame, and its tax is taken back until the next claim. Should the run
 * be alive all the same, it finds its claim lost before its attempt, and sends nothing.
 *
 * @throws {LeaseLostError}
 */
export async function giveBackAbandoned(
  settler: Settler,
  claim: AbandonedClaim,
): Promise<Decision> {
  const returned: Decision = {
    outcome: "returned",
    code: REASON,
    message: "claimed by a run that is dead and never sent: the payout is due again",
  };
  if (settler.dryRun) return returned;
  settler.lease.assertTrusted();
  const isOurs = await inTransaction(settler.db, (tx) => giveBack(tx, settler, claim));
  if (isOurs) return returned;
  const message = "another run has taken it over, or has an attempt for it";
  return { outcome: "skipped", code: "CLAIMED_ELSEWHERE", message };
}

async function giveBack(
  tx: DbSession,
  { runId, lease, actor }: Settler,
  claim: AbandonedClaim,
): Promise<boolean> {
  const { id: payoutId, organizationId, claimedBy } = claim;
  if (!(await takeOverAbandoned(tx, claim, { runId, fence: lease.fence }))) return false;
  const detail = { takenOverFrom: claimedBy };
  await returnToDue(tx, { payoutId, runId, actor, reason: REASON, detail });
  // No attempt tells of it, so it is written down of a consultant's payout as well.
  if (organizationId === null) {
    await recordAudit(tx, {
      actor,
      category: "payout",
      action: "returned",
      subjectType: "payout",
      subjectId: payoutId,
      reason: REASON,
      detail: { runId, ...detail },
    });
  }
  return true;
}

/** Takes the claim from the run that left it. Only one of several that try it at once does. */
export async function takeOverAbandoned(
  tx: DbSession,
  { id, claimedBy }: Pick<AbandonedClaim, "id" | "claimedBy">,
  { runId, fence }: { runId: string; fence: bigint | null },
): Promise<boolean> {
  // A statement of its own: the next one then sees the attempt of a run that held the row until now.
  await tx.query`SELECT 1 FROM payouts WHERE id = ${id}::uuid FOR UPDATE`;
  const hit = await tx.execute`
    UPDATE payouts SET claimed_by = ${runId}::uuid, claim_fence = ${fence}::bigint, claimed_at = now(),
           updated_at = now()
    WHERE id = ${id}::uuid AND status = 'PROCESSING' AND claimed_by = ${claimedBy}::uuid
      AND NOT EXISTS (
        SELECT 1 FROM payout_attempts AS attempt
        WHERE attempt.payout_id = payouts.id
          AND attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED'))`;
  return hit === 1;
}

import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type DbSession } from "../../db/client.ts";
import { abandonedClaims, type AbandonedClaim } from "../state/due.ts";
import { PAYEE_KINDS } from "../state/kind.ts";
import { returnAllToDue } from "../state/release.ts";
import { takeOverUnsent } from "../state/take-over.ts";
import type { Settler } from "../state/settle-found.ts";
import type { Decision } from "./report.ts";

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
  if (!(await takeOverUnsent(tx, { payoutId, claimedBy }, { runId, fence: lease.fence })))
    return false;
  const detail = { takenOverFrom: claimedBy };
  await returnAllToDue(tx, { runId, actor }, [{ payoutId, reason: REASON, detail }]);
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

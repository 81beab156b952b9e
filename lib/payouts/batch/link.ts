import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { consultantsThatOwe, lockConsultant } from "../../earnings/recoveries.ts";
import { readAccountStops, type AccountStop } from "../state/account-holds.ts";
import { ChangedMeanwhileError, createPayout } from "../state/create.ts";
import { OPEN_HOLDS } from "../state/on-hold.ts";
import type { NewStatus } from "./decide.ts";
import type { DueGroup } from "./read-due.ts";

export const BATCH_ACTOR = "job:payouts/create-payout-batch";

type LinkResult =
  | { kind: "created"; payoutId: string }
  /** A hold was placed since the consultant was read. */
  | { kind: "on_hold"; holds: readonly string[] }
  /** The consultant's account was refused since. */
  | { kind: "stopped"; stop: AccountStop }
  /** An earning was linked, refunded or held back since it was read, or the consultant owes something since. */
  | { kind: "changed" };

/**
 * Makes one payout out of a group, all or nothing.
 *
 * Locks are taken in one order everywhere, consultant and then earnings by booking reference. Each check is a
 * separate statement after them: it sees rows that were committed while it waited.
 */
export async function linkPayout(
  db: Db,
  { group, status, runId }: { group: DueGroup; status: NewStatus; runId: string },
): Promise<LinkResult> {
  try {
    return await inTransaction(db, async (tx) => {
      await lockConsultant(tx, group.consultantId);
      const holds = await openHolds(tx, group.consultantId);
      if (holds.length > 0) return { kind: "on_hold", holds };
      const stop = (await readAccountStops(tx, [group.consultantId])).get(group.consultantId);
      if (stop) return { kind: "stopped", stop };
      await assertOwesNothing(tx, group);
      await assertSameOrganization(tx, group);

      const payoutId = await createPayout(tx, group, status);
      await recordAudit(tx, {
        actor: BATCH_ACTOR,
        category: "payout",
        action: status === "APPROVED" ? "created-approved" : "created-pending",
        subjectType: "payout",
        subjectId: payoutId,
        reason: reasonFor(group, status),
        detail: { runId, earnings: group.earningIds.length, amountPaise: group.amountPaise },
      });
      return { kind: "created", payoutId };
    });
  } catch (error) {
    if (error instanceof ChangedMeanwhileError) return { kind: "changed" };
    throw error;
  }
}

function reasonFor({ organizationId }: DueGroup, status: NewStatus): string {
  if (organizationId !== null) return "paid without approval: organization";
  return status === "APPROVED"
    ? "at or below the limit of automatic approval"
    : "above the limit of automatic approval";
}

/** The kinds of open holds. Placing one takes the lock of the consultant, in a trigger. */
async function openHolds(tx: DbSession, consultantId: string): Promise<string[]> {
  const rows = await tx.query<{ kind: string }[]>`
    SELECT kind FROM (${OPEN_HOLDS}) AS hold WHERE consultant_id = ${consultantId}::uuid ORDER BY kind`;
  return rows.map(({ kind }) => kind);
}

/** A consultant's debt is taken first; this finds a debt from a sale refunded since. */
async function assertOwesNothing(
  tx: DbSession,
  { consultantId, currency }: DueGroup,
): Promise<void> {
  const owing = await consultantsThatOwe(tx, [consultantId], currency);
  if (owing.length > 0) throw new ChangedMeanwhileError();
}

/** Making a consultant an organization's payee takes the same lock. */
async function assertSameOrganization(
  tx: DbSession,
  { consultantId, organizationId }: DueGroup,
): Promise<void> {
  const [organization] = await tx.query<{ id: string }[]>`
    SELECT id FROM organizations WHERE payee_id = ${consultantId}::uuid`;
  if ((organization?.id ?? null) !== organizationId) throw new ChangedMeanwhileError();
}

import { recordAudits } from "../../audit/audit-log.ts";
import type { DbSession } from "../../db/client.ts";

/** The default actor of a change to an organization's payout. */
export const PAY_RUN = "job:payouts/process-payouts";

/** The run that holds payouts. */
export interface HoldingRun {
  runId: string;
  /** As the audit log names it; default: the pay run. */
  actor?: string;
}

/** The run that holds a payout. */
export interface Holder extends HoldingRun {
  payoutId: string;
}

/** The change of a payout; a consultant's own payout writes no entry. */
export interface PayoutChange {
  payoutId: string;
  organizationId: string | null;
  action: "claimed" | "completed" | "failed" | "returned";
  /** A code; the provider's words are in the attempt. */
  reason?: string | null;
  detail?: Readonly<Record<string, unknown>>;
}

/**
 * Records the changes of organizations' payouts, in the transaction of the change. A consultant's payout writes
 * no entry: a person has approved it, and its attempts show the rest.
 */
export async function auditOrganizations(
  tx: DbSession,
  { runId, actor = PAY_RUN }: HoldingRun,
  changes: readonly PayoutChange[],
): Promise<void> {
  await recordAudits(
    tx,
    changes
      .filter(({ organizationId }) => organizationId !== null)
      .map(({ payoutId, organizationId, action, reason = null, detail = {} }) => ({
        actor,
        category: "payout",
        action,
        subjectType: "payout",
        subjectId: payoutId,
        reason,
        detail: { organizationId, runId, ...detail },
      })),
  );
}

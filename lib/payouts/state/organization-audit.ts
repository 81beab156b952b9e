import { recordAudits } from "../../audit/audit-log.ts";
import type { DbSession } from "../../db/client.ts";

/** Who changes an organization's payout unless told otherwise. */
const PAY_RUN = "job:payouts/process-payouts";

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

/** What became of a payout; of one that is a consultant's own nothing is written. */
export interface PayoutChange {
  payoutId: string;
  organizationId: string | null;
  action: "claimed" | "completed" | "failed" | "returned";
  /** A code; what the provider said stands in the attempt. */
  reason?: string | null;
  detail?: Readonly<Record<string, unknown>>;
}

/**
 * Writes down what became of the payouts of organizations, in the transaction of the change. For a
 * consultant's payout, which a person has approved and whose attempts tell the rest, it writes nothing.
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

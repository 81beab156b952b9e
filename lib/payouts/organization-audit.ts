import { recordAudit } from "../audit/audit-log.ts";
import type { DbSession } from "../db/prisma.ts";

/** Who changes an organization's payout unless told otherwise. */
const PAY_RUN = "job:payouts/process-payouts";

/** The run that holds a payout. */
export interface Holder {
  payoutId: string;
  runId: string;
  /** As the audit log names it; default: the pay run. */
  actor?: string;
}

/**
 * Writes down what became of an organization's payout, in the transaction of the change. For a
 * consultant's payout, which a person has approved and whose attempts tell the rest, it writes nothing.
 */
export async function auditOrganization(
  tx: DbSession,
  { payoutId, runId, actor = PAY_RUN }: Holder,
  {
    organizationId,
    action,
    reason = null,
    detail = {},
  }: {
    organizationId: string | null;
    action: "claimed" | "completed" | "failed" | "returned";
    /** A code; what the provider said stands in the attempt. */
    reason?: string | null;
    detail?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  if (organizationId === null) return;
  await recordAudit(tx, {
    actor,
    category: "payout",
    action,
    subjectType: "payout",
    subjectId: payoutId,
    reason,
    detail: { organizationId, runId, ...detail },
  });
}

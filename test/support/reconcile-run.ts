import { reconcilePayoutStatus } from "../../lib/payouts/reconcile/reconcile-status.ts";
import type { Verdict } from "../../lib/support/verdict.ts";
import { withProviderPorts, type ProviderRunOptions } from "./provider-run.ts";
import type { ReconcileReport } from "../../lib/payouts/reconcile/index.ts";

/** One run of reconcile-payout-status in this process, as the job makes it. */
export async function runReconcile(
  options: ProviderRunOptions & { days?: number; fullDays?: number },
): Promise<{ runId: string; verdict: Verdict; report: ReconcileReport }> {
  return withProviderPorts(options, "reconcile run under test", (ports) =>
    reconcilePayoutStatus({
      ...ports,
      settings: { days: options.days ?? 14, fullDays: options.fullDays ?? 400 },
    }),
  );
}

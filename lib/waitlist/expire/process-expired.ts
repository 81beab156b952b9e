import { inTransaction } from "../../db/client.ts";
import { inPages, tryRow } from "../../db/rows.ts";
import { deliverAfter } from "../../notifications/index.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { advanceWaitlist } from "../advance.ts";
import { isStopped, type WaitlistPorts } from "../ports.ts";
import type { WaitlistSettings } from "../settings.ts";
import { countDuePlans, duePlansAfter, type DuePlan } from "./due-plans.ts";
import {
  countPlan,
  emptyExpireReport,
  type ExpireReport,
  type PlanItem,
  type PlanOutcome,
} from "./report.ts";

/**
 * Ends every expired offer and offers each free seat to the next person, one transaction for each plan: see
 * docs/jobs/process-expired-notifications.md. Due plans follow from the rows as they are now, not from events
 * since the last run. So no missed run and no crash loses a seat. `limit` counts plans.
 */
export async function processExpiredNotifications(
  ports: WaitlistPorts<WaitlistSettings>,
): Promise<CoreResult<ExpireReport>> {
  const report = emptyExpireReport(ports.dryRun);
  report.found = Math.min(await countDuePlans(ports.db), ports.limit ?? Infinity);
  let seen = 0;
  const plans = inPages<DuePlan>(
    ({ after, count }) => duePlansAfter(ports.db, { after: after?.planId, count }),
    { most: report.found },
  );
  for await (const plan of plans) {
    if (ports.signal.aborted) return { verdict: { kind: "interrupted" }, report };
    try {
      const item = await handle(ports, plan);
      countPlan(report, item);
      ports.log.info({ ...item }, `waitlist ${item.outcome}`);
    } catch (error) {
      return { verdict: { kind: "broken", error }, report };
    }
    ports.progress.update(++seen, report.found);
  }
  // Some of those counted at first may have been moved on before they were read.
  report.found = seen;
  if (isStopped(ports, report)) return { verdict: { kind: "interrupted" }, report };
  Object.assign(report, await deliverAfter(ports));
  return { verdict: judge(report), report };
}

/** One plan, whose trouble is reported and never stops the others. */
async function handle(
  { db, dryRun, lease, log, settings }: WaitlistPorts<WaitlistSettings>,
  { planId, toExpire, toOffer }: DuePlan,
): Promise<PlanItem> {
  const left = (outcome: PlanOutcome): PlanItem => ({ planId, outcome, expired: 0, offered: 0 });
  const done = (expired: number, offered: number): PlanItem =>
    expired + offered === 0 ? left("unchanged") : { planId, outcome: "advanced", expired, offered };
  if (dryRun) return done(toExpire, toOffer);
  lease.assertTrusted();
  const moved = await tryRow(
    () => inTransaction(db, (tx) => advanceWaitlist(tx, { planId, offerMs: settings.offerMs })),
    { log, row: { planId }, failed: "waitlist not moved on" },
  );
  if (moved.kind !== "done") return left(moved.kind);
  return done(moved.value.expired.length, moved.value.offers.length);
}

function judge({ found, advanced, unchanged, locked, failed }: ExpireReport): Verdict {
  const left = locked + failed;
  if (left === 0) return { kind: "completed" };
  const trouble = [
    ...(locked > 0 ? [`${locked} are locked by another session`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ].join(" and ");
  if (advanced + unchanged === 0) {
    return {
      kind: "failed",
      code: "work-left-behind",
      message: `Of ${found} plans whose waitlist has to go on none was handled: ${trouble}.`,
      remedy:
        "Look for another session that holds the rows (pg_stat_activity), and at the errors in the log. Nothing was changed; run again.",
    };
  }
  if (failed > 0) {
    return {
      kind: "partial",
      reason: "plans-failed",
      message: `${advanced} of ${found} waitlists moved on; ${trouble}.`,
      remedy:
        "The log has the error of each plan listed below. Nothing of them was changed; they are due again in the next run.",
    };
  }
  return {
    kind: "completed",
    warning: `${locked} plans were locked by another session and are left to the next run.`,
  };
}

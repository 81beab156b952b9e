import { inTransaction } from "../../db/client.ts";
import { inPages, tryRow } from "../../db/rows.ts";
import { deliverAfter } from "../../notifications/index.ts";
import { hours } from "../../support/clock.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { advanceWaitlist } from "../advance.ts";
import { isStopped, type WaitlistPorts } from "../ports.ts";
import type { WaitlistSettings } from "../settings.ts";
import { countDuePlans, duePlansAfter, readUntold, type DuePlan } from "./due-plans.ts";
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
  const untold = await readUntold(ports.db);
  report.unsent = untold.count;
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
  const verdict = judge(report);
  return {
    verdict: isClean(verdict) ? judgeUntold(untold, ports.settings) : verdict,
    report,
  };
}

/** One plan, whose trouble is reported and never stops the others. */
async function handle(
  { db, dryRun, lease, log, settings }: WaitlistPorts<WaitlistSettings>,
  { planId, toExpire, toPassOver, toOffer }: DuePlan,
): Promise<PlanItem> {
  const none = { expired: 0, unreached: 0, offered: 0 };
  const left = (outcome: PlanOutcome): PlanItem => ({ planId, outcome, ...none });
  const done = (counts: typeof none): PlanItem =>
    counts.expired + counts.unreached + counts.offered === 0
      ? left("unchanged")
      : { planId, outcome: "advanced", ...counts };
  if (dryRun) return done({ expired: toExpire, unreached: toPassOver, offered: toOffer });
  lease.assertTrusted();
  const moved = await tryRow(
    () => inTransaction(db, (tx) => advanceWaitlist(tx, { planId, offerMs: settings.offerMs })),
    { log, row: { planId }, failed: "waitlist not moved on" },
  );
  if (moved.kind !== "done") return left(moved.kind);
  const { expired, unreached, offers } = moved.value;
  return done({
    expired: expired.length,
    unreached: unreached.length,
    offered: offers.length,
  });
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

/** Mail is delivered every ten minutes: so old means that none goes out. */
const UNSENT_WARNING_MS = hours(2);

function isClean(verdict: Verdict): boolean {
  return verdict.kind === "completed" && verdict.warning === undefined;
}

/** Offers without mail keep their seats, so that somebody must see them. Red when others lose their turn by it. */
function judgeUntold(
  { count, oldestMs }: { count: number; oldestMs: number },
  { offerMs }: WaitlistSettings,
): Verdict {
  if (oldestMs < UNSENT_WARNING_MS) return { kind: "completed" };
  const message = `${count} offers wait because their mail has not gone out, the oldest for ${Math.floor(oldestMs / hours(1))} hours. Their seats are kept, and nobody's turn passes.`;
  if (oldestMs < Math.max(offerMs, UNSENT_WARNING_MS))
    return { kind: "completed", warning: message };
  return {
    kind: "partial",
    reason: "offers-not-mailed",
    message,
    remedy:
      "See why notifications/deliver-outbox does not send them, and `npm run mails -- list` for mail that was given up. Each offer counts from when its mail is sent.",
  };
}

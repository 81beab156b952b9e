import type { Db } from "../../db/client.ts";
import { planRecoveries } from "../../earnings/recoveries.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { toError } from "../../support/errors.ts";
import { formatRupees } from "../../support/money.ts";
import type { RunContext } from "../../support/run-context.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { DEFAULT_REFUND_BASE } from "../../tds/index.ts";
import { RETRY_LATER } from "../state/account-holds.ts";
import { HOLD_REMEDY } from "../state/on-hold.ts";
import { shortPaise, storedFunds, type Funds } from "../state/funds.ts";
import { decide, onHold, stopped, type NewStatus } from "./decide.ts";
import { linkPayout } from "./link.ts";
import { recoverFirst } from "./recover.ts";
import { consultantsAfter, countConsultants, dueGroups, type DueGroup } from "./read-due.ts";
import {
  countCreated,
  countLeftOut,
  countRecovered,
  countUnsettled,
  emptyBatchReport,
  type BatchReport,
} from "./report.ts";
import type { BatchSettings } from "./settings.ts";
import { unsettledOf } from "./unsettled.ts";
import { isForEveryRow } from "../../db/sqlstate.ts";
import { defaultModeSettings } from "../../provider/index.ts";

/** All that the batch may touch. `limit` counts payouts. */
export interface BatchPorts extends Omit<RunContext<BatchSettings>, "clock" | "random"> {
  readonly db: Db;
}

/** Consultants that are read at once. With their earnings' ids a page stays within a few megabytes. */
const PAGE = 200;

/**
 * Makes one payout for each consultant out of all due earnings. See docs/jobs/create-payout-batch.md for the
 * rules and for the meaning of each outcome.
 */
export async function createPayoutBatch(ports: BatchPorts): Promise<CoreResult<BatchReport>> {
  const report = emptyBatchReport(ports.dryRun);
  const changed: string[] = [];
  const total = await countConsultants(ports.db);
  let done = 0;

  for await (const { consultantIds, groups } of pages(ports, report)) {
    for (const group of groups) {
      if (ports.signal.aborted) return { verdict: { kind: "interrupted" }, report };
      if (report.created + report.planned === ports.limit) {
        return { verdict: await judge(ports, report, changed), report };
      }
      const outcome = await handle(ports, report, group);
      if (outcome === "changed") changed.push(group.consultantId);
    }
    done += consultantIds.length;
    ports.progress.update(done, total);
  }
  return { verdict: await judge(ports, report, changed), report };
}

interface Page {
  consultantIds: readonly string[];
  groups: readonly DueGroup[];
}

async function* pages(ports: BatchPorts, report: BatchReport): AsyncGenerator<Page> {
  for (let after: string | undefined; ;) {
    const consultantIds = await consultantsAfter(ports.db, { after, count: PAGE });
    if (consultantIds.length === 0) return;
    yield { consultantIds, groups: await groupsOf(ports, report, consultantIds) };
    const { settlementDays } = ports.settings;
    for (const each of await unsettledOf(ports.db, consultantIds, settlementDays)) {
      countUnsettled(report, each);
    }
    after = consultantIds.at(-1);
  }
}

/** The due earnings of these consultants, less their debts for refunded sales. */
async function groupsOf(
  ports: BatchPorts,
  report: BatchReport,
  consultantIds: readonly string[],
): Promise<DueGroup[]> {
  const { settlementDays, refundBase: acrossYears = DEFAULT_REFUND_BASE } = ports.settings;
  if (!ports.dryRun) {
    countRecovered(report, await recoverFirst({ ...ports, acrossYears }, consultantIds));
    return dueGroups(ports.db, consultantIds, { settlementDays });
  }
  const planned = await planRecoveries(ports.db, consultantIds, acrossYears);
  countRecovered(report, planned);
  return dueGroups(ports.db, consultantIds, { settlementDays, planned });
}

/** One consultant, whose trouble is reported and never stops the others. */
async function handle(
  ports: BatchPorts,
  report: BatchReport,
  group: DueGroup,
): Promise<"created" | "left-out" | "changed"> {
  const decision = decide(group, ports.settings);
  if (decision.kind !== "create") {
    countLeftOut(report, group, decision);
    return "left-out";
  }
  if (ports.dryRun) {
    countCreated(report, group, decision.status);
    return "created";
  }

  ports.lease.assertTrusted();
  const linked = await tryToLink(ports, group, decision.status);
  switch (linked.kind) {
    case "created": {
      const { consultantId, organizationId, amountPaise } = group;
      const { status } = decision;
      countCreated(report, group, status);
      ports.log.info(
        { payoutId: linked.payoutId, consultantId, organizationId, status, amountPaise },
        "payout created",
      );
      return "created";
    }
    case "on_hold":
      countLeftOut(report, group, onHold(linked.holds));
      return "left-out";
    case "stopped":
      countLeftOut(report, group, stopped(linked.stop));
      return "left-out";
    case "changed":
      countLeftOut(report, group, {
        kind: "changed",
        code: "CHANGED_MEANWHILE",
        message:
          "an earning was linked, refunded or held back, the consultant came to owe something of a refunded sale, or the payee became an organization's, while the batch was being made",
      });
      return "changed";
    case "error":
      countLeftOut(report, group, {
        kind: "refused",
        code: "NOT_WRITTEN",
        message: "the database did not take the payout; the log has the error",
      });
      return "left-out";
  }
}

async function tryToLink(
  { db, runId, log }: BatchPorts,
  group: DueGroup,
  status: NewStatus,
): Promise<Awaited<ReturnType<typeof linkPayout>> | { kind: "error" }> {
  try {
    return await linkPayout(db, { group, status, runId });
  } catch (error) {
    // The next consultant would meet a lost connection or a missing right as well.
    if (isForEveryRow(error)) throw error;
    log.error({ consultantId: group.consultantId, err: toError(error) }, "payout not written");
    return { kind: "error" };
  }
}

/**
 * Red when a due consultant has no payout because of this run. Payouts that another batch has linked meanwhile
 * are no fault; holds and small sums are normal.
 */
async function judge(
  ports: BatchPorts,
  report: BatchReport,
  changed: readonly string[],
): Promise<Verdict> {
  const waiting = await stillDue(ports, changed);
  if (waiting > 0 && report.created === 0) {
    return {
      kind: "failed",
      code: "work-left-behind",
      message: `${counted(waiting, "consultant")} ${agreeing(waiting, "is", "are")} due and not one payout was created: the earnings of each changed while the batch was being made.`,
      remedy:
        "Nothing was written for them. Look for another program that works on the same earnings (an import, refunds), then run the batch again.",
    };
  }
  report.funds = await storedFunds(ports.db, {
    count: report.planned,
    paise: ports.dryRun ? report.amountPaise : 0n,
  });
  if (waiting + report.refused === 0) {
    const warnings = [
      ...shortWarning(report.funds),
      ...upiWarning(report),
      ...approvalWarning(report),
      ...holdWarning(report),
    ];
    return { kind: "completed", ...(warnings.length === 0 ? {} : { warning: warnings.join(" ") }) };
  }
  const parts = [
    ...(report.refused > 0
      ? [
          `${counted(report.refused, "consultant")} ${agreeing(report.refused, "was", "were")} refused`,
        ]
      : []),
    ...(waiting > 0 ? [`the earnings of ${waiting} changed meanwhile`] : []),
  ];
  const made = ports.dryRun
    ? `${counted(report.planned, "payout")} would be created`
    : `${counted(report.created, "payout")} ${agreeing(report.created, "was", "were")} created`;
  return {
    kind: "partial",
    reason: report.refused > 0 ? "consultants-refused" : "changed-meanwhile",
    message: `${made}; ${parts.join(" and ")}.`,
    remedy:
      "Nothing was written for these consultants. Mend the cause listed below and run the batch again before the payouts are processed; it never takes an earning twice.",
  };
}

/** The pay run sends nothing that waits for a person. */
function approvalWarning({ pending, pendingPaise }: BatchReport): string[] {
  if (pending === 0) return [];
  return [
    `${counted(pending, "payout")} (${formatRupees(pendingPaise)}) ${agreeing(pending, "needs", "need")} approval and ${agreeing(pending, "is", "are")} not sent before it. Look at them with npm run payouts -- list, then approve or reject ${agreeing(pending, "it", "them")}.`,
  ];
}

function holdWarning({ onHold: count, retryLater, onHoldPaise }: BatchReport): string[] {
  if (count === 0) return [];
  const their = agreeing(count, "its", "their");
  const sorts = [
    ...(retryLater < count ? [HOLD_REMEDY] : []),
    ...(retryLater > 0
      ? [
          `${retryLater} of these only ${agreeing(retryLater, "waits", "wait")} after a failed try, and needs no action (${RETRY_LATER}).`,
        ]
      : []),
  ];
  return [
    `${counted(count, "consultant")} ${agreeing(count, "is", "are")} on hold, so ${their} earnings (${formatRupees(onHoldPaise)}) got no payout. The money stays here, and the first batch after the hold pays it. ${sorts.join(" ")}`,
  ];
}

/** A shortage is said now, while there is time to add money before the pay run. */
function shortWarning(funds: Funds): string[] {
  const short = shortPaise(funds);
  if (short === 0n) return [];
  return [
    `The account lacks ${formatRupees(short)} for all payouts that are open. Add money before the pay run: without it the run is red, and pays the oldest first or nobody (PAYOUTS_WHEN_SHORT).`,
  ];
}

/** These payouts would be refused before they are sent, and be larger in the next batch. */
function upiWarning({ aboveUpiLimit, aboveUpi, dryRun }: BatchReport): string[] {
  if (aboveUpiLimit === 0) return [];
  const limit = formatRupees(defaultModeSettings.upiMaximumPaise);
  const names = aboveUpi.slice(0, 3).map(({ consultantRef }) => consultantRef);
  const such = `${names.join(", ")}${aboveUpiLimit > names.length ? " and others" : ""}`;
  const made = dryRun ? "would be" : agreeing(aboveUpiLimit, "is", "are");
  return [
    `${counted(aboveUpiLimit, "payout")} ${made} to a VPA and more than ${limit} before tax, the most that one payout to a VPA carries (${such}). Such a payout fails unless tax brings it below. Ask for a bank account and import it with --update-accounts before the payouts are processed.`,
  ];
}

/** Of the consultants that changed under this run, how many a batch would still pay. */
async function stillDue(
  { db, settings }: BatchPorts,
  consultantIds: readonly string[],
): Promise<number> {
  let count = 0;
  for (let start = 0; start < consultantIds.length; start += PAGE) {
    const page = consultantIds.slice(start, start + PAGE);
    const groups = await dueGroups(db, page, settings);
    count += groups.filter((group) => decide(group, settings).kind === "create").length;
  }
  return count;
}

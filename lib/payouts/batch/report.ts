import { takenPaise, type Take } from "../../earnings/recoveries.ts";
import { defaultModeSettings } from "../../provider/index.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import { countReason, reasonsTable } from "../../support/reasons-table.ts";
import {
  itemsTable,
  keptTable,
  nothingNoted,
  reportCounters,
  type CountedBy,
  type NotedItems,
  type OutcomeOf,
} from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { RETRY_LATER } from "../state/account-holds.ts";
import { fundsTable, type Funds } from "../state/funds.ts";
import type { NewStatus } from "./decide.ts";
import type { DueGroup } from "./read-due.ts";
import type { Unsettled } from "./unsettled.ts";

/**
 * One line of counts for each consultant and currency:
 * found = created (dry run: planned) + carried + onHold + refused + changed.
 */
const counters = reportCounters({
  /** Consultants with anything due, once for each currency. */
  found: { label: "Consultants with something due", output: "consultants_found" },
  created: { label: { run: "Payouts created" }, output: "payouts_created" },
  /** Payouts that a run would create. */
  planned: { label: { dryRun: "Payouts a run would create" } },
  /** Of those created or planned: approved + pending + organizations. */
  approved: { label: "of which approved at once" },
  /** Waits for a person. */
  pending: { label: "of which wait for a person" },
  /** Paid by the next run without anybody's approval. */
  organizations: { label: "of which are organizations', paid without approval" },
  /** Owed less than the minimum; READY for the next batch. */
  carried: {
    label: "Carried to the next batch (below the minimum)",
    outcome: "carried",
    rank: 4,
  },
  onHold: { label: "On hold", outcome: "on_hold", rank: 2 },
  /** The part of those on hold that only waits after a failure, and needs no person. */
  retryLater: { output: false },
  /** Rejected: a person has to look. */
  refused: { label: "Refused", outcome: "refused" },
  /** Changed between reading and linking; nothing was written. */
  changed: { label: "Changed meanwhile", outcome: "changed", rank: 1 },
  /** Earnings in the payouts created or planned. */
  earnings: { label: "Earnings in these payouts" },
  /** Earnings that wait until the buyers' money has settled: in none of the other numbers. */
  unsettled: {
    label: "Earnings that wait until the buyers' money has settled",
    outcome: "unsettled",
    rank: 3,
  },
  /** Consultants whose they are, once for each currency. */
  unsettledConsultants: { output: false },
  approvedPaise: { label: "Approved at once", unit: "paise" },
  pendingPaise: { label: "Waits for a person", unit: "paise" },
  organizationsPaise: { label: "Organizations', paid without approval", unit: "paise" },
  /** Owed before tax for the same payouts: approved, pending and organizations together. */
  amountPaise: { label: "Together (gross less platform fee and refunds)", unit: "paise" },
  /** Of the payouts created or planned, net of refunds; the base of the tax. */
  grossPaise: { label: "Tax base (gross less refunds, without GST)", unit: "paise" },
  /** Of INR alone, as all that follow. */
  carriedPaise: { label: "Carried to the next batch", unit: "paise" },
  onHoldPaise: { label: "On hold", unit: "paise" },
  unsettledPaise: { label: "Waits until the buyers' money has settled", unit: "paise" },
  /** Taken off earnings, whether or not they make a payout, because settled sales were refunded. */
  recoveredPaise: { label: "Taken off because paid sales were refunded", unit: "paise" },
  /** Of the payouts created or planned, those to a VPA that are more than a VPA takes, before tax. */
  aboveUpiLimit: { output: false },
});

/** Why a consultant got no payout in this batch. */
export type LeftOut = Exclude<OutcomeOf<typeof counters>, "unsettled">;

/** One consultant without a payout, or with a smaller one, and the reason. Holds no personal data. */
export interface BatchItem {
  consultantId: string;
  /** As the marketplace names the consultant. */
  consultantRef: string;
  currency: string;
  /** `unsettled`: earnings that wait for the buyers' money, for any outcome of the rest. */
  outcome: OutcomeOf<typeof counters>;
  /** Stable: `BELOW_MINIMUM`, `OPEN_DISPUTE`, `CURRENCY_NOT_SUPPORTED`, `CHANGED_MEANWHILE`, `NOT_SETTLED`. */
  code: string;
  message: string;
}

export interface BatchReport extends CountedBy<typeof counters>, NotedItems<BatchItem> {
  /** The first 250 of those that are more than a VPA takes, by the consultant's code. */
  aboveUpi: { consultantRef: string; amountPaise: Paise }[];
  /** The needs of the next pay run, beside the last known balance of the account. */
  funds: Funds | undefined;
}

/** So that a thousand small sums never hide the one refused consultant. */
const MOST_ITEMS_OF_AN_OUTCOME = 250;

export function emptyBatchReport(dryRun: boolean): BatchReport {
  return {
    ...counters.empty(dryRun),
    ...nothingNoted<BatchItem>(),
    aboveUpi: [],
    funds: undefined,
  };
}

export function countRecovered(report: BatchReport, takes: readonly Take[]): void {
  report.recoveredPaise += takenPaise(takes);
}

/** Counts earnings that wait for the buyers' money, and names whose they are. */
export function countUnsettled(report: BatchReport, waiting: Unsettled): void {
  const { consultantId, consultantRef, currency, earnings, amountPaise, settledOn } = waiting;
  report.unsettled += earnings;
  report.unsettledConsultants++;
  if (currency === "INR") report.unsettledPaise += amountPaise;
  const sum = currency === "INR" ? ` (${formatRupees(amountPaise)})` : "";
  const message = `${counted(earnings, "earning")}${sum} ${agreeing(earnings, "waits", "wait")}: the buyers' money has not settled; the last is due on ${settledOn}`;
  const item = { consultantId, consultantRef, currency, message };
  note(report, { ...item, outcome: "unsettled", code: "NOT_SETTLED" }, report.unsettledConsultants);
}

/** Counts a payout that was created, or in a dry run would be. */
export function countCreated(report: BatchReport, group: DueGroup, status: NewStatus): void {
  report.found++;
  report[report.dryRun ? "planned" : "created"]++;
  report.earnings += group.earningIds.length;
  report.grossPaise += group.grossPaise;
  report.amountPaise += group.amountPaise;
  const { consultantRef, amountPaise } = group;
  if (group.isPaidToVpa && amountPaise > defaultModeSettings.upiMaximumPaise) {
    report.aboveUpiLimit++;
    if (report.aboveUpi.length < MOST_ITEMS_OF_AN_OUTCOME)
      report.aboveUpi.push({ consultantRef, amountPaise });
  }
  if (group.organizationId !== null) {
    report.organizations++;
    report.organizationsPaise += group.amountPaise;
  } else if (status === "APPROVED") {
    report.approved++;
    report.approvedPaise += group.amountPaise;
  } else {
    report.pending++;
    report.pendingPaise += group.amountPaise;
  }
}

export function countLeftOut(
  report: BatchReport,
  group: DueGroup,
  { kind, code, message }: { kind: LeftOut; code: string; message: string },
): void {
  report.found++;
  counters.count(report, kind);
  if (code === RETRY_LATER) report.retryLater++;
  if (group.currency === "INR" && kind === "carried") report.carriedPaise += group.amountPaise;
  if (group.currency === "INR" && kind === "on_hold") report.onHoldPaise += group.amountPaise;
  const { consultantId, consultantRef, currency } = group;
  const item = { consultantId, consultantRef, currency, outcome: kind, code, message };
  note(report, item, report[kind === "on_hold" ? "onHold" : kind]);
}

/** `nth`: of the items with this outcome. */
function note(report: BatchReport, item: BatchItem, nth: number): void {
  countReason(report.reasons, { ...item, id: item.consultantRef });
  if (nth > MOST_ITEMS_OF_AN_OUTCOME) report.itemsLeftOut++;
  else report.items.push(item);
}

export const batchOutputs = counters.outputs;

export function batchTables(report: BatchReport): SummaryTable[] {
  return [
    { title: "Batch", columns: ["", "Count"], rows: counters.rows(report, "count") },
    {
      title: "Amounts before tax",
      columns: ["", "Rupees"],
      rows: counters.rows(report, "paise"),
    },
    ...(report.funds === undefined ? [] : [fundsTable(report.funds)]),
    itemsTable(
      "More than a VPA takes",
      {
        Consultant: "consultantRef",
        "Owed before tax": "amountPaise",
        "What to do": () =>
          "import a bank account with --update-accounts before the payouts are processed",
      },
      report.aboveUpi,
      report.aboveUpiLimit - report.aboveUpi.length,
    ),
    reasonsTable("Reasons", report.reasons),
    keptTable(
      "Left out",
      {
        Consultant: "consultantRef",
        Currency: "currency",
        Outcome: "outcome",
        Reason: "code",
        "What was found": "message",
      },
      { report, rank: counters.rank },
    ),
  ];
}

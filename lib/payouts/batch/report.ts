import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import { RETRY_LATER } from "../state/account-holds.ts";
import type { Funds } from "../state/funds.ts";
import type { NewStatus } from "./decide.ts";
import { takenPaise, type Take } from "../../earnings/recoveries.ts";
import type { DueGroup } from "./read-due.ts";
import type { Unsettled } from "./unsettled.ts";
import { defaultModeSettings } from "../../provider/index.ts";

/** Why a consultant got no payout in this batch. */
type LeftOut = "carried" | "on_hold" | "refused" | "changed";

/** One consultant without a payout, or with a smaller one, and the reason. Holds no personal data. */
export interface BatchItem {
  consultantId: string;
  /** As the marketplace names the consultant. */
  consultantRef: string;
  currency: string;
  /** `unsettled`: earnings that wait for the buyers' money, for any outcome of the rest. */
  outcome: LeftOut | "unsettled";
  /** Stable: `BELOW_MINIMUM`, `OPEN_DISPUTE`, `CURRENCY_NOT_SUPPORTED`, `CHANGED_MEANWHILE`, `NOT_SETTLED`. */
  code: string;
  message: string;
}

/**
 * One line of counts for each consultant and currency:
 * found = created (dry run: planned) + carried + onHold + refused + changed.
 */
export interface BatchReport {
  dryRun: boolean;
  /** Consultants with anything due, once for each currency. */
  found: number;
  created: number;
  /** Dry run only: payouts that a run would create. */
  planned: number;
  /** Of those created or planned: approved + pending + organizations. */
  approved: number;
  /** Waits for a person. */
  pending: number;
  /** Paid by the next run without anybody's approval. */
  organizations: number;
  /** Owed less than the minimum; READY for the next batch. */
  carried: number;
  onHold: number;
  /** The part of those on hold that only waits after a failure, and needs no person. */
  retryLater: number;
  /** Rejected: a person has to look. */
  refused: number;
  /** Changed between reading and linking; nothing was written. */
  changed: number;
  /** Earnings in the payouts created or planned. */
  earnings: number;
  /** Of the payouts created or planned, net of refunds; the base of the tax. */
  grossPaise: Paise;
  /** Owed before tax for the same payouts: approved, pending and organizations together. */
  amountPaise: Paise;
  approvedPaise: Paise;
  pendingPaise: Paise;
  organizationsPaise: Paise;
  /** Of INR alone. */
  carriedPaise: Paise;
  onHoldPaise: Paise;
  /** Earnings that wait until the buyers' money has settled: in none of the numbers above. */
  unsettled: number;
  unsettledPaise: Paise;
  /** Consultants whose they are, once for each currency. */
  unsettledConsultants: number;
  /** Taken off earnings, whether or not they make a payout, because settled sales were refunded. */
  recoveredPaise: Paise;
  /** Of the payouts created or planned, those to a VPA that are more than a VPA takes, before tax. */
  aboveUpiLimit: number;
  /** The first 250 of those, by the consultant's code. */
  aboveUpi: { consultantRef: string; amountPaise: Paise }[];
  /** The needs of the next pay run, beside the last known balance of the account. */
  funds: Funds | undefined;
  items: BatchItem[];
  /** Items beyond the first 250 of each outcome are counted, not kept. */
  itemsLeftOut: number;
}

/** So that a thousand small sums never hide the one refused consultant. */
const MOST_ITEMS_OF_AN_OUTCOME = 250;

export function emptyBatchReport(dryRun: boolean): BatchReport {
  return {
    dryRun,
    found: 0,
    created: 0,
    planned: 0,
    approved: 0,
    pending: 0,
    organizations: 0,
    carried: 0,
    onHold: 0,
    retryLater: 0,
    refused: 0,
    changed: 0,
    earnings: 0,
    grossPaise: 0n,
    amountPaise: 0n,
    approvedPaise: 0n,
    pendingPaise: 0n,
    organizationsPaise: 0n,
    carriedPaise: 0n,
    onHoldPaise: 0n,
    unsettled: 0,
    unsettledPaise: 0n,
    unsettledConsultants: 0,
    recoveredPaise: 0n,
    aboveUpiLimit: 0,
    aboveUpi: [],
    funds: undefined,
    items: [],
    itemsLeftOut: 0,
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
  if (report.unsettledConsultants > MOST_ITEMS_OF_AN_OUTCOME) {
    report.itemsLeftOut++;
    return;
  }
  const sum = currency === "INR" ? ` (${formatRupees(amountPaise)})` : "";
  const message = `${counted(earnings, "earning")}${sum} ${agreeing(earnings, "waits", "wait")}: the buyers' money has not settled; the last is due on ${settledOn}`;
  const item = { consultantId, consultantRef, currency, message };
  report.items.push({ ...item, outcome: "unsettled", code: "NOT_SETTLED" });
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
  const counter = kind === "on_hold" ? "onHold" : kind;
  report[counter]++;
  if (code === RETRY_LATER) report.retryLater++;
  if (group.currency === "INR" && kind === "carried") report.carriedPaise += group.amountPaise;
  if (group.currency === "INR" && kind === "on_hold") report.onHoldPaise += group.amountPaise;
  if (report[counter] > MOST_ITEMS_OF_AN_OUTCOME) {
    report.itemsLeftOut++;
    return;
  }
  const { consultantId, consultantRef, currency } = group;
  report.items.push({ consultantId, consultantRef, currency, outcome: kind, code, message });
}

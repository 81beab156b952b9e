import { keepItem } from "../support/kept-items.ts";
import type { Paise } from "../support/money.ts";
import { countReason, type ReasonCount } from "../support/reasons-table.ts";
import type { LegKind } from "./cascade.ts";
import type { OpenLeg } from "./open-legs.ts";
import type { LegOutcome, LegResult } from "./outcome.ts";

/** One leg that is not simply done, with the reason. Holds no personal data. */
interface RefundItem {
  refundId: string;
  legId: string;
  kind: LegKind;
  amountPaise: Paise;
  outcome: LegOutcome;
  code: string;
  message: string;
  /** Open for longer than the alarm allows. */
  overdue: boolean;
  /** Since the refund was asked for. */
  ageMs: number;
}

/** Counts of legs: found = the sum of all outcomes, unless the run ended before it had seen them all. */
export interface RefundRunReport {
  dryRun: boolean;
  /** Open when the run began and held by no other run. */
  found: number;
  /** Of those, due: nothing of them was sent. */
  due: number;
  /** Open and held by another run. */
  elsewhere: number;
  processed: number;
  /** The provider has them and has not finished. */
  pending: number;
  failed: number;
  unknown: number;
  waiting: number;
  dueAgain: number;
  unanswered: number;
  conflicts: number;
  skipped: number;
  left: number;
  planned: number;
  /** Of legs processed in this run (in a dry run: that would be), by where the money went. */
  cardPaise: Paise;
  walletPaise: Paise;
  creditPaise: Paise;
  /** Of card legs that are pending at the provider. */
  pendingPaise: Paise;
  overdue: number;
  overduePaise: Paise;
  /** Refunds of which this run settled the last leg. */
  refundsProcessed: number;
  refundsFailed: number;
  /** Of all that is not simply done. */
  reasons: ReasonCount[];
  items: RefundItem[];
  /** Items beyond the first thousand are counted, not kept. */
  itemsLeftOut: number;
}

export const COUNTER = {
  processed: "processed",
  pending: "pending",
  failed: "failed",
  unknown: "unknown",
  waiting: "waiting",
  "due-again": "dueAgain",
  unanswered: "unanswered",
  conflict: "conflicts",
  skipped: "skipped",
  left: "left",
  planned: "planned",
} as const satisfies Record<LegOutcome, keyof RefundRunReport>;

const PAISE = {
  card: "cardPaise",
  wallet: "walletPaise",
  referral_credit: "creditPaise",
} as const satisfies Record<LegKind, keyof RefundRunReport>;

export function emptyRefundReport(dryRun: boolean): RefundRunReport {
  return {
    dryRun,
    found: 0,
    due: 0,
    elsewhere: 0,
    processed: 0,
    pending: 0,
    failed: 0,
    unknown: 0,
    waiting: 0,
    dueAgain: 0,
    unanswered: 0,
    conflicts: 0,
    skipped: 0,
    left: 0,
    planned: 0,
    cardPaise: 0n,
    walletPaise: 0n,
    creditPaise: 0n,
    pendingPaise: 0n,
    overdue: 0,
    overduePaise: 0n,
    refundsProcessed: 0,
    refundsFailed: 0,
    reasons: [],
    items: [],
    itemsLeftOut: 0,
  };
}

export function countLeg(
  report: RefundRunReport,
  leg: OpenLeg,
  { result, overdue }: { result: LegResult; overdue: boolean },
): void {
  const { refundId, legId, kind, amountPaise, askedMsAgo: ageMs } = leg;
  const { outcome, code, message, settled } = result;
  report[COUNTER[outcome]]++;
  if (outcome === "processed" || outcome === "planned") report[PAISE[kind]] += amountPaise;
  if (outcome === "pending") report.pendingPaise += amountPaise;
  if (settled) report[settled.status === "PROCESSED" ? "refundsProcessed" : "refundsFailed"]++;
  if (overdue) {
    report.overdue++;
    report.overduePaise += amountPaise;
  }
  const isKept = overdue || !["processed", "pending", "planned"].includes(outcome);
  if (!isKept) return;
  countReason(report.reasons, { id: refundId, outcome, code, amountPaise });
  const item = { refundId, legId, kind, amountPaise, outcome, code, message, overdue, ageMs };
  keepItem(report, item, { rank: urgency });
}

const WAITS: ReadonlySet<LegOutcome> = new Set(["waiting", "due-again", "skipped", "left"]);

/** Failed, in doubt or overdue legs first; legs left for the next run last. */
export function urgency({ outcome, overdue }: RefundItem): number {
  return WAITS.has(outcome) && !overdue ? 1 : 0;
}

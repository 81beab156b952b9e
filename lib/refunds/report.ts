import type { Paise } from "../support/money.ts";
import { reasonsTable } from "../support/reasons-table.ts";
import {
  inHours,
  keptTable,
  noteItem,
  nothingNoted,
  reportCounters,
  WENT_WELL,
  would,
  type CountedBy,
  type NotedItems,
} from "../support/run-report.ts";
import type { SummaryTable } from "../support/summary-table.ts";
import type { LegKind } from "./cascade.ts";
import type { OpenLeg } from "./open-legs.ts";
import type { LegOutcome, LegResult } from "./outcome.ts";

/** Of legs: found = the sum of all outcomes, unless the run ended before it had seen them all. */
const counters = reportCounters({
  /** Open when the run began and held by no other run. */
  found: { label: "Open legs" },
  /** Of those, due: nothing of them was sent. */
  due: { label: "of which were due" },
  planned: { label: { dryRun: "Would be sent or credited" }, outcome: "planned", rank: WENT_WELL },
  processed: { label: would("processed"), outcome: "processed", rank: WENT_WELL },
  /** The provider has them and has not finished. */
  pending: { label: "Pending at the provider", outcome: "pending", rank: WENT_WELL },
  failed: { label: would("failed"), outcome: "failed" },
  unknown: { label: "Sent, outcome unknown", outcome: "unknown" },
  waiting: { label: "Not found yet, too soon to be sure", outcome: "waiting", rank: 1 },
  dueAgain: { label: would("due again: never accepted"), outcome: "due-again", rank: 1 },
  unanswered: { label: "No usable answer", outcome: "unanswered" },
  conflicts: { label: "Records differ", outcome: "conflict" },
  skipped: { label: "Left as they were", outcome: "skipped", rank: 1 },
  left: { label: "Left as they were", outcome: "left", rank: 1 },
  /** Open and held by another run. */
  elsewhere: { label: "Held by another run", output: false },
  /** Due, and left until a dispute of the payment ends. */
  disputed: { label: "Wait for the end of a dispute" },
  /** Of legs processed in this run (in a dry run: that would be), by where the money went. */
  cardPaise: { label: "To cards", unit: "paise" },
  walletPaise: { label: "To wallets", unit: "paise" },
  creditPaise: { label: "To referral credit", unit: "paise" },
  /** Of card legs that are pending at the provider. */
  pendingPaise: { label: "Pending at the provider", unit: "paise" },
  overdue: { label: "Open for too long" },
  overduePaise: { label: "Open for too long", unit: "paise" },
  /** Refunds of which this run settled the last leg. */
  refundsProcessed: { label: "Refunds finished" },
  refundsFailed: { label: "Refunds that a person has to look at" },
});

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

export interface RefundRunReport extends CountedBy<typeof counters>, NotedItems<RefundItem> {}

const PAISE = {
  card: "cardPaise",
  wallet: "walletPaise",
  referral_credit: "creditPaise",
} as const satisfies Record<LegKind, keyof RefundRunReport>;

export function emptyRefundReport(dryRun: boolean): RefundRunReport {
  return { ...counters.empty(dryRun), ...nothingNoted<RefundItem>() };
}

export function countLeg(
  report: RefundRunReport,
  leg: OpenLeg,
  { result, overdue }: { result: LegResult; overdue: boolean },
): void {
  const { refundId, legId, kind, amountPaise, askedMsAgo: ageMs } = leg;
  const { outcome, code, message, settled } = result;
  counters.count(report, outcome);
  if (outcome === "processed" || outcome === "planned") report[PAISE[kind]] += amountPaise;
  if (outcome === "pending") report.pendingPaise += amountPaise;
  if (settled) report[settled.status === "PROCESSED" ? "refundsProcessed" : "refundsFailed"]++;
  if (overdue) {
    report.overdue++;
    report.overduePaise += amountPaise;
  }
  const item = { refundId, legId, kind, amountPaise, outcome, code, message, overdue, ageMs };
  if (urgency(item) === WENT_WELL) return;
  noteItem(report, item, { id: refundId, amountPaise, rank: urgency });
}

/** Failed, in doubt or overdue legs first; legs left for the next run last. */
function urgency(item: RefundItem): number {
  return item.overdue ? 0 : counters.rank(item);
}

export const refundOutputs = counters.outputs;

export function refundTables(report: RefundRunReport): SummaryTable[] {
  return [
    { title: "Refunds", columns: ["", "Legs"], rows: counters.rows(report, "count") },
    { title: "Amounts", columns: ["", "Rupees"], rows: counters.rows(report, "paise") },
    reasonsTable("Reasons", report.reasons),
    keptTable(
      "To look at",
      {
        Refund: "refundId",
        By: "kind",
        Amount: "amountPaise",
        Hours: ({ ageMs }) => inHours(ageMs),
        Outcome: ({ outcome, overdue }) => (overdue ? `${outcome}, overdue` : outcome),
        Reason: "code",
        "What was said": "message",
      },
      { report, rank: urgency },
    ),
  ];
}

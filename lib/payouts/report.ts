import type { Paise } from "../support/money.ts";

/** What became of one payout in this run. */
export type ItemOutcome =
  /** The provider has it. */
  | "succeeded"
  /** Refused for certain: no money moves, its earnings wait for the next batch. */
  | "failed"
  /** Sent or perhaps sent; it stays in processing until the provider is asked. */
  | "unknown"
  /** Left as it was: another run has it, or this run stopped. */
  | "skipped"
  /** Dry run: would be sent. */
  | "planned";

/** One payout that did not simply succeed, with the reason. Holds no personal data. */
export interface ReportItem {
  payoutId: string;
  outcome: ItemOutcome;
  /** Stable: `NON_RESIDENT`, `CLAIMED_ELSEWHERE`, or the provider's reason. */
  code: string;
  message: string;
}

export interface PayoutRunReport {
  dryRun: boolean;
  /** Due when the run began: approved with fewer than three tries, or left behind by a run that died. */
  found: number;
  /** Claimed by this run: succeeded + failed + unknown. */
  processed: number;
  succeeded: number;
  /** Of those that succeeded, already paid according to the provider when the run ended. */
  completed: number;
  failed: number;
  unknown: number;
  skipped: number;
  /** Dry run only: payouts that a run would send. */
  planned: number;
  /** Of what succeeded (in a dry run: is planned), before tax; gross = tax + net, to the paisa. */
  grossPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
  /** Of the same payouts, what buyers paid without GST: the base of the tax. */
  taxBasePaise: Paise;
  /** Net amount of payouts whose outcome is unknown. */
  unknownNetPaise: Paise;
  /** Approved, but after three tries left to a person. */
  outOfTries: number;
  /** In processing from earlier runs with an outcome that is still unknown. */
  inDoubtBefore: number;
  /** In processing from earlier runs: the provider has them and had not finished. */
  unfinishedBefore: number;
  /** How often each reason occurred, by `<outcome> <code>`. */
  reasons: Record<string, number>;
  /** The first thousand that failed or are unknown, the first hundred skipped; the rest is counted. */
  items: ReportItem[];
  itemsLeftOut: number;
}

const MOST_ITEMS = 1000;
/** Fewer, so that payouts that another run has do not crowd out those that need a look. */
const MOST_SKIPPED = 100;

export function emptyReport(dryRun: boolean): PayoutRunReport {
  return {
    dryRun,
    found: 0,
    processed: 0,
    succeeded: 0,
    completed: 0,
    failed: 0,
    unknown: 0,
    skipped: 0,
    planned: 0,
    grossPaise: 0n,
    taxPaise: 0n,
    netPaise: 0n,
    taxBasePaise: 0n,
    unknownNetPaise: 0n,
    outOfTries: 0,
    inDoubtBefore: 0,
    unfinishedBefore: 0,
    reasons: {},
    items: [],
    itemsLeftOut: 0,
  };
}

export interface Amounts {
  amountPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
  grossPaise: Paise;
}

/** Counts a payout that the provider has, or in a dry run would get. */
export function countPaid(
  report: PayoutRunReport,
  as: "succeeded" | "planned",
  amounts: Amounts,
): void {
  report[as]++;
  if (as === "succeeded") report.processed++;
  report.grossPaise += amounts.amountPaise;
  report.taxPaise += amounts.taxPaise;
  report.netPaise += amounts.netPaise;
  report.taxBasePaise += amounts.grossPaise;
}

/** Takes back a payout that was accepted and that the provider then reported as failed, in the same run. */
export function uncountPaid(report: PayoutRunReport, amounts: Amounts): void {
  report.succeeded--;
  report.processed--;
  report.grossPaise -= amounts.amountPaise;
  report.taxPaise -= amounts.taxPaise;
  report.netPaise -= amounts.netPaise;
  report.taxBasePaise -= amounts.grossPaise;
}

export function countItem(report: PayoutRunReport, item: ReportItem): void {
  if (item.outcome === "failed" || item.outcome === "unknown") report.processed++;
  report[item.outcome]++;
  const reason = `${item.outcome} ${item.code}`;
  report.reasons[reason] = (report.reasons[reason] ?? 0) + 1;
  const isKept =
    item.outcome === "skipped"
      ? report.skipped <= MOST_SKIPPED
      : report.failed + report.unknown <= MOST_ITEMS;
  if (isKept) report.items.push(item);
  else report.itemsLeftOut++;
}

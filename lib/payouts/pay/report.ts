import type { InFlight } from "../../ledger/in-flight.ts";
import type { Funds } from "../state/funds.ts";
import { keepItem } from "../../support/kept-items.ts";
import type { Paise } from "../../support/money.ts";
import { reportCounters, type CountedBy } from "../../support/run-report.ts";
import { ABOVE_SINGLE_CAP } from "./caps.ts";
import type { PayeeKind } from "../state/kind.ts";
import type { Amounts, Plan } from "../state/plan.ts";
import { UNCOVERED_CODES } from "../state/approval-covers.ts";
import { heldMessage, ON_HOLD, type HeldDue } from "../state/on-hold.ts";

/** The result of one payout in this run. */
export type ItemOutcome =
  /** The provider has it. */
  | "succeeded"
  /** Refused for certain: no money moves, its earnings wait for the next batch. */
  | "failed"
  /** Sent or perhaps sent; it stays in processing until the provider is asked. */
  | "unknown"
  /** Left as it was: another run has it, or this run stopped. */
  | "skipped"
  /** Not sent, since its payee is on hold. It is no failure, and nothing is left behind. */
  | "held"
  /** Dry run: would be sent. */
  | "planned";

/** One payout that did not simply succeed, with the reason. Holds no personal data. */
export interface ReportItem {
  payoutId: string;
  /** The payee's code, as `C-7` or `C-7 for ORG-2`; written at the end of the run. */
  payee?: string;
  outcome: ItemOutcome;
  /** Stable: `NON_RESIDENT`, `CLAIMED_ELSEWHERE`, or the provider's reason. */
  code: string;
  message: string;
}

const counters = reportCounters({
  /** Due when the run began: waiting with fewer than three tries, or left behind by a run that died. */
  found: { label: "Due" },
  /** Won by a compare-and-swap of this run, with any result; another run's work is in no number. */
  claimed: {},
  /** Handled by this run: succeeded + failed + unknown. */
  processed: {},
  /** Dry run only: payouts that a run would send. */
  planned: { label: { dryRun: "Would be sent" }, outcome: "planned" },
  succeeded: { label: { run: "Sent" }, outcome: "succeeded" },
  /** Of those that succeeded, already paid according to the provider when the run ended. */
  completed: { label: { run: "of which paid by the end of the run" } },
  failed: { label: { run: "Failed", dryRun: "Would be refused" }, outcome: "failed" },
  unknown: { label: { run: "Outcome unknown" }, outcome: "unknown" },
  skipped: { label: { run: "Skipped" }, outcome: "skipped" },
  /** Of those that succeeded, final at the provider, and the database did not take it: they stay in processing. */
  unrecorded: { label: "Sent and final, not recorded yet", onlyIfAny: true },
  /** Skipped payouts that no other run has: they wait for the next run. */
  left: { output: false },
  /** Skipped payouts above the cap of one payout: each is due until a person looks. */
  aboveCap: { label: "Above the cap of one payout, not sent", onlyIfAny: true, output: false },
  /** Skipped payouts that a person has to look at again: they are PENDING now, in a dry run they would be. */
  withdrawn: { label: "Not sent, a person has to look again", onlyIfAny: true },
  /** Of successful payouts (in a dry run: planned ones), before tax; gross = tax + net, to the paisa. */
  grossPaise: { label: "Owed (gross less platform fee)", unit: "paise" },
  taxPaise: { label: "Tax withheld", unit: "paise" },
  netPaise: {
    label: { run: "Sent, after tax", dryRun: "Would be sent, after tax" },
    unit: "paise",
  },
  /** The buyers' price of the same payouts without GST: the base of the tax. */
  taxBasePaise: { label: "Tax base (gross, without GST)", unit: "paise" },
  /** Net amount of payouts whose outcome is unknown. */
  unknownNetPaise: { label: "Outcome unknown", unit: "paise", onlyIfAny: true },
  /** Due but for a hold of its payee when the run began: in none of the numbers above. */
  held: { label: "Due but on hold, not sent", onlyIfAny: true, outcome: "held" },
  heldPaise: { label: "On hold, before tax", unit: "paise", onlyIfAny: true },
  /** Waiting, but after three tries left to a person. */
  outOfTries: { label: "Out of tries, wait for a person", onlyIfAny: true },
});

/** The results of one kind of payee: found = processed + skipped. */
export interface PayoutCounts extends CountedBy<typeof counters> {
  /** How often each reason occurred, by `<outcome> <code>`. */
  reasons: Record<string, number>;
  /** At most a thousand, those that need a look before those that were skipped; the rest is counted. */
  items: ReportItem[];
  itemsLeftOut: number;
}

/** The counts of one kind as step outputs, and as rows of the summary. */
export const { outputs: countOutputs, rows: countRows } = counters;

/** Its own counts are of consultants alone; organizations are counted separately. */
export interface PayoutRunReport extends PayoutCounts {
  organizations: PayoutCounts;
  /** In processing from earlier runs with an outcome that is still unknown. Of both kinds. */
  inDoubtBefore: number;
  /** In processing from earlier runs: the provider has them and had not finished. Of both kinds. */
  unfinishedBefore: number;
  /**
   * Claimed by another run, not sent, and too recent to be taken over: that run continues, or is dead and the
   * payouts wait. Of both kinds.
   */
  unsentBefore: number;
  /** When the run ended: sent or perhaps sent, by this run or an earlier one, and not final here. */
  inFlight: InFlight;
  /** Undefined when nothing was due, or the run ended before the provider was asked. */
  funds: Funds | undefined;
  /** Dry run only: every payout that a run would send. */
  plan: PlannedPayout[];
}

/** A payout that a run would send now. */
interface PlannedPayout {
  payoutId: string;
  payee?: string;
  /** `none` when tax takes all of it. */
  mode: string;
  amountPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
}

/** The counts that a payout belongs to. */
export function countsOf(report: PayoutRunReport, kind: PayeeKind): PayoutCounts {
  return kind === "consultant" ? report : report.organizations;
}

/** Due payouts of both kinds. */
export function totalFound(report: PayoutRunReport): number {
  return report.found + report.organizations.found;
}

/** The most urgent first: sent or perhaps sent, then failed; skipped ones last. */
export function urgency({ outcome, code }: ReportItem): number {
  if (outcome === "unknown" || outcome === "succeeded") return 0;
  if (outcome === "failed" || code === ABOVE_SINGLE_CAP || UNCOVERED_CODES.has(code)) return 1;
  return outcome === "skipped" ? 3 : 2;
}

/** Payouts that a person should check: failed, refused at the claim, or with an unknown outcome. */
export function errorsOf({ failed, unknown }: PayoutCounts): number {
  return failed + unknown;
}

export function emptyReport(dryRun: boolean): PayoutRunReport {
  return {
    ...emptyCounts(dryRun),
    organizations: emptyCounts(dryRun),
    inDoubtBefore: 0,
    unfinishedBefore: 0,
    unsentBefore: 0,
    inFlight: { count: 0, paise: 0n },
    funds: undefined,
    plan: [],
  };
}

function emptyCounts(dryRun: boolean): PayoutCounts {
  return { ...counters.empty(dryRun), reasons: {}, items: [], itemsLeftOut: 0 };
}

/** Payouts of one kind that are named, when a hold keeps them. */
export const MOST_HELD = 100;

/** Counts payouts that are due except for a hold of the payee, and names the first. */
export function countHeld(counts: PayoutCounts, { count, totalPaise, payouts }: HeldDue): void {
  if (count === 0) return;
  counts.held = count;
  counts.heldPaise = totalPaise;
  counts.reasons[`held ${ON_HOLD}`] = count;
  for (const held of payouts)
    counts.items.push({
      payoutId: held.id,
      outcome: "held",
      code: ON_HOLD,
      message: heldMessage(held),
    });
  counts.itemsLeftOut += count - payouts.length;
}

/** Counts a payout that the provider has, or in a dry run would get. */
export function countPaid(
  counts: PayoutCounts,
  as: "succeeded" | "planned",
  amounts: Amounts,
): void {
  counts[as]++;
  if (as === "succeeded") counts.processed++;
  counts.grossPaise += amounts.amountPaise;
  counts.taxPaise += amounts.taxPaise;
  counts.netPaise += amounts.netPaise;
  counts.taxBasePaise += amounts.grossPaise;
}

/** Takes back a payout that was accepted and that the provider then reported as failed, in the same run. */
export function uncountPaid(counts: PayoutCounts, amounts: Amounts): void {
  counts.succeeded--;
  counts.processed--;
  counts.grossPaise -= amounts.amountPaise;
  counts.taxPaise -= amounts.taxPaise;
  counts.netPaise -= amounts.netPaise;
  counts.taxBasePaise -= amounts.grossPaise;
}

export function countItem(counts: PayoutCounts, item: ReportItem): void {
  if (item.outcome === "failed" || item.outcome === "unknown") counts.processed++;
  counts[item.outcome]++;
  if (item.code === ABOVE_SINGLE_CAP) counts.aboveCap++;
  if (UNCOVERED_CODES.has(item.code)) counts.withdrawn++;
  const reason = `${item.outcome} ${item.code}`;
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1;
  keepItem(counts, item, { rank: urgency });
}

/** Running when an error ended the run: nothing was sent, and no other run has it. */
export function countEnded(
  counts: PayoutCounts,
  { payoutId, isClaimed }: { payoutId: string; isClaimed: boolean },
): void {
  const message = isClaimed
    ? "the run ended; nothing was sent, and it stays in processing until it is taken over, or handle-stuck-payouts makes it due again"
    : "the run ended at its claim; nothing was sent, and it is as it was, or in processing until it is taken over";
  countItem(counts, { payoutId, outcome: "skipped", code: "RUN_ENDED", message });
  counts.left++;
}

/** Notes that the later state of a payout counted as sent could not be recorded. */
export function countUnrecorded(
  counts: PayoutCounts,
  { payoutId, message }: Pick<ReportItem, "payoutId" | "message">,
): void {
  const code = "FINAL_STATE_NOT_RECORDED";
  counts.unrecorded++;
  const reason = `succeeded ${code}`;
  counts.reasons[reason] = (counts.reasons[reason] ?? 0) + 1;
  keepItem(counts, { payoutId, outcome: "succeeded", code, message }, { rank: urgency });
}

/** Adds one plan to the counts of a dry run. */
export function countPlan(
  report: PayoutRunReport,
  { payoutId, kind }: { payoutId: string; kind: PayeeKind },
  plan: Plan,
): void {
  const counts = countsOf(report, kind);
  if (plan.kind === "hold") {
    countItem(counts, { payoutId, outcome: "skipped", code: plan.code, message: plan.message });
    return;
  }
  if (plan.kind === "refuse") {
    countItem(counts, { payoutId, outcome: "failed", code: plan.code, message: plan.message });
    counts.processed--;
    return;
  }
  countPaid(counts, "planned", plan);
  const { mode, amountPaise, taxPaise, netPaise } = plan;
  report.plan.push({ payoutId, mode, amountPaise, taxPaise, netPaise });
}

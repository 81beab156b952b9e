import { mostUrgentFirst } from "../../support/kept-items.ts";
import { formatRupees } from "../../support/money.ts";
import { firstFew } from "../../support/reasons-table.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { ABOVE_SINGLE_CAP } from "./caps.ts";
import { fundsTable } from "../state/funds.ts";
import { errorsOf, urgency, type PayoutCounts, type PayoutRunReport } from "./report.ts";
import { nextStep } from "../../provider/index.ts";

/** The report as step outputs; the names of organizations' numbers begin with `org_`. */
export function payoutOutputs(report: PayoutRunReport): Record<string, string | number> {
  const outputs: Record<string, string | number> = {
    ...countOutputs(report),
    in_doubt_before: report.inDoubtBefore,
    unfinished_before: report.unfinishedBefore,
    unsent_before: report.unsentBefore,
    in_flight: report.inFlight.count,
    in_flight_paise: report.inFlight.paise.toString(),
    org_errors: errorsOf(report.organizations),
  };
  for (const [name, value] of Object.entries(countOutputs(report.organizations))) {
    outputs[`org_${name}`] = value;
  }
  return outputs;
}

function countOutputs(counts: PayoutCounts): Record<string, string | number> {
  return {
    found: counts.found,
    claimed: counts.claimed,
    processed: counts.processed,
    succeeded: counts.succeeded,
    completed: counts.completed,
    unrecorded: counts.unrecorded,
    failed: counts.failed,
    unknown: counts.unknown,
    skipped: counts.skipped,
    planned: counts.planned,
    gross_paise: counts.grossPaise.toString(),
    tax_paise: counts.taxPaise.toString(),
    net_paise: counts.netPaise.toString(),
    tax_base_paise: counts.taxBasePaise.toString(),
    unknown_net_paise: counts.unknownNetPaise.toString(),
    out_of_tries: counts.outOfTries,
    held: counts.held,
    held_paise: counts.heldPaise.toString(),
  };
}

/** The rest is in the report file. */
const MOST_PLANNED = 20;

/** The report as the tables that a finance person reads. */
export function payoutTables(report: PayoutRunReport): SummaryTable[] {
  const { organizations, dryRun } = report;
  const earlier: [string, number][] = [
    ["In doubt from earlier runs", report.inDoubtBefore],
    ["Not finished by the provider, from earlier runs", report.unfinishedBefore],
    ["Claimed by another run and not sent", report.unsentBefore],
  ];
  const planned = report.plan.slice(0, MOST_PLANNED);
  const now: [string, number][] = dryRun ? [] : [["In flight now", report.inFlight.count]];
  return [
    ...tablesOf(report, {
      dryRun,
      titles: ["Payouts", "Amounts", "Reasons", "Payouts that need a look"],
      more: [...earlier, ...now].filter(([, count]) => count > 0),
    }),
    ...(report.funds === undefined ? [] : [fundsTable(report.funds)]),
    ...(report.plan.length === 0
      ? []
      : [
          {
            title: "Who would get what",
            columns: ["Payee", "Payout", "Mode", "Owed", "Tax", "Net"],
            rows: planned.map(({ payee = "", payoutId, mode, amountPaise, taxPaise, netPaise }) => [
              payee,
              payoutId,
              mode,
              formatRupees(amountPaise),
              formatRupees(taxPaise),
              formatRupees(netPaise),
            ]),
            more: report.plan.length - planned.length,
          },
        ]),
    // Where nobody pays organizations, four tables of nothing would only be in the way.
    ...(organizations.found + organizations.outOfTries + organizations.held === 0
      ? []
      : tablesOf(organizations, {
          dryRun,
          titles: [
            "Organization payouts",
            "Amounts of organizations",
            "Reasons of organizations",
            "Organization payouts that need a look",
          ],
          more: dryRun
            ? []
            : [
                ["Claimed by this run", organizations.claimed],
                ["Errors", errorsOf(organizations)],
              ],
        })),
  ];
}

function tablesOf(
  counts: PayoutCounts,
  {
    dryRun,
    titles,
    more,
  }: {
    dryRun: boolean;
    titles: readonly [counts: string, amounts: string, reasons: string, look: string];
    more: readonly (readonly [string, number])[];
  },
): SummaryTable[] {
  const rows: [string, number][] = [
    ["Due", counts.found],
    ...(dryRun
      ? ([
          ["Would be sent", counts.planned],
          ["Would be refused", counts.failed],
        ] satisfies [string, number][])
      : ([
          ["Sent", counts.succeeded],
          ["of which paid by the end of the run", counts.completed],
          ["Failed", counts.failed],
          ["Outcome unknown", counts.unknown],
          ["Skipped", counts.skipped],
        ] satisfies [string, number][])),
    ...(counts.unrecorded > 0
      ? ([["Sent and final, not recorded yet", counts.unrecorded]] satisfies [string, number][])
      : []),
    ...(counts.aboveCap > 0
      ? ([["Above the cap of one payout, not sent", counts.aboveCap]] satisfies [string, number][])
      : []),
    ...(counts.held > 0
      ? ([["Due but on hold, not sent", counts.held]] satisfies [string, number][])
      : []),
    ...(counts.outOfTries > 0
      ? ([["Out of tries, wait for a person", counts.outOfTries]] satisfies [string, number][])
      : []),
  ];
  const amounts: [string, string][] = [
    ["Owed (gross less platform fee)", formatRupees(counts.grossPaise)],
    ["Tax withheld", formatRupees(counts.taxPaise)],
    [dryRun ? "Would be sent, after tax" : "Sent, after tax", formatRupees(counts.netPaise)],
    ["Tax base (gross, without GST)", formatRupees(counts.taxBasePaise)],
    ...(counts.unknown > 0
      ? ([["Outcome unknown", formatRupees(counts.unknownNetPaise)]] satisfies [string, string][])
      : []),
    ...(counts.held > 0
      ? ([["On hold, before tax", formatRupees(counts.heldPaise)]] satisfies [string, string][])
      : []),
  ];
  const look = mostUrgentFirst(
    counts.items.filter(({ outcome, code }) => outcome !== "skipped" || code === ABOVE_SINGLE_CAP),
    urgency,
  );
  const allToLookAt = errorsOf(counts) + counts.unrecorded + counts.held + counts.aboveCap;
  return [
    {
      title: titles[0],
      columns: ["", "Count"],
      rows: [...rows, ...more].map(([label, value]) => [label, String(value)]),
    },
    { title: titles[1], columns: ["", "Rupees"], rows: amounts },
    {
      title: titles[2],
      columns: ["Outcome", "Reason", "Count", "Such as", "Next step"],
      rows: reasonRows(counts),
    },
    {
      title: titles[3],
      columns: ["Payee", "Payout", "Outcome", "Reason", "What was said"],
      rows: look.map(({ payee = "", payoutId, outcome, code, message }) => [
        payee,
        payoutId,
        outcome,
        code,
        message,
      ]),
      more: allToLookAt - look.length,
    },
  ];
}

function reasonRows({ reasons, items }: PayoutCounts): string[][] {
  return Object.entries(reasons).map(([reason, count]) => {
    const [outcome = "", ...words] = reason.split(" ");
    const code = words.join(" ");
    const ids = items.filter((item) => item.outcome === outcome && item.code === code);
    const suchAs = firstFew(ids.map(({ payoutId }) => payoutId));
    return [outcome, code, String(count), suchAs, nextStep(code) ?? stepOf(outcome)];
  });
}

/** Of an outcome whose reason the provider's table does not know. */
function stepOf(outcome: string): string {
  return outcome === "unknown"
    ? "pay nothing by hand: payouts/handle-stuck-payouts asks the provider and settles it"
    : "";
}

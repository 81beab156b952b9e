import { formatRupees } from "../support/money.ts";
import type { SummaryTable } from "../support/summary-table.ts";
import type { PayoutRunReport } from "./report.ts";

/** The report as step outputs. */
export function payoutOutputs(report: PayoutRunReport): Record<string, string | number> {
  return {
    found: report.found,
    processed: report.processed,
    succeeded: report.succeeded,
    completed: report.completed,
    failed: report.failed,
    unknown: report.unknown,
    skipped: report.skipped,
    planned: report.planned,
    gross_paise: report.grossPaise.toString(),
    tax_paise: report.taxPaise.toString(),
    net_paise: report.netPaise.toString(),
    tax_base_paise: report.taxBasePaise.toString(),
    unknown_net_paise: report.unknownNetPaise.toString(),
    out_of_tries: report.outOfTries,
    in_doubt_before: report.inDoubtBefore,
    unfinished_before: report.unfinishedBefore,
  };
}

/** The report as the tables that a finance person reads. */
export function payoutTables(report: PayoutRunReport): SummaryTable[] {
  const counts: [string, string | number][] = [
    ["Due", report.found],
    ...(report.dryRun
      ? ([
          ["Would be sent", report.planned],
          ["Would be refused", report.failed],
        ] satisfies [string, number][])
      : ([
          ["Sent", report.succeeded],
          ["of which paid by the end of the run", report.completed],
          ["Failed", report.failed],
          ["Outcome unknown", report.unknown],
          ["Skipped", report.skipped],
        ] satisfies [string, number][])),
    ...(report.outOfTries > 0
      ? ([["Out of tries, wait for a person", report.outOfTries]] satisfies [string, number][])
      : []),
    ...(report.inDoubtBefore > 0
      ? ([["In doubt from earlier runs", report.inDoubtBefore]] satisfies [string, number][])
      : []),
    ...(report.unfinishedBefore > 0
      ? ([["Not finished by the provider, from earlier runs", report.unfinishedBefore]] satisfies [
          string,
          number,
        ][])
      : []),
  ];
  const amounts: [string, string][] = [
    ["Owed (gross less platform fee)", formatRupees(report.grossPaise)],
    ["Tax withheld", formatRupees(report.taxPaise)],
    [report.dryRun ? "Would be sent, after tax" : "Sent, after tax", formatRupees(report.netPaise)],
    ["Tax base (gross, without GST)", formatRupees(report.taxBasePaise)],
    ...(report.unknown > 0
      ? ([["Outcome unknown", formatRupees(report.unknownNetPaise)]] satisfies [string, string][])
      : []),
  ];
  return [
    {
      title: "Payouts",
      columns: ["", "Count"],
      rows: counts.map(([label, value]) => [label, String(value)]),
    },
    { title: "Amounts", columns: ["", "Rupees"], rows: amounts },
    { title: "Reasons", columns: ["Outcome", "Reason", "Count"], rows: reasonRows(report.reasons) },
    {
      title: "Payouts that need a look",
      columns: ["Payout", "Outcome", "Reason", "What was said"],
      rows: [
        ...report.items
          .filter(({ outcome }) => outcome !== "skipped")
          .map(({ payoutId, outcome, code, message }) => [payoutId, outcome, code, message]),
        ...(report.itemsLeftOut > 0 ? [[`and ${report.itemsLeftOut} more`, "", "", ""]] : []),
      ],
    },
  ];
}

function reasonRows(reasons: Record<string, number>): string[][] {
  return Object.entries(reasons).map(([reason, count]) => {
    const [outcome = "", ...code] = reason.split(" ");
    return [outcome, code.join(" "), String(count)];
  });
}

import { inFlightOutputs } from "../../ledger/in-flight.ts";
import { mostUrgentFirst } from "../../support/kept-items.ts";
import { firstFew } from "../../support/reasons-table.ts";
import { itemsTable } from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { ABOVE_SINGLE_CAP } from "./caps.ts";
import { stepOfUncovered, UNCOVERED_CODES } from "../state/approval-covers.ts";
import { fundsTable } from "../state/funds.ts";
import {
  countOutputs,
  countRows,
  errorsOf,
  urgency,
  type PayoutCounts,
  type PayoutRunReport,
} from "./report.ts";
import { nextStep } from "../../provider/index.ts";

/** The report as step outputs; the names of organizations' numbers begin with `org_`. */
export function payoutOutputs(report: PayoutRunReport): Record<string, string | number> {
  const outputs: Record<string, string | number> = {
    ...countOutputs(report),
    in_doubt_before: report.inDoubtBefore,
    unfinished_before: report.unfinishedBefore,
    unsent_before: report.unsentBefore,
    ...inFlightOutputs(report.inFlight),
    org_errors: errorsOf(report.organizations),
  };
  for (const [name, value] of Object.entries(countOutputs(report.organizations))) {
    outputs[`org_${name}`] = value;
  }
  return outputs;
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
      titles: ["Payouts", "Amounts", "Reasons", "Payouts that need a look"],
      more: [...earlier, ...now].filter(([, count]) => count > 0),
    }),
    ...(report.funds === undefined ? [] : [fundsTable(report.funds)]),
    ...(report.plan.length === 0
      ? []
      : [
          itemsTable(
            "Who would get what",
            {
              Payee: "payee",
              Payout: "payoutId",
              Mode: "mode",
              Owed: "amountPaise",
              Tax: "taxPaise",
              Net: "netPaise",
            },
            planned,
            report.plan.length - planned.length,
          ),
        ]),
    // Where nobody pays organizations, four tables of nothing would only be in the way.
    ...(organizations.found + organizations.outOfTries + organizations.held === 0
      ? []
      : tablesOf(organizations, {
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
    titles,
    more,
  }: {
    titles: readonly [counts: string, amounts: string, reasons: string, look: string];
    more: readonly (readonly [string, number])[];
  },
): SummaryTable[] {
  const look = mostUrgentFirst(
    counts.items.filter(
      ({ outcome, code }) =>
        outcome !== "skipped" || code === ABOVE_SINGLE_CAP || UNCOVERED_CODES.has(code),
    ),
    urgency,
  );
  const { unrecorded, held, aboveCap, withdrawn } = counts;
  const allToLookAt = errorsOf(counts) + unrecorded + held + aboveCap + withdrawn;
  return [
    {
      title: titles[0],
      columns: ["", "Count"],
      rows: [...countRows(counts, "count"), ...more.map(([label, n]) => [label, String(n)])],
    },
    { title: titles[1], columns: ["", "Rupees"], rows: countRows(counts, "paise") },
    {
      title: titles[2],
      columns: ["Outcome", "Reason", "Count", "Such as", "Next step"],
      rows: reasonRows(counts),
    },
    itemsTable(
      titles[3],
      {
        Payee: "payee",
        Payout: "payoutId",
        Outcome: "outcome",
        Reason: "code",
        "What was said": "message",
      },
      look,
      allToLookAt - look.length,
    ),
  ];
}

function reasonRows({ reasons, items }: PayoutCounts): string[][] {
  return Object.entries(reasons).map(([reason, count]) => {
    const [outcome = "", ...words] = reason.split(" ");
    const code = words.join(" ");
    const ids = items.filter((item) => item.outcome === outcome && item.code === code);
    const suchAs = firstFew(ids.map(({ payoutId }) => payoutId));
    return [
      outcome,
      code,
      String(count),
      suchAs,
      nextStep(code) ?? stepOfUncovered(code) ?? stepOf(outcome),
    ];
  });
}

/** Of an outcome whose reason the provider's table does not know. */
function stepOf(outcome: string): string {
  return outcome === "unknown"
    ? "pay nothing by hand: payouts/handle-stuck-payouts asks the provider and settles it"
    : "";
}

import { keepItem, type KeptItems } from "../../support/kept-items.ts";
import {
  keptTable,
  reportCounters,
  WENT_WELL,
  type CountedBy,
  type OutcomeOf,
} from "../../support/run-report.ts";
import type { SummaryTable } from "../../support/summary-table.ts";

const written = (of: string) => ({ run: `Written: ${of}`, dryRun: `Would be written: ${of}` });

const counters = reportCounters({
  /** Events without a mail: the sum of all that follow. */
  found: { label: "Events that payees are not told of yet" },
  paid: { label: written("paid"), outcome: "paid", rank: WENT_WELL },
  failed: { label: written("failed"), outcome: "failed", rank: WENT_WELL },
  returned: { label: written("money came back"), outcome: "returned", rank: WENT_WELL },
  waiting: { label: written("waits for an account"), outcome: "waiting", rank: WENT_WELL },
  held: { label: written("on hold"), outcome: "held", rank: WENT_WELL },
  /** Another run has written it meanwhile. */
  known: { label: "Written by another run meanwhile", outcome: "known", rank: WENT_WELL },
  /** Nothing is written; with an address, the next run writes it. */
  withoutAddress: { label: "Payee without a mail address", outcome: "without-address", rank: 1 },
  /** The database did not take it, or another session holds a row. */
  notWritten: { label: "Not written", outcome: "not-written" },
});

export type TellOutcome = OutcomeOf<typeof counters>;

interface TellItem {
  /** Such as `payee-paid:<payout>`. */
  mail: string;
  consultantRef: string;
  outcome: TellOutcome;
}

/** Its items are the events that no mail was written of. */
export interface TellReport extends CountedBy<typeof counters>, KeptItems<TellItem> {}

export function emptyTellReport(dryRun: boolean): TellReport {
  return { ...counters.empty(dryRun), items: [], itemsLeftOut: 0 };
}

export function countTold(report: TellReport, item: TellItem): void {
  report.found += 1;
  counters.count(report, item.outcome);
  if (counters.rank(item) < WENT_WELL) keepItem(report, item, { rank: counters.rank });
}

export const tellOutputs = counters.outputs;

export function tellTables(report: TellReport): SummaryTable[] {
  return [
    { title: "Mails to payees", columns: ["", "Count"], rows: counters.rows(report) },
    keptTable(
      "Not told",
      { Consultant: "consultantRef", Mail: "mail", Outcome: "outcome" },
      { report, rank: counters.rank, total: report.withoutAddress + report.notWritten },
    ),
  ];
}

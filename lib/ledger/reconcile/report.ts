import type { FindingCode } from "../../findings/index.ts";
import { fieldRows, itemsTable, reportCounters, type CountedBy } from "../../support/run-report.ts";
import { formatRupees } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { inFlightOutputs, type InFlight } from "../in-flight.ts";
import type { ProviderCash } from "../provider-cash.ts";
import type { DriftRow } from "./checks.ts";
import type { NoticeOutcome } from "./payees.ts";

export interface CheckOutcome {
  code: FindingCode;
  title: string;
  /** Rows that do not agree; the first are listed. */
  count: number;
  rows: readonly DriftRow[];
  /**
   * Whether a difference that a person resolved no longer counts. Default: it counts until the amounts agree.
   */
  canBeResolved?: boolean;
}

const counters = reportCounters({
  /** Rows that do not agree, over all checks, without those that a person has resolved as they are. */
  drifts: {},
  /** Of the drifts: listed rows whose finding a person has resolved, and that differ all the same. */
  resolvedDrifts: {},
});

export interface LedgerReport extends CountedBy<typeof counters> {
  checks: CheckOutcome[];
  /** Payees to look at; not a difference of the books. */
  notices: NoticeOutcome[];
  /** Undefined as long as no day of the provider's account was closed. */
  cash: ProviderCash | undefined;
  /** Payouts that were sent or perhaps sent, and are not final here. */
  inFlight: InFlight;
}

export function emptyLedgerReport(dryRun: boolean): LedgerReport {
  const inFlight = { count: 0, paise: 0n };
  return { ...counters.empty(dryRun), checks: [], notices: [], cash: undefined, inFlight };
}

/** One count for each check, by its code in lower case, beside the counters. */
export function ledgerOutputs(report: LedgerReport): Record<string, string | number> {
  const { cash, checks, notices, inFlight } = report;
  return {
    checks: checks.length,
    ...counters.outputs(report),
    ...Object.fromEntries(
      [...checks, ...notices].map(({ code, count }) => [code.toLowerCase(), count]),
    ),
    provider_cash_paise: cash?.providerPaise.toString() ?? "",
    ledger_cash_paise: cash?.ledgerPaise.toString() ?? "",
    unbooked_paise: cash?.unbookedPaise.toString() ?? "",
    ...inFlightOutputs(inFlight),
  };
}

const CASH = {
  "At the provider, as it was last read": "providerPaise",
  "Moved there and not booked yet": "unbookedPaise",
  "Booked and not read there yet": "notReadPaise",
  "In the books": "ledgerPaise",
  Difference: "driftPaise",
} as const;

export function ledgerTables({ cash, checks, notices, inFlight }: LedgerReport): SummaryTable[] {
  const drifts = checks.flatMap(({ code, rows }) => rows.map((row) => ({ code, ...row })));
  const payees = notices.flatMap(({ title, rows }) => rows.map((row) => ({ title, ...row })));
  return [
    itemsTable("Books", { Check: "title", "Rows that differ": "count" }, checks),
    itemsTable("In flight now", { Payouts: "count", Rupees: "paise" }, [inFlight]),
    {
      title: "Cash",
      columns: ["", "Rupees"],
      rows: cash === undefined ? [["At the provider", "not read yet"]] : fieldRows(CASH, cash),
    },
    itemsTable(
      "Drift",
      {
        Check: "code",
        Row: ({ subjectType, subjectId }) => `${subjectType} ${subjectId}`,
        Expected: "expectedPaise",
        Is: "actualPaise",
        Difference: ({ actualPaise, expectedPaise }) => formatRupees(actualPaise - expectedPaise),
      },
      drifts,
      counted(checks) - drifts.length,
    ),
    itemsTable(
      "Payees to look at",
      {
        What: "title",
        Payees: ({ consultants }) => consultants.join(", "),
        Why: ({ what }) => what.join("; "),
      },
      payees,
      counted(notices) - payees.length,
    ),
  ];
}

function counted(outcomes: readonly { count: number }[]): number {
  return outcomes.reduce((sum, { count }) => sum + count, 0);
}

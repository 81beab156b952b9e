import type { FindingCode, FindingKind, FindingSeverity } from "../../findings/index.ts";
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

/** Records of another room that a person should look at, such as bookings. The books do not depend on them. */
export interface RecordsOutcome {
  kind: FindingKind;
  severity: FindingSeverity;
  title: string;
  count: number;
  /** The first are listed. */
  rows: readonly {
    subjectType: string;
    subjectId: string;
    details: Readonly<Record<string, unknown>>;
  }[];
}

const counters = reportCounters({
  /** Rows that do not agree, over all checks, without those that a person has resolved as they are. */
  drifts: {},
  /** Of the drifts: listed rows whose finding a person has resolved, and that differ all the same. */
  resolvedDrifts: {},
  /** Records to look at, over all checks of them, without those that a person has resolved. */
  recordsOpen: {},
});

export interface LedgerReport extends CountedBy<typeof counters> {
  checks: CheckOutcome[];
  /** Payees to look at; not a difference of the books. */
  notices: NoticeOutcome[];
  /** Records to look at, and how many of each nobody has resolved. */
  records: (RecordsOutcome & { open: number })[];
  /** Undefined as long as no day of the provider's account was closed. */
  cash: ProviderCash | undefined;
  /** Payouts that were sent or perhaps sent, and are not final here. */
  inFlight: InFlight;
}

export function emptyLedgerReport(dryRun: boolean): LedgerReport {
  const inFlight = { count: 0, paise: 0n };
  return {
    ...counters.empty(dryRun),
    checks: [],
    notices: [],
    records: [],
    cash: undefined,
    inFlight,
  };
}

/** One count for each check, by its code in lower case, beside the counters. */
export function ledgerOutputs(report: LedgerReport): Record<string, string | number> {
  const { cash, checks, notices, records, inFlight } = report;
  return {
    checks: checks.length,
    ...counters.outputs(report),
    ...Object.fromEntries(
      [...checks, ...notices].map(({ code, count }) => [code.toLowerCase(), count]),
    ),
    ...Object.fromEntries(records.map(({ kind, count }) => [kind.replaceAll("-", "_"), count])),
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

export function ledgerTables({
  cash,
  checks,
  notices,
  records,
  inFlight,
}: LedgerReport): SummaryTable[] {
  const drifts = checks.flatMap(({ code, rows }) => rows.map((row) => ({ code, ...row })));
  const payees = notices.flatMap(({ title, rows }) => rows.map((row) => ({ title, ...row })));
  const toLookAt = records.flatMap(({ kind, severity, rows }) =>
    rows.map((row) => ({ kind, severity, ...row })),
  );
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
    itemsTable(
      "Records to look at",
      { What: "title", Rows: "count", "Nobody has resolved": "open" },
      records.filter(({ count }) => count > 0),
    ),
    itemsTable(
      "Rows of these records",
      {
        Finding: "kind",
        Severity: "severity",
        Row: ({ subjectType, subjectId }) => `${subjectType} ${subjectId}`,
      },
      toLookAt,
      counted(records) - toLookAt.length,
    ),
  ];
}

function counted(outcomes: readonly { count: number }[]): number {
  return outcomes.reduce((sum, { count }) => sum + count, 0);
}

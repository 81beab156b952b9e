import type { FindingCode } from "../../findings/index.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { InFlight } from "../in-flight.ts";
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

export interface LedgerReport {
  dryRun: boolean;
  checks: CheckOutcome[];
  /** Payees to look at; not a difference of the books. */
  notices: NoticeOutcome[];
  /** Rows that do not agree, over all checks, without those that a person has resolved as they are. */
  drifts: number;
  /** Of the drifts: listed rows whose finding a person has resolved, and that differ all the same. */
  resolvedDrifts: number;
  /** Undefined as long as no day of the provider's account was closed. */
  cash: ProviderCash | undefined;
  /** Payouts that were sent or perhaps sent, and are not final here. */
  inFlight: InFlight;
}

export function emptyLedgerReport(dryRun: boolean): LedgerReport {
  return {
    dryRun,
    checks: [],
    notices: [],
    drifts: 0,
    resolvedDrifts: 0,
    cash: undefined,
    inFlight: { count: 0, paise: 0n },
  };
}

/** The report as step outputs: one count for each check, by its code in lower case. */
export function ledgerOutputs(report: LedgerReport): Record<string, string | number> {
  const { cash } = report;
  const paise = (value: Paise | undefined): string => value?.toString() ?? "";
  return {
    checks: report.checks.length,
    drifts: report.drifts,
    resolved_drifts: report.resolvedDrifts,
    ...Object.fromEntries(
      [...report.checks, ...report.notices].map(({ code, count }) => [code.toLowerCase(), count]),
    ),
    provider_cash_paise: paise(cash?.providerPaise),
    ledger_cash_paise: paise(cash?.ledgerPaise),
    unbooked_paise: paise(cash?.unbookedPaise),
    in_flight: report.inFlight.count,
    in_flight_paise: report.inFlight.paise.toString(),
  };
}

/** The report as the tables that a finance person reads. */
export function ledgerTables(report: LedgerReport): SummaryTable[] {
  const { cash, checks, notices } = report;
  const rows = checks.flatMap(({ code, rows: drifts }) =>
    drifts.map(({ subjectType, subjectId, expectedPaise, actualPaise }) => [
      code,
      `${subjectType} ${subjectId}`,
      formatRupees(expectedPaise),
      formatRupees(actualPaise),
      formatRupees(actualPaise - expectedPaise),
    ]),
  );
  return [
    {
      title: "Books",
      columns: ["Check", "Rows that differ"],
      rows: checks.map(({ title, count }) => [title, String(count)]),
    },
    {
      title: "In flight now",
      columns: ["Payouts", "Rupees"],
      rows: [[String(report.inFlight.count), formatRupees(report.inFlight.paise)]],
    },
    {
      title: "Cash",
      columns: ["", "Rupees"],
      rows:
        cash === undefined
          ? [["At the provider", "not read yet"]]
          : [
              ["At the provider, as it was last read", formatRupees(cash.providerPaise)],
              ["Moved there and not booked yet", formatRupees(cash.unbookedPaise)],
              ["Booked and not read there yet", formatRupees(cash.notReadPaise)],
              ["In the books", formatRupees(cash.ledgerPaise)],
              ["Difference", formatRupees(cash.driftPaise)],
            ],
    },
    {
      title: "Drift",
      columns: ["Check", "Row", "Expected", "Is", "Difference"],
      rows,
      more: checks.reduce((sum, { count }) => sum + count, 0) - rows.length,
    },
    {
      title: "Payees to look at",
      columns: ["What", "Payees", "Why"],
      rows: notices.flatMap(({ title, rows: found }) =>
        found.map(({ consultants, what }) => [title, consultants.join(", "), what.join("; ")]),
      ),
      more: notices.reduce((sum, { count, rows: found }) => sum + count - found.length, 0),
    },
  ];
}

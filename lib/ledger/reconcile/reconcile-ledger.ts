import { onSnapshot, type Db, type DbSession } from "../../db/client.ts";
import { isResolved, kindOfCode, recordFinding, type NewFinding } from "../../findings/index.ts";
import { fiscalYearLabel, istDay } from "../../support/calendar.ts";
import type { Clock } from "../../support/clock.ts";
import { agreeing } from "../../support/counted.ts";
import { formatRupees } from "../../support/money.ts";
import type { RunContext } from "../../support/run-context.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { recheckTax } from "../../tds/recheck.ts";
import { readInFlight } from "../in-flight.ts";
import { lateBookings, readProviderCash, unexplainedCash } from "../provider-cash.ts";
import { CHECKS, MOST_ROWS, runCheck } from "./checks.ts";
import { PAYEE_CHECKS, runPayeeCheck, type NoticeOutcome } from "./payees.ts";
import {
  emptyLedgerReport,
  type CheckOutcome,
  type LedgerReport,
  type RecordsOutcome,
} from "./report.ts";
import type { LedgerSettings } from "./settings.ts";

/** A run that is told to stop ends between two checks. */
interface LedgerPorts extends Pick<
  RunContext<LedgerSettings>,
  "dryRun" | "settings" | "clock" | "log" | "progress" | "signal"
> {
  readonly db: Db;
  /** Checks of records that the books do not know, on the same snapshot. Default: none. */
  readonly checkRecords?: (tx: DbSession) => Promise<readonly RecordsOutcome[]>;
}

/** An account that was read longer ago than this says little about today. */
const STALE_MS = 48 * 60 * 60 * 1000;

/**
 * Proves that the books agree with everything else, on one snapshot, so that payouts that are settled
 * meanwhile look like no drift. Changes nothing but findings: each row that does not agree is one.
 */
export async function reconcileLedger(ports: LedgerPorts): Promise<CoreResult<LedgerReport>> {
  const report = emptyLedgerReport(ports.dryRun);
  const isComplete = await onSnapshot(ports.db, async (tx) => {
    for (const check of CHECKS) {
      if (ports.signal.aborted) return false;
      report.checks.push({ ...check, ...(await runCheck(tx, check)) });
      ports.progress.update(report.checks.length, CHECKS.length + 2);
    }
    await checkCash(tx, report);
    report.inFlight = await readInFlight(tx);
    for (const check of PAYEE_CHECKS) {
      if (ports.signal.aborted) return false;
      report.notices.push(await runPayeeCheck(tx, check));
    }
    for (const found of (await ports.checkRecords?.(tx)) ?? []) {
      report.records.push({ ...found, open: found.count });
    }
    return checkTax(tx, ports, report);
  });
  if (!isComplete) {
    report.drifts = report.checks.reduce((sum, { count }) => sum + count, 0);
    return { verdict: { kind: "interrupted" }, report };
  }
  for (const check of report.checks) {
    if (check.count > 0) ports.log.error({ code: check.code, count: check.count }, check.title);
    const resolved = await storeFindings(ports, check);
    report.drifts += check.canBeResolved ? check.count - resolved : check.count;
    if (!check.canBeResolved) report.resolvedDrifts += resolved;
  }
  for (const notice of report.notices) {
    notice.open = notice.count - (await storeNotices(ports, notice));
    if (notice.open > 0) ports.log.warn({ code: notice.code, count: notice.open }, notice.title);
  }
  for (const records of report.records) {
    records.open = records.count - (await storeRecords(ports, records));
    report.recordsOpen += records.open;
    if (records.open > 0)
      ports.log.warn({ kind: records.kind, count: records.open }, records.title);
  }
  return { verdict: judge(ports, report), report };
}

async function checkCash(tx: DbSession, report: LedgerReport): Promise<void> {
  const cash = await readProviderCash(tx);
  report.cash = cash;
  const outcome: CheckOutcome = {
    code: "PROVIDER_CASH_DRIFT",
    title: "Cash at the provider is the books' less what is not booked or not read yet",
    count: 0,
    rows: [],
  };
  report.checks.push(outcome);
  if (cash === undefined) return;
  const agrees = cash.driftPaise === 0n;
  const unexplained = await unexplainedCash(tx, { most: MOST_ROWS, lateOnly: agrees });
  const unread = await lateBookings(tx, MOST_ROWS);
  const whole = {
    subjectType: "ledger-account",
    subjectId: "BANK",
    expectedPaise: cash.ledgerPaise - cash.driftPaise,
    actualPaise: cash.ledgerPaise,
  };
  outcome.rows = [
    ...(agrees ? [] : [whole]),
    ...unexplained.map(({ transactionId, providerPaise, ledgerPaise }) => ({
      subjectType: "provider-transaction",
      subjectId: transactionId,
      expectedPaise: providerPaise,
      actualPaise: ledgerPaise,
    })),
    ...unread.map(({ payoutId, ledgerPaise }) => ({
      subjectType: "payout",
      subjectId: payoutId,
      expectedPaise: 0n,
      actualPaise: ledgerPaise,
    })),
  ];
  outcome.count = outcome.rows.length;
}

/** Tax that an earlier run withheld by another rule, or by another profile, than today's. */
async function checkTax(
  tx: DbSession,
  { clock, settings, signal }: LedgerPorts,
  report: LedgerReport,
): Promise<boolean> {
  const today = istDay(clock.now());
  const differences = await recheckTax(tx, { today, policy: settings.tax, signal });
  if (differences === undefined) return false;
  report.checks.push({
    code: "TAX_DIFFERS",
    title: "Tax of the open years is what the engine gives for each person",
    canBeResolved: true,
    count: differences.length,
    rows: differences.slice(0, MOST_ROWS).map((difference) => {
      const { fiscalYear, consultants, expectedPaise, actualPaise } = difference;
      const year = fiscalYearLabel(fiscalYear);
      return {
        subjectType: "tax-year",
        subjectId: `${year} ${consultants[0] ?? ""}`,
        expectedPaise,
        actualPaise,
        details: { consultants, fiscalYear: year },
      };
    }),
  });
  return true;
}

/** Stores each listed row, and returns how many a person has resolved as they are. */
async function storeFindings(ports: LedgerPorts, { code, rows }: CheckOutcome): Promise<number> {
  let resolved = 0;
  for (const { subjectType, subjectId, expectedPaise, actualPaise, details } of rows) {
    const isOpen = await store(ports, {
      kind: kindOfCode(code),
      severity: "critical",
      subjectType,
      subjectId,
      details: {
        expectedPaise,
        actualPaise,
        driftPaise: actualPaise - expectedPaise,
        ...details,
      },
    });
    if (!isOpen) resolved++;
  }
  return resolved;
}

async function storeNotices(ports: LedgerPorts, { code, rows }: NoticeOutcome): Promise<number> {
  let resolved = 0;
  for (const { consultants, what } of rows) {
    const isOpen = await store(ports, {
      kind: kindOfCode(code),
      severity: "warning",
      subjectType: "consultant-code",
      subjectId: consultants[0] ?? "",
      details: what.length > 0 ? { consultants, what } : { consultants },
    });
    if (!isOpen) resolved++;
  }
  return resolved;
}

/** Stores each listed row, and returns how many a person has resolved. */
async function storeRecords(
  ports: LedgerPorts,
  { kind, severity, rows }: RecordsOutcome,
): Promise<number> {
  let resolved = 0;
  for (const { subjectType, subjectId, details } of rows) {
    const isOpen = await store(ports, {
      kind,
      severity,
      subjectType,
      subjectId,
      details: { ...details },
    });
    if (!isOpen) resolved++;
  }
  return resolved;
}

/** Whether the finding is open. A dry run only looks. */
async function store({ dryRun, db }: LedgerPorts, finding: NewFinding): Promise<boolean> {
  return dryRun ? !(await isResolved(db, finding)) : recordFinding(db, finding);
}

function judge(
  { clock }: LedgerPorts,
  { checks, notices, records, drifts, resolvedDrifts, cash }: LedgerReport,
): Verdict {
  const broken = checks.filter(({ count }) => count > 0);
  if (drifts > 0) {
    const first = broken[0]?.rows[0];
    const example =
      first === undefined
        ? ""
        : ` The first: ${first.subjectType} ${first.subjectId} is ${formatRupees(first.actualPaise)}, expected ${formatRupees(first.expectedPaise)}.`;
    return {
      kind: "failed",
      code: "books-drift",
      message: `The books do not agree: ${broken.map(({ code, count }) => `${code} ${count}`).join(", ")}.${example}`,
      remedy: `Each listed row is a finding (npm run findings -- list)${resolvedNote(resolvedDrifts)}; docs/runbooks.md says for each kind what to look at. Nothing was changed.`,
    };
  }
  const critical = records.filter(({ severity, open }) => severity === "critical" && open > 0);
  if (critical.length > 0) {
    const counts = critical.map(({ kind, open }) => `${kind} ${open}`).join(", ");
    return {
      kind: "failed",
      code: "records-differ",
      message: `The books agree, and records do not fit together: ${counts}.`,
      remedy:
        "Each listed row is a finding (npm run findings -- list); docs/runbooks.md says for each kind what to look at. Nothing was changed.",
    };
  }
  const warnings = [
    cashWarning(clock, cash),
    noticeWarning(notices),
    recordsWarning(records),
  ].flatMap((text) => text ?? []);
  return warnings.length > 0
    ? { kind: "completed", warning: warnings.join(" ") }
    : { kind: "completed" };
}

/** A resolved finding of the books ends no red run: only books that agree do. */
function resolvedNote(count: number): string {
  if (count === 0) return "";
  const differ = agreeing(count, "is resolved and still differs", "are resolved and still differ");
  return `, of which ${count} ${differ} (npm run findings -- list --all)`;
}

function noticeWarning(notices: readonly NoticeOutcome[]): string | undefined {
  const open = notices.filter((notice) => notice.open > 0);
  if (open.length === 0) return undefined;
  const counts = open.map((notice) => `${notice.code} ${notice.open}`).join(", ");
  return `Payees to look at: ${counts}. They stay payable. Each is a finding: npm run findings -- list.`;
}

function recordsWarning(records: LedgerReport["records"]): string | undefined {
  const open = records.filter((found) => found.open > 0);
  if (open.length === 0) return undefined;
  const counts = open.map((found) => `${found.kind} ${found.open}`).join(", ");
  return `Records to look at: ${counts}. Nothing was changed. Each is a finding: npm run findings -- list.`;
}

function cashWarning(clock: Clock, cash: LedgerReport["cash"]): string | undefined {
  if (cash === undefined) {
    return "Cash was not compared: the provider's account was never read. payouts/reconcile-payout-status reads it.";
  }
  if (cash.asOf !== null && clock.now().getTime() - cash.asOf.getTime() > STALE_MS) {
    return `Cash was compared as of ${cash.asOf.toISOString()}, the newest transaction that was read at the provider.`;
  }
  return undefined;
}

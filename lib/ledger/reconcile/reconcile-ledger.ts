import { onSnapshot, type Db, type DbSession } from "../../db/client.ts";
import { kindOfCode, recordFinding } from "../../findings/index.ts";
import type { Clock } from "../../support/clock.ts";
import type { Log } from "../../support/log.ts";
import { formatRupees } from "../../support/money.ts";
import type { Progress } from "../../support/progress.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { readInFlight } from "../in-flight.ts";
import { readProviderCash, unexplainedCash } from "../provider-cash.ts";
import { CHECKS, MOST_ROWS, runCheck } from "./checks.ts";
import { emptyLedgerReport, type CheckOutcome, type LedgerReport } from "./report.ts";

export interface LedgerPorts {
  readonly dryRun: boolean;
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly progress: Progress;
  /** Asks to stop between two checks. */
  readonly signal: AbortSignal;
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
      ports.progress.update(report.checks.length, CHECKS.length + 1);
    }
    await checkCash(tx, report);
    report.inFlight = await readInFlight(tx);
    return true;
  });
  report.drifts = report.checks.reduce((sum, { count }) => sum + count, 0);
  if (!isComplete) return { verdict: { kind: "interrupted" }, report };
  for (const check of report.checks) {
    if (check.count > 0) ports.log.error({ code: check.code, count: check.count }, check.title);
    if (!ports.dryRun) await storeFindings(ports.db, check);
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
  if (cash === undefined || cash.driftPaise === 0n) return;
  const whole = {
    subjectType: "ledger-account",
    subjectId: "BANK",
    expectedPaise: cash.ledgerPaise - cash.driftPaise,
    actualPaise: cash.ledgerPaise,
  };
  const unexplained = await unexplainedCash(tx, MOST_ROWS);
  outcome.rows = [
    whole,
    ...unexplained.map(({ transactionId, providerPaise, ledgerPaise }) => ({
      subjectType: "provider-transaction",
      subjectId: transactionId,
      expectedPaise: providerPaise,
      actualPaise: ledgerPaise,
    })),
  ];
  outcome.count = outcome.rows.length;
}

async function storeFindings(db: Db, { code, rows }: CheckOutcome): Promise<void> {
  for (const { subjectType, subjectId, expectedPaise, actualPaise } of rows) {
    await recordFinding(db, {
      kind: kindOfCode(code),
      severity: "critical",
      subjectType,
      subjectId,
      details: { expectedPaise, actualPaise, driftPaise: actualPaise - expectedPaise },
    });
  }
}

function judge({ clock }: LedgerPorts, { checks, drifts, cash }: LedgerReport): Verdict {
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
      remedy:
        "Each row is a finding now (npm run findings -- list); docs/runbooks.md says for each kind what to look at. Nothing was changed.",
    };
  }
  if (cash === undefined) {
    const warning =
      "Cash was not compared: the provider's account was never read. payouts/reconcile-payout-status reads it.";
    return { kind: "completed", warning };
  }
  if (cash.asOf !== null && clock.now().getTime() - cash.asOf.getTime() > STALE_MS) {
    const warning = `Cash was compared as of ${cash.asOf.toISOString()}, the newest transaction that was read at the provider.`;
    return { kind: "completed", warning };
  }
  return { kind: "completed" };
}

import Table from "cli-table3";
import { openDatabase } from "../../../lib/db/client.ts";
import { readTrialBalance, type TrialBalance } from "../../../lib/ledger/trial-balance.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import type { PayoutRecord } from "../../sandbox/razorpay/index.ts";

/** The last line of the demo. Amounts in paise. */
export interface ResultLine {
  outcome: string;
  found: number;
  succeeded: number;
  failed: number;
  unknown: number;
  skipped: number;
  grossPaise: number;
  taxPaise: number;
  netPaise: number;
  ledgerBalanced: boolean;
}

export interface DemoResult {
  line: ResultLine;
  books: TrialBalance;
  reasons: { status: string; reason: string; count: number; amountPaise: bigint }[];
}

interface StoredReport {
  found?: number;
  succeeded?: number;
  failed?: number;
  unknown?: number;
  skipped?: number;
  grossPaise?: string;
  taxPaise?: string;
  netPaise?: string;
}

/** Reads the run's record and the books, as anybody with the database can. */
export async function readResult(url: string): Promise<DemoResult> {
  const db = openDatabase({
    url,
    applicationName: "afterhours demo",
    readOnly: true,
    connections: 1,
  });
  try {
    const [run] = await db.query<{ outcome: string | null; report: StoredReport | null }[]>`
      SELECT outcome, report FROM job_runs ORDER BY started_at DESC LIMIT 1`;
    if (!run) throw new Error("the run left no record");
    const report = run.report ?? {};
    const books = await readTrialBalance(db);
    const reasons = await db.query<DemoResult["reasons"]>`
      SELECT payout.status::text AS status,
             COALESCE(payout.failure_code, attempt.failure_code, '') AS reason,
             count(*)::int AS count, sum(payout.amount_paise)::bigint AS "amountPaise"
      FROM payouts AS payout
      LEFT JOIN payout_attempts AS attempt ON attempt.payout_id = payout.id AND attempt.state = 'UNKNOWN'
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`;
    return {
      books,
      reasons,
      line: {
        outcome: run.outcome ?? "lost",
        found: report.found ?? 0,
        succeeded: report.succeeded ?? 0,
        failed: report.failed ?? 0,
        unknown: report.unknown ?? 0,
        skipped: report.skipped ?? 0,
        grossPaise: Number(report.grossPaise ?? 0),
        taxPaise: Number(report.taxPaise ?? 0),
        netPaise: Number(report.netPaise ?? 0),
        ledgerBalanced: books.balanced && books.payableDriftPaise === 0n,
      },
    };
  } finally {
    await db.close();
  }
}

/** The result for a person, beside the provider's own counts. */
export function printResult(
  { line, books, reasons }: DemoResult,
  provider: readonly PayoutRecord[],
): void {
  const run = new Table({
    head: ["Run", line.outcome],
    colAligns: ["left", "right"],
    style: { head: [], border: [] },
  });
  run.push(
    ["Due", line.found],
    ["Sent", line.succeeded],
    ["Failed for certain", line.failed],
    ["Outcome unknown", line.unknown],
    ["Owed", formatRupees(BigInt(line.grossPaise))],
    ["Tax withheld", formatRupees(BigInt(line.taxPaise))],
    ["Paid out", formatRupees(BigInt(line.netPaise))],
  );
  const payouts = new Table({
    head: ["Payouts", "Reason", "Count", "Owed"],
    colAligns: ["left", "left", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { status, reason, count, amountPaise } of reasons) {
    payouts.push([status, reason, count, formatRupees(amountPaise)]);
  }
  const ledger = new Table({
    head: ["Ledger", "Debit", "Credit"],
    colAligns: ["left", "right", "right"],
    style: { head: [], border: [] },
  });
  for (const { code, balancePaise } of books.accounts) {
    ledger.push([
      code,
      balancePaise > 0n ? formatRupees(balancePaise) : "",
      balancePaise < 0n ? formatRupees(-balancePaise) : "",
    ]);
  }
  const live = provider.filter(({ live: alive }) => alive).length;
  console.log(["", run.toString(), payouts.toString(), ledger.toString()].join("\n"));
  console.log(
    `Books balance: ${line.ledgerBalanced ? "yes" : "NO"}. The provider holds ${live} live payouts, one for each that was sent or is unknown.`,
  );
}

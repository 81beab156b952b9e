import { openDatabase } from "../../../lib/db/client.ts";
import { readTrialBalance, type TrialBalance } from "../../../lib/ledger/trial-balance.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import type { PayoutRecord } from "../../sandbox/razorpay/index.ts";
import { tableOf } from "./table.ts";

const COUNTS = ["found", "succeeded", "failed", "unknown", "skipped"] as const;
const AMOUNTS = ["grossPaise", "taxPaise", "netPaise"] as const;
type Sums = Record<(typeof COUNTS)[number] | (typeof AMOUNTS)[number], number>;

interface DemoResult {
  /** The last line of the demo. Amounts in paise. */
  line: { outcome: string; ledgerBalanced: boolean } & Sums;
  books: TrialBalance;
  reasons: { status: string; reason: string; count: number; amountPaise: bigint }[];
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
    const [run] = await db.query<
      { outcome: string | null; report: Partial<Record<string, unknown>> | null }[]
    >`SELECT outcome, report FROM job_runs ORDER BY started_at DESC LIMIT 1`;
    if (!run) throw new Error("the run left no record");
    const books = await readTrialBalance(db);
    const reasons = await db.query<DemoResult["reasons"]>`
      SELECT payout.status::text AS status,
             COALESCE(payout.failure_code, attempt.failure_code, '') AS reason,
             count(*)::int AS count, sum(payout.amount_paise)::bigint AS "amountPaise"
      FROM payouts AS payout
      LEFT JOIN payout_attempts AS attempt ON attempt.payout_id = payout.id AND attempt.state = 'UNKNOWN'
      GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2`;
    const sums = Object.fromEntries(
      [...COUNTS, ...AMOUNTS].map((name) => [name, Number(run.report?.[name] ?? 0)]),
    ) as Sums;
    const ledgerBalanced = books.balanced && books.payableDriftPaise === 0n;
    return { books, reasons, line: { outcome: run.outcome ?? "lost", ...sums, ledgerBalanced } };
  } finally {
    await db.close();
  }
}

/** The result for a person, beside the provider's own counts. */
export function printResult(
  { line, books, reasons }: DemoResult,
  provider: readonly PayoutRecord[],
): void {
  const rupees = (paise: number): string => formatRupees(BigInt(paise));
  const live = provider.filter(({ live: alive }) => alive).length;
  console.log(
    [
      "",
      tableOf(
        ["Run", line.outcome],
        [
          ["Due", line.found],
          ["Sent", line.succeeded],
          ["Failed for certain", line.failed],
          ["Outcome unknown", line.unknown],
          ["Owed", rupees(line.grossPaise)],
          ["Tax withheld", rupees(line.taxPaise)],
          ["Paid out", rupees(line.netPaise)],
        ],
        { numbersFrom: 1 },
      ),
      tableOf(
        ["Payouts", "Reason", "Count", "Owed"],
        reasons.map((row) => [row.status, row.reason, row.count, formatRupees(row.amountPaise)]),
        { numbersFrom: 2 },
      ),
      tableOf(
        ["Ledger", "Debit", "Credit"],
        books.accounts.map(({ code, balancePaise }) => [
          code,
          balancePaise > 0n ? formatRupees(balancePaise) : "",
          balancePaise < 0n ? formatRupees(-balancePaise) : "",
        ]),
        { numbersFrom: 1 },
      ),
      `Books balance: ${line.ledgerBalanced ? "yes" : "NO"}. The provider holds ${live} live payouts, one for each that was sent or is unknown.`,
    ].join("\n"),
  );
}

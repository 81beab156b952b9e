import { rm } from "node:fs/promises";
import pg from "pg";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { openDatabase } from "../../../lib/db/client.ts";
import { reconcileLedger } from "../../../lib/ledger/reconcile/reconcile-ledger.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { noProgress } from "../../../lib/support/progress.ts";
import { defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { OUR_FOLDERS, readMigrations } from "../../../scripts/cli/schema/migration-files.ts";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { startSandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { runPayouts } from "../../support/payout-world.ts";
import { runScript } from "../../support/run-script.ts";
import { copyOfOurFolders } from "./folders.ts";

const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);
const AMOUNTS = "20261130100000_amounts_from_source";

const id = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const PAYEE = id(1);
const ACCOUNT = id(2);
const RUN = id(3);
/** Of ₹1,000.00 each, without a fee. */
const SALES = [id(11), id(12), id(13), id(14)] as const;
/** Stands in the books with ₹3,000.00. */
const BOOKED_THRICE = SALES[2];
/** Waits for approval: ₹5,000.00 for a sale of ₹1,000.00. */
const OF_OTHER_ITEM = id(21);
/** Is under way: ₹1,000.00 were sent, of which ₹10.00 are withheld. */
const SENT_UNTAXED = id(22);
const NEW = id(31);
const PAYOUT_TABLES = ["earnings", "payouts", "payout_items", "payout_attempts", "tax_deductions"];
const BOOK_TABLES = ["ledger_transactions", "ledger_entries"];

/** Rows as a login of the jobs could write them before this migration; the books know each sale. */
const WRONG_ROWS = [
  `INSERT INTO consultants (id, external_ref, name) VALUES ('${PAYEE}', 'C-1', 'A payee')`,
  `INSERT INTO tax_profiles (consultant_id, category, pan_status, pan) VALUES ('${PAYEE}', 'individual', 'valid', 'ZZZPE1234A')`,
  `INSERT INTO payout_accounts (id, consultant_id, kind, vpa) VALUES ('${ACCOUNT}', '${PAYEE}', 'vpa', 'payee@bank')`,
  `INSERT INTO ledger_accounts (code, consultant_id)
     VALUES ('CONSULTANT_PAYABLE', '${PAYEE}'), ('BANK', NULL), ('PLATFORM_CLEARING', NULL)`,
  ...SALES.flatMap((sale) => [
    `INSERT INTO earnings (id, consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise, status)
       VALUES ('${sale}', '${PAYEE}', 'B-${sale}', '2026-11-20', 100000, 0, 100000,
               '${sale === SALES[0] || sale === SALES[1] ? "LINKED" : "READY"}')`,
    released(sale, sale === BOOKED_THRICE ? 300_000 : 100_000),
  ]),
  posting("gift", "1", { BANK: 7_000, PLATFORM_CLEARING: -7_000 }),
  ...payoutOf(OF_OTHER_ITEM, SALES[0], 500_000),
  ...payoutOf(SENT_UNTAXED, SALES[1], 100_000),
  ...sendUntaxed(SENT_UNTAXED, SALES[1]),
];

function payoutOf(payout: string, sale: string, paise: number): string[] {
  return [
    `INSERT INTO payouts (id, consultant_id, gross_paise, amount_paise, status)
       VALUES ('${payout}', '${PAYEE}', ${paise}, ${paise}, 'PENDING')`,
    `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
       VALUES ('${payout}', '${sale}', ${paise}, ${paise})`,
  ];
}

/** Claims it without tax, takes ₹10.00 of tax, and sends all the same ₹1,000.00. */
function sendUntaxed(payout: string, sale: string): string[] {
  return [
    `UPDATE payouts SET status = 'APPROVED', approved_at = now() WHERE id = '${payout}'`,
    `UPDATE payouts SET status = 'PROCESSING', claimed_by = '${RUN}', claimed_at = now(), tax_paise = 0, net_paise = 100000
       WHERE id = '${payout}'`,
    `INSERT INTO tax_deductions (consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise,
         rate_bps, section, code, reason)
       VALUES ('${PAYEE}', '${payout}', '${sale}', 2026, '2026-11-20', 100000, 1000, 100, '393', '1035', 'standard-rate')`,
    `INSERT INTO payout_attempts (payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id, mode,
         amount_paise, request_hash, request_body)
       VALUES ('${payout}', 1, '${ACCOUNT}', '${RUN}', gen_random_uuid(), gen_random_uuid(), 'UPI', 100000,
               repeat('0', 64), '{}')`,
  ];
}

function released(sale: string, paise: number): string {
  const entries = { PLATFORM_CLEARING: paise, CONSULTANT_PAYABLE: -paise };
  return posting("earning-released", sale, entries, sale);
}

function posting(
  kind: string,
  of: string,
  entries: Readonly<Record<string, number>>,
  earning?: string,
): string {
  const about = earning === undefined ? "NULL" : `'${earning}'`;
  const values = Object.entries(entries).map(([code, paise]) => `('${code}', ${paise})`);
  return `
WITH booking AS (
  INSERT INTO ledger_transactions (key, kind, earning_id) VALUES ('${kind}:${of}', '${kind}', ${about}) RETURNING id)
INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
  SELECT booking.id, account.id, entry.paise
  FROM booking, (VALUES ${values.join(", ")}) AS entry (code, paise)
  JOIN ledger_accounts AS account ON account.code::text = entry.code`;
}

async function rowsOf(client: pg.Client): Promise<Record<string, unknown[]>> {
  const rows: Record<string, unknown[]> = {};
  for (const table of [...PAYOUT_TABLES, ...BOOK_TABLES]) {
    rows[table] = (await client.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows;
  }
  return rows;
}

/** A database of the last version before the migration, with the wrong rows, and upgraded. */
async function inUpgraded(test: (url: string, client: pg.Client) => Promise<void>): Promise<void> {
  const folders = copyOfOurFolders();
  const later = ours.slice(ours.indexOf(AMOUNTS));
  try {
    for (const name of later) await rm(`${folders.migrationsDir}/${name}`, { recursive: true });
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      await migrate({ url, folders });
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        await inTransaction(client, WRONG_ROWS);
        const before = await rowsOf(client);
        expect(await migrate({ url })).toEqual(later);
        // Later versions add columns; what was there stays.
        expect(await rowsOf(client)).toMatchObject(before);
        await test(url, client);
      } finally {
        await client.end();
      }
    });
  } finally {
    folders.remove();
  }
}

async function inTransaction(client: pg.Client, statements: readonly string[]): Promise<void> {
  await client.query("BEGIN");
  try {
    for (const statement of statements) await client.query(statement);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  }
}

describe("an upgrade to amounts that are checked against their source, with rows that break the rules", () => {
  it("keeps the rows, and audit and reconcile-ledger name each of them", () =>
    inUpgraded(async (url, client) => {
      const audit = await runScript("scripts/cli/ledger-audit.ts", {
        args: ["--json"],
        env: { DATABASE_URL: url },
      });
      expect(audit.exitCode).toBe(1);
      const { answers } = JSON.parse(audit.stdout) as {
        answers: { code: string; breaches: { subject: string }[] }[];
      };
      const { rows } = await client.query<{ id: string }>("SELECT id FROM payout_attempts");
      expect(
        answers.flatMap(({ code, breaches }) => breaches.map(({ subject }) => [code, subject])),
      ).toEqual([
        ["EARNING_PAID_OTHERWISE", `earning ${SALES[0]}`],
        ["SENT_OTHER_AMOUNT", `attempt ${rows[0]?.id}`],
        ["OWED_OTHERWISE_IN_BOOKS", `consultant ${PAYEE}`],
        ["PAYABLE_MOVED_BY_OTHER_POSTING", `posting earning-released:${BOOKED_THRICE}`],
      ]);
      expect(await findingsOf(url)).toEqual([
        ["PAYABLE_DRIFT", PAYEE],
        ["EARNING_NOT_BOOKED", BOOKED_THRICE],
        ["PAYOUT_NOT_OF_EARNINGS", OF_OTHER_ITEM],
        ["POSTING_WITHOUT_SOURCE", `earning-released:${BOOKED_THRICE} CONSULTANT_PAYABLE`],
        ["POSTING_WITHOUT_SOURCE", `earning-released:${BOOKED_THRICE} PLATFORM_CLEARING`],
        ["POSTING_WITHOUT_SOURCE", "gift:1 BANK"],
        ["POSTING_WITHOUT_SOURCE", "gift:1 PLATFORM_CLEARING"],
      ]);
    }));

  it("refuses new rows of the same kinds", () =>
    inUpgraded(async (_url, client) => {
      const [, , , sale] = SALES;
      const refused: readonly [string, readonly string[]][] = [
        ["payout_items_of_earning", payoutOf(NEW, sale, 500_000)],
        ["ledger_transactions_kind", [posting("gift", "2", { BANK: 1, PLATFORM_CLEARING: -1 })]],
        [
          "ledger_transactions_of_source",
          [posting("tax-deposited", NEW, { BANK: 1, PLATFORM_CLEARING: -1 })],
        ],
        [
          "payout_attempts_of_earnings",
          [...payoutOf(NEW, sale, 100_000), ...sendUntaxed(NEW, sale)],
        ],
      ];
      for (const [constraint, statements] of refused) {
        await expect(inTransaction(client, statements)).rejects.toMatchObject({ constraint });
      }
      await inTransaction(client, payoutOf(NEW, sale, 100_000));
    }));

  it("sends nothing of a payout that was approved with them, which a person can reject", () =>
    inUpgraded(async (url, client) => {
      const payouts = (...args: string[]) =>
        runScript("scripts/cli/payouts.ts", { args, env: { DATABASE_URL: url, USER: "asha" } });
      expect((await payouts("approve", OF_OTHER_ITEM)).exitCode).toBe(0);
      const sandbox = await startSandbox();
      onTestFinished(() => sandbox.close());
      const { report } = await runPayouts({ database: { url }, sandbox });
      expect(report.items).toMatchObject([
        { payoutId: OF_OTHER_ITEM, outcome: "failed", code: "PAYOUT_ITEMS_DISAGREE" },
      ]);
      expect(sandbox.payouts()).toEqual([]);

      const rejected = await payouts("reject", OF_OTHER_ITEM, "--reason", "of another amount");
      expect(rejected.stdout).toContain("rejected  ");
      const { rows } = await client.query<{ status: string }>(
        `SELECT status::text FROM earnings WHERE id = '${SALES[0]}'`,
      );
      expect(rows).toEqual([{ status: "READY" }]);
    }));
});

async function findingsOf(url: string): Promise<string[][]> {
  const db = openDatabase({ url, applicationName: "books", readOnly: false, connections: 1 });
  try {
    const { report } = await reconcileLedger({
      dryRun: false,
      db,
      clock: systemClock,
      log: silentLog(),
      progress: noProgress,
      signal: new AbortController().signal,
      settings: { tax: defaultTaxPolicy },
    });
    // The tax of these rows is made up as well, and is not what is tested here.
    const checks = report.checks.filter(({ code }) => code !== "TAX_DIFFERS");
    return checks.flatMap(({ code, rows }) => rows.map(({ subjectId }) => [code, subjectId]));
  } finally {
    await db.close();
  }
}

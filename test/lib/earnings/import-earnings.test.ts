import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import {
  describeReport,
  formatProblems,
  importEarnings,
  type ImportOptions,
  type ImportReport,
} from "../../../lib/earnings/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { share } from "../../support/share.ts";
import { csv, read, row, rowsOf, type Cells } from "./builders.ts";

let database: TestDatabase;
let client: pg.Client;
const opened: pg.Client[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  client = await open();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((session) => session.end()));
  await database.drop();
});

async function open({ readOnly = false } = {}): Promise<pg.Client> {
  const session = new pg.Client(
    connectionConfig({ url: database.url, applicationName: "test import-earnings", readOnly }),
  );
  await session.connect();
  opened.push(session);
  return session;
}

async function importRows(rows: Cells[], options: ImportOptions = {}): Promise<ImportReport> {
  return importEarnings(client, await read(csv(rows)), options);
}

/** All that an import can write, without the ids and times that the database makes up. */
async function contents(): Promise<Record<string, unknown[]>> {
  const queries = {
    consultants: "SELECT external_ref, name FROM consultants ORDER BY 1",
    profiles: `SELECT external_ref, category, resident, pan_status, pan, aadhaar
      FROM tax_profiles t JOIN consultants c ON c.id = t.consultant_id ORDER BY 1`,
    accounts: `SELECT external_ref, kind, ifsc, account_number, vpa, active
      FROM payout_accounts a JOIN consultants c ON c.id = a.consultant_id ORDER BY 1, active, 4, 5`,
    earnings: `SELECT external_ref, booking_reference, currency, to_char(credited_on, 'YYYY-MM-DD') AS day,
        gross_paise, platform_fee_paise, amount_paise, status
      FROM earnings e JOIN consultants c ON c.id = e.consultant_id ORDER BY 2`,
    postings: `SELECT booking_reference, t.key = 'earning-released:' || e.id AS keyed, t.kind, a.code,
        c.external_ref, n.amount_paise
      FROM ledger_entries n JOIN ledger_transactions t ON t.id = n.transaction_id
      JOIN earnings e ON e.id = t.earning_id JOIN ledger_accounts a ON a.id = n.account_id
      LEFT JOIN consultants c ON c.id = a.consultant_id ORDER BY 1, 4`,
    payouts: `SELECT external_ref, currency, gross_paise, amount_paise, tax_paise, net_paise, status,
        approved_at IS NOT NULL AS approved
      FROM payouts p JOIN consultants c ON c.id = p.consultant_id ORDER BY 1, 3`,
    items: `SELECT booking_reference, i.gross_paise, i.amount_paise, i.released_at
      FROM payout_items i JOIN earnings e ON e.id = i.earning_id ORDER BY 1`,
  };
  const found: Record<string, unknown[]> = {};
  for (const [name, sql] of Object.entries(queries)) found[name] = (await client.query(sql)).rows;
  return found;
}

async function count(table: string): Promise<number> {
  const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}`);
  return Number(rows[0]?.count);
}

describe("importing a file", () => {
  it("writes consultants, tax profiles, accounts, earnings and balanced postings", async () => {
    const report = await importRows([
      row({ gross: "1234.50", platform_fee: "200.00" }),
      row({
        booking_reference: "BK-2",
        credit_date: "2026-11-17",
        gross: "500",
        platform_fee: "0",
      }),
      row({
        consultant: "C-002",
        name: "",
        pan: "",
        aadhaar: "yes",
        ifsc: "",
        account_number: "",
        vpa: "Ravi@demobank",
        booking_reference: "BK-3",
      }),
    ]);

    expect(report).toMatchObject({
      outcome: "imported",
      problems: [],
      rows: 3,
      consultants: { new: 2, known: 0 },
      earnings: { new: 3, known: 0 },
      fileTotals: { grossPaise: 273_450n, platformFeePaise: 35_000n, amountPaise: 238_450n },
      newTotals: { grossPaise: 273_450n, platformFeePaise: 35_000n, amountPaise: 238_450n },
      payouts: { count: 0, grossPaise: 0n, amountPaise: 0n },
    });
    expect(await contents()).toMatchObject({
      consultants: [
        { external_ref: "C-001", name: "Asha Example" },
        { external_ref: "C-002", name: "C-002" },
      ],
      profiles: [
        {
          external_ref: "C-001",
          category: "individual",
          resident: true,
          pan_status: "valid",
          pan: "ZZZPE1234A",
          aadhaar: false,
        },
        { external_ref: "C-002", pan_status: "missing", pan: null, aadhaar: true },
      ],
      accounts: [
        { kind: "bank_account", ifsc: "HDFC0001220", account_number: "912345678901", vpa: null },
        { kind: "vpa", ifsc: null, account_number: null, vpa: "ravi@demobank", active: true },
      ],
      earnings: [
        {
          booking_reference: "BK-1",
          currency: "INR",
          day: "2026-11-16",
          gross_paise: "123450",
          platform_fee_paise: "20000",
          amount_paise: "103450",
          status: "READY",
        },
        { booking_reference: "BK-2", day: "2026-11-17", amount_paise: "50000" },
        { booking_reference: "BK-3", external_ref: "C-002", amount_paise: "85000" },
      ],
      postings: [
        {
          keyed: true,
          kind: "earning-released",
          code: "PLATFORM_CLEARING",
          amount_paise: "103450",
        },
        { code: "CONSULTANT_PAYABLE", external_ref: "C-001", amount_paise: "-103450" },
        { code: "PLATFORM_CLEARING", external_ref: null, amount_paise: "50000" },
        { code: "CONSULTANT_PAYABLE", external_ref: "C-001", amount_paise: "-50000" },
        { code: "PLATFORM_CLEARING", external_ref: null, amount_paise: "85000" },
        { code: "CONSULTANT_PAYABLE", external_ref: "C-002", amount_paise: "-85000" },
      ],
      payouts: [],
      items: [],
    });
    expect(await count("ledger_accounts")).toBe(3);
  });

  it("changes nothing the second time", async () => {
    const rows = [...rowsOf("C-001", 3), ...rowsOf("C-002", 2)];
    await importRows(rows);
    const before = await contents();

    const report = await importRows(rows);

    expect(report).toMatchObject({
      outcome: "imported",
      consultants: { new: 0, known: 2 },
      earnings: { new: 0, known: 5 },
      newTotals: { grossPaise: 0n, platformFeePaise: 0n, amountPaise: 0n },
    });
    expect(await contents()).toEqual(before);
  });

  it("adds what is new beside what is already imported", async () => {
    await importRows(rowsOf("C-001", 2));

    const report = await importRows([...rowsOf("C-001", 3), ...rowsOf("C-002", 1)]);

    expect(report).toMatchObject({
      consultants: { new: 1, known: 1 },
      earnings: { new: 2, known: 2 },
      newTotals: { amountPaise: 170_000n },
      fileTotals: { amountPaise: 340_000n },
    });
    expect(await count("ledger_transactions")).toBe(4);
  });

  it("writes nothing at all when one row is bad", async () => {
    const report = await importRows([...rowsOf("C-001", 3), row({ gross: "0" })], {
      approve: true,
    });

    expect(report.outcome).toBe("refused");
    expect(report.problems).toHaveLength(1);
    for (const rows of Object.values(await contents())) expect(rows).toEqual([]);
  });

  it("reports a bad row together with what the database says of the others", async () => {
    await importRows([row()]);

    const report = await importRows([
      row({ gross: "999" }),
      row({ consultant: "C-002", booking_reference: "BK-2", pan: "?" }),
    ]);

    expect(report.problems).toMatchObject([
      { line: 3, column: "pan" },
      { line: 2, column: "gross" },
    ]);
  });

  it("passes the error on and keeps nothing when a write fails in the middle", async () => {
    await client.query("ALTER TABLE ledger_entries ADD CHECK (amount_paise < 1000000)");
    const rows = [...rowsOf("C-001", 3), row({ gross: "20000" })];

    await expect(importRows(rows, { approve: true })).rejects.toThrow(/violates check constraint/);

    for (const table of ["consultants", "earnings", "ledger_accounts", "payouts"]) {
      expect(await count(table)).toBe(0);
    }
    expect((await importRows(rowsOf("C-001", 3))).outcome).toBe("imported");
  });
});

describe("what is on record", () => {
  it("refuses a known booking with other values, naming each field", async () => {
    await importRows([row(), row({ consultant: "C-002", booking_reference: "BK-2" })]);

    const rows = [
      row({
        consultant: "C-002",
        credit_date: "2026-11-18",
        gross: "1500.00",
        platform_fee: "1.00",
      }),
    ];
    const { problems } = await importRows(rows);

    const booking = "the booking is already imported with";
    expect(formatProblems("week.csv", problems)).toEqual([
      `week.csv:2 column consultant: ${booking} another consultant`,
      `week.csv:2 column credit_date: ${booking} 2026-11-16, not 2026-11-18`,
      `week.csv:2 column gross: ${booking} ₹1,000.00, not ₹1,500.00`,
      `week.csv:2 column platform_fee: ${booking} ₹150.00, not ₹1.00`,
    ]);
  });

  it("refuses tax facts that differ from the record, and shows none of them", async () => {
    await importRows([row({ aadhaar: "yes" })]);
    const changed = {
      pan: "ZZZHE9876B",
      category: "huf",
      pan_status: "inoperative",
      resident: "no",
      aadhaar: "no",
    };

    const { outcome, problems } = await importRows(
      [row({ booking_reference: "BK-2", ...changed })],
      {
        updateAccounts: true,
      },
    );

    expect(outcome).toBe("refused");
    const columns = problems.map(({ column }) => column);
    expect(columns).toEqual(["pan", "category", "pan_status", "resident", "aadhaar"]);
    const printed = formatProblems("week.csv", problems).join("\n");
    expect(printed).not.toMatch(/ZZZ/);
    expect(printed).toContain("week.csv:2 column pan: differs from the tax profile on record");
  });

  it("refuses a PAN that the record lacks, and a missing one that it has", async () => {
    await importRows([row(), row({ consultant: "C-002", pan: "", booking_reference: "BK-2" })]);

    const { problems } = await importRows([
      row({ booking_reference: "BK-3", pan: "" }),
      row({ consultant: "C-002", booking_reference: "BK-4" }),
    ]);

    expect(problems).toMatchObject([
      { line: 2, column: "pan" },
      { line: 3, column: "pan" },
    ]);
  });

  it("does not compare what the file leaves open", async () => {
    await importRows([row({ resident: "no", aadhaar: "yes", pan_status: "inoperative" })]);
    const before = await contents();

    const report = await importRows([row({ name: "" })]);

    expect(report.problems).toEqual([]);
    expect(await contents()).toEqual(before);
  });

  it("keeps the name on record, and says so", async () => {
    await importRows([row()]);

    const report = await importRows([row({ name: "Asha E." })]);

    expect(report).toMatchObject({ outcome: "imported", namesKept: 1 });
    expect(describeReport(report).join("\n")).toContain("1 differ from the record");
    expect((await contents())["consultants"]).toEqual([
      { external_ref: "C-001", name: "Asha Example" },
    ]);
  });

  it("gives a consultant on record that has neither profile nor account both of them", async () => {
    await client.query("INSERT INTO consultants (external_ref, name) VALUES ('C-001', 'Asha')");

    const report = await importRows([row()]);

    expect(report).toMatchObject({ outcome: "imported", accountsReplaced: 0 });
    expect(await contents()).toMatchObject({
      consultants: [{ name: "Asha" }],
      profiles: [{ pan: "ZZZPE1234A" }],
      accounts: [{ account_number: "912345678901", active: true }],
    });
  });
});

describe("bank details", () => {
  const moved = { ifsc: "SBIN0002655", account_number: "30123456789" };

  it.each([
    ["another bank account", moved, ["ifsc", "account_number"]],
    ["another branch", { ifsc: "HDFC0003982" }, ["ifsc"]],
    ["a VPA", { ifsc: "", account_number: "", vpa: "asha@demobank" }, ["vpa"]],
  ] as const)("refuses %s and names the option", async (_what, cells, columns) => {
    await importRows([row()]);

    const { outcome, problems } = await importRows([row({ booking_reference: "BK-2", ...cells })]);

    expect(outcome).toBe("refused");
    expect(problems.map(({ line, column }) => [line, column])).toEqual(
      columns.map((column) => [2, column]),
    );
    expect(problems[0]?.message).toContain("--update-accounts");
    expect(problems[0]?.message).not.toMatch(/30123456789|asha@/);
    expect(await count("payout_accounts")).toBe(1);
  });

  it("makes a new account the active one with the option, and leaves the old row as it was", async () => {
    await importRows([row()]);

    const report = await importRows([row({ booking_reference: "BK-2", ...moved })], {
      updateAccounts: true,
    });

    expect(report).toMatchObject({ outcome: "imported", accountsReplaced: 1 });
    const accounts = [
      { account_number: "912345678901", ifsc: "HDFC0001220", active: false },
      { account_number: "30123456789", ifsc: "SBIN0002655", active: true },
    ];
    expect((await contents())["accounts"]).toMatchObject(accounts);

    const again = await importRows([row({ booking_reference: "BK-2", ...moved })], {
      updateAccounts: true,
    });
    expect(again.accountsReplaced).toBe(0);
    expect((await contents())["accounts"]).toMatchObject(accounts);
  });

  it("names the payouts whose approval it ends, in a dry run as well", async () => {
    await importRows([row()], { approve: true });
    const [payout] = (
      await client.query<{ id: string; bound: boolean }>(
        `SELECT payout.id, account.active AS bound FROM payouts AS payout
       JOIN payout_accounts AS account ON account.id = payout.approved_account_id
       WHERE payout.approved_amount_paise = payout.amount_paise AND payout.approved_items IS NOT NULL`,
      )
    ).rows;
    expect(payout?.bound).toBe(true);

    const next = [row({ booking_reference: "BK-2", ...moved })];
    for (const dryRun of [true, false]) {
      const report = await importRows(next, { updateAccounts: true, dryRun });
      expect(report.endedApprovals).toMatchObject([
        { payoutId: payout?.id, consultantRef: "C-001" },
      ]);
      const text = describeReport(report).join("\n");
      expect(text).toMatch(/Approval ended +C-001, payout [0-9a-f-]{36}, ₹.+ back to PENDING/);
      expect(text).not.toMatch(/30123456789|912345678901/);
    }
    expect((await importRows(next, { updateAccounts: true })).endedApprovals).toEqual([]);
  });

  it("asks for the option too where the only account was made inactive", async () => {
    await importRows([row()]);
    await client.query("UPDATE payout_accounts SET active = false");

    expect((await importRows([row()])).outcome).toBe("refused");
    expect((await importRows([row()], { updateAccounts: true })).outcome).toBe("imported");
    expect((await contents())["accounts"]).toMatchObject([{ active: false }, { active: true }]);
  });
});

describe("approving at once", () => {
  it("makes one approved payout for each consultant and links the earnings", async () => {
    const report = await importRows([...rowsOf("C-001", 2), ...rowsOf("C-002", 1)], {
      approve: true,
    });

    expect(report.payouts).toEqual({ count: 2, grossPaise: 300_000n, amountPaise: 255_000n });
    expect(await contents()).toMatchObject({
      payouts: [
        {
          external_ref: "C-001",
          currency: "INR",
          gross_paise: "200000",
          amount_paise: "170000",
          tax_paise: null,
          net_paise: null,
          status: "APPROVED",
          approved: true,
        },
        { external_ref: "C-002", gross_paise: "100000", amount_paise: "85000" },
      ],
      items: [
        { booking_reference: "BK-C-001-1", gross_paise: "100000", amount_paise: "85000" },
        { booking_reference: "BK-C-001-2", released_at: null },
        { booking_reference: "BK-C-002-1", released_at: null },
      ],
      earnings: [{ status: "LINKED" }, { status: "LINKED" }, { status: "LINKED" }],
    });
  });

  it("makes nothing more the second time", async () => {
    const rows = rowsOf("C-001", 3);
    await importRows(rows, { approve: true });
    const before = await contents();

    const report = await importRows(rows, { approve: true });

    expect(report.payouts.count).toBe(0);
    expect(await contents()).toEqual(before);
  });

  it("takes earnings imported before and still ready, and none of another file", async () => {
    await importRows(rowsOf("C-001", 2));
    await importRows([row({ booking_reference: "OTHER" })]);

    const report = await importRows(rowsOf("C-001", 3), { approve: true });

    expect(report.payouts).toEqual({ count: 1, grossPaise: 300_000n, amountPaise: 255_000n });
    const { earnings } = await contents();
    expect(earnings).toMatchObject([
      { status: "LINKED" },
      { status: "LINKED" },
      { status: "LINKED" },
      { booking_reference: "OTHER", status: "READY" },
    ]);
  });

  it("takes an earning again that a rejected payout has released", async () => {
    await importRows([row()], { approve: true });
    await client.query("UPDATE payouts SET status = 'REJECTED'");
    await client.query("UPDATE payout_items SET released_at = now()");
    await client.query("UPDATE earnings SET status = 'READY'");

    const report = await importRows([row()], { approve: true });

    expect(report.payouts.count).toBe(1);
    expect(await count("payout_items")).toBe(2);
  });
});

describe("a dry run", () => {
  it("says what an import would do, on a session that cannot write, and does nothing", async () => {
    await importRows(rowsOf("C-001", 2));
    const before = await contents();
    const rows = [...rowsOf("C-001", 3), ...rowsOf("C-002", 2)];
    const file = await read(csv(rows));

    const planned = await importEarnings(await open({ readOnly: true }), file, {
      dryRun: true,
      approve: true,
    });

    expect(await contents()).toEqual(before);
    const done = await importEarnings(client, file, { approve: true });
    expect(planned).toEqual({ ...done, outcome: "planned" });
    expect(planned.payouts).toEqual({ count: 2, grossPaise: 500_000n, amountPaise: 425_000n });
    expect(describeReport(planned)[0]).toMatch(/nothing was written/);
  });

  it("finds the problems that only the database shows", async () => {
    await importRows([row()]);

    const report = await importRows([row({ gross: "2000", ifsc: "SBIN0002655" })], {
      dryRun: true,
    });

    expect(report.outcome).toBe("refused");
    expect(report.problems).toMatchObject([{ column: "ifsc" }, { column: "gross" }]);
  });
});

describe("imports at the same time", () => {
  it("end like one import, each earning and payout once", async () => {
    const file = await read(csv([...rowsOf("C-001", 20), ...rowsOf("C-002", 20)]));
    const sessions = [client, await open(), await open(), await open()];

    const reports = await Promise.all(
      sessions.map((session) => importEarnings(session, file, { approve: true })),
    );

    expect(reports.map(({ outcome }) => outcome)).toEqual(Array(4).fill("imported"));
    const sum = (pick: (report: ImportReport) => number): number =>
      reports.reduce((total, report) => total + pick(report), 0);
    expect(sum(({ earnings }) => earnings.new)).toBe(40);
    expect(sum(({ consultants }) => consultants.new)).toBe(2);
    expect(sum(({ payouts }) => payouts.count)).toBe(2);
    const { payouts, items, postings } = await contents();
    expect(payouts).toHaveLength(2);
    expect(items).toHaveLength(40);
    expect(postings).toHaveLength(80);
  });

  it("of files that overlap bring every earning in once", async () => {
    const files = await Promise.all([
      read(csv([...rowsOf("C-001", 10), ...rowsOf("C-002", 5)])),
      read(csv([...rowsOf("C-002", 10), ...rowsOf("C-001", 5)])),
    ]);
    const other = await open();

    await Promise.all(
      files.map((file, index) => importEarnings(index === 0 ? client : other, file)),
    );

    expect(await count("earnings")).toBe(20);
    expect(await count("ledger_transactions")).toBe(20);
  });

  it("gives up whole when another writer takes a booking in between", async () => {
    const writer = await open();
    await importRows([row({ booking_reference: "BK-0" })]);
    await writer.query("BEGIN");
    await writer.query(
      `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
       SELECT id, 'BK-1', '2026-11-16', 200, 100, 100 FROM consultants`,
    );
    const importing = importRows([row(), row({ booking_reference: "BK-2" })]);
    await waitUntilBlocked(writer);
    await writer.query("COMMIT");

    await expect(importing).rejects.toMatchObject({ code: "IMPORT_CONFLICT" });

    expect(await count("earnings")).toBe(2);
  });
});

/** Until another session waits for a lock that this one holds. */
async function waitUntilBlocked(holder: pg.Client): Promise<void> {
  for (;;) {
    const { rowCount } = await holder.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database()
         AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`,
    );
    if (rowCount) return;
  }
}

describe("a large file", () => {
  it("comes in with a posting for each row, and again without a change", async () => {
    const payees = share(500);
    const rowCount = payees * 40;
    const rows = Array.from({ length: payees }, (_, index) => rowsOf(`C-${index}`, 40)).flat();
    const file = await read(csv(rows));

    const first = await importEarnings(client, file, { approve: true });
    const second = await importEarnings(client, file, { approve: true });

    expect(first).toMatchObject({
      rows: rowCount,
      consultants: { new: payees },
      earnings: { new: rowCount, known: 0 },
      payouts: { count: payees, amountPaise: BigInt(rowCount) * 85_000n },
    });
    expect(second).toMatchObject({ earnings: { new: 0, known: rowCount }, payouts: { count: 0 } });
    expect(await count("ledger_entries")).toBe(2 * rowCount);
    const { rows: sums } = await client.query(
      `SELECT a.code, sum(n.amount_paise)::text AS sum
       FROM ledger_entries n JOIN ledger_accounts a ON a.id = n.account_id GROUP BY 1 ORDER BY 1`,
    );
    expect(sums).toEqual([
      { code: "PLATFORM_CLEARING", sum: String(rowCount * 85_000) },
      { code: "CONSULTANT_PAYABLE", sum: String(rowCount * -85_000) },
    ]);
  });
});

describe("who is one payee, and one person", () => {
  const second = { booking_reference: "BK-2" };

  it.each([
    ["case", "C-1", "c-1"],
    ["case and form", "Jos\u00e9-1", "JOSE\u0301-1"],
  ])("refuses codes of one file that differ by %s", async (_what, first, other) => {
    const report = await importRows([
      row({ consultant: first }),
      row({ ...second, consultant: other }),
    ]);

    expect(report.outcome).toBe("refused");
    const printed = formatProblems("week.csv", report.problems);
    expect(printed).toHaveLength(1);
    expect(printed[0]).toContain(
      `${other.normalize("NFC")} and ${first} (line 2) look like one payee`,
    );
    expect(printed[0]).toContain("week.csv:3 column consultant");
  });

  it("refuses a code that differs by case alone from one on record", async () => {
    await importRows([row({ consultant: "C-1" })]);

    const report = await importRows([row({ ...second, consultant: "c-1" })]);

    expect(report.problems).toMatchObject([
      {
        column: "consultant",
        message: expect.stringContaining("c-1 and C-1 (on record) look like one payee") as string,
      },
    ]);
  });

  it("takes two Unicode forms of a code for one, in a file and on record", async () => {
    const [composed, decomposed] = ["Jos\u00e9-1", "Jose\u0301-1"];
    const report = await importRows([
      row({ consultant: decomposed }),
      row({ ...second, consultant: composed }),
    ]);
    expect(report).toMatchObject({ outcome: "imported", consultants: { new: 1, known: 0 } });

    // As an earlier version kept it.
    await client.query("UPDATE consultants SET external_ref = $1", [decomposed]);
    const again = await importRows([row({ booking_reference: "BK-3", consultant: decomposed })]);
    expect(again).toMatchObject({ outcome: "imported", consultants: { new: 0, known: 1 } });
    expect(await count("consultants")).toBe(1);
  });

  it("does not import a booking again whose reference is on record in another Unicode form", async () => {
    const [composed, decomposed] = ["BK-\u00e9", "BK-e\u0301"];
    await importRows([row({ booking_reference: composed })]);
    await client.query("UPDATE earnings SET booking_reference = $1", [decomposed]);

    for (const reference of [composed, decomposed]) {
      const report = await importRows([row({ booking_reference: reference })], { approve: true });
      expect(report.earnings).toEqual({ new: 0, known: 1 });
    }
    expect(await count("earnings")).toBe(1);
    expect(await count("payouts")).toBe(1);
  });

  it("keeps codes on record payable that differ by case, from before", async () => {
    await importRows([row({ consultant: "C-1" })]);
    await client.query("INSERT INTO consultants (external_ref, name) VALUES ('c-1', 'Asha')");

    const report = await importRows([row({ ...second, consultant: "c-1" })]);

    expect(report).toMatchObject({ outcome: "imported", consultants: { new: 0, known: 1 } });
  });

  it("pays two codes of one PAN and one account, says so and writes it down by code", async () => {
    const report = await importRows([
      row({ consultant: "M-1", pan: "zzzpe1234a" }),
      row({ ...second, consultant: "M-2" }),
    ]);

    expect(report).toMatchObject({
      outcome: "imported",
      shared: { pan: [["M-1", "M-2"]], account: [["M-1", "M-2"]] },
    });
    const text = describeReport(report).join("\n");
    expect(text).toContain("M-1, M-2: taxed together as one person");
    expect(text).not.toContain("ZZZPE1234A");
    const { rows } = await client.query(
      "SELECT action, subject_id, detail FROM audit_log WHERE category = 'tax' ORDER BY action",
    );
    const detail = { consultants: ["M-1", "M-2"] };
    expect(rows).toEqual([
      { action: "account-shared", subject_id: "M-1", detail },
      { action: "pan-shared", subject_id: "M-1", detail },
    ]);
  });

  it("says it once: not again for payees that are known as they are", async () => {
    await importRows([row({ consultant: "M-1" })]);
    const joined = await importRows([row({ ...second, consultant: "M-2" })]);
    const again = await importRows([row({ booking_reference: "BK-3", consultant: "M-2" })]);

    expect(joined.shared.pan).toEqual([["M-1", "M-2"]]);
    expect(again.shared).toEqual({ pan: [], account: [] });
  });

  it("refuses two states of one PAN, in a file and against the record, and two categories", async () => {
    const inFile = await importRows([
      row({ consultant: "M-1", pan_status: "inoperative" }),
      row({ ...second, consultant: "M-2" }),
    ]);
    expect(inFile.problems).toMatchObject([{ line: 3, column: "pan_status" }]);

    await importRows([row({ consultant: "M-1" })]);
    await client.query("UPDATE tax_profiles SET category = 'company', pan_status = 'inoperative'");
    const { problems } = await importRows([row({ ...second, consultant: "M-2" })]);
    expect(problems.map(({ column }) => column)).toEqual(["category", "pan_status"]);
    expect(formatProblems("week.csv", problems).join("\n")).toMatch(/M-1 \(on record\)/);
    expect(formatProblems("week.csv", problems).join("\n")).not.toMatch(/ZZZ/);
  });
});

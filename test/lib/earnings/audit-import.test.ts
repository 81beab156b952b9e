import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import { importEarnings, type ImportOptions } from "../../../lib/earnings/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { csv, read, row, type Cells } from "./builders.ts";

let database: TestDatabase;
let client: pg.Client;

beforeEach(async () => {
  database = await createTestDatabase();
  client = new pg.Client(
    connectionConfig({
      url: database.url,
      applicationName: "test audit of import",
      readOnly: false,
    }),
  );
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

const asha = { by: "Asha", reason: "week 46", file: "week.csv" };

async function bringIn(rows: Cells[], options: ImportOptions = {}) {
  return importEarnings(client, await read(csv(rows)), { importer: asha, ...options });
}

interface Entry {
  actor: string;
  category: string;
  action: string;
  reason: string | null;
  login: string | null;
  detail: Record<string, unknown>;
}

function entries(category?: string): Promise<Entry[]> {
  return database.query(
    `SELECT actor, category, action, reason, login, detail FROM audit_log
     WHERE $1::text IS NULL OR category = $1 ORDER BY id`,
    [category ?? null],
  );
}

describe("the audit of an import", () => {
  it("names who, why, the file, the sums, each account masked, and the login that nobody can claim", async () => {
    await bringIn([row(), row({ booking_reference: "BK-2" })]);

    const all = await entries();
    expect(all.map(({ category, action }) => `${category} ${action}`)).toEqual([
      "account placed",
      "import earnings-imported",
      "import imported",
    ]);
    for (const entry of all) {
      expect(entry).toMatchObject({ actor: "Asha", reason: "week 46" });
      expect(entry.login).toMatch(/\S/);
    }
    expect(all[0]?.detail).toEqual({ before: null, after: "HDFC0001220 …8901", file: "week.csv" });
    expect(all[1]?.detail).toMatchObject({ earnings: 2, amountPaise: "170000" });
    expect(all[2]?.detail).toMatchObject({ earnings: 2, earningsPaise: "170000", payouts: 0 });
    expect(JSON.stringify(all)).not.toMatch(/912345678901|ZZZPE1234A|Example/);
  });

  it("has an entry for each payout that --approve made", async () => {
    await bringIn([row(), row({ consultant: "C-2", booking_reference: "BK-2", pan: "" })], {
      approve: true,
    });

    const payouts = await entries("payout");
    expect(payouts).toHaveLength(2);
    expect(payouts[0]).toMatchObject({ actor: "Asha", action: "created-approved" });
    expect(payouts[0]?.detail).toMatchObject({ amountPaise: "85000", earnings: 1 });
    expect((await entries("import")).at(-1)).toMatchObject({
      action: "imported-and-approved",
      detail: { payouts: 2, payoutsPaise: "170000" },
    });
  });

  it("has what an account was and is, with --update-accounts", async () => {
    await bringIn([row()]);
    await bringIn(
      [row({ booking_reference: "BK-2", ifsc: "", account_number: "", vpa: "asha.rao@demobank" })],
      { updateAccounts: true },
    );

    const [, replaced] = await entries("account");
    expect(replaced).toMatchObject({
      action: "replaced",
      detail: { before: "HDFC0001220 …8901", after: "VPA … at demobank" },
    });
  });

  it("is as empty as the import: the same file again, a dry run, a refused file", async () => {
    const rows = [row()];
    await bringIn(rows, { approve: true });
    const before = await entries();

    await bringIn(rows, { approve: true });
    await bringIn([row({ booking_reference: "BK-9" })], { dryRun: true });
    await bringIn([row({ booking_reference: "BK-9", account_number: "30123456789" })]);

    expect(await entries()).toEqual(before);
  });

  it("has the time of the earnings and accounts that it wrote, by which their importer is found", async () => {
    await bringIn([row()]);

    const [times] = await database.query<{ earning: boolean; account: boolean }>(
      `SELECT (SELECT at FROM audit_log WHERE action = 'earnings-imported') = (SELECT created_at FROM earnings) AS earning,
              (SELECT at FROM audit_log WHERE category = 'account') = (SELECT created_at FROM payout_accounts) AS account`,
    );
    expect(times).toEqual({ earning: true, account: true });
  });
});

describe("a payee whose VPA takes less than is owed", () => {
  const vpa = { ifsc: "", account_number: "", vpa: "asha@demobank" };

  it("is warned of at the import, with limit and cure, and imported", async () => {
    const rows = [
      row({ ...vpa, gross: "90000", platform_fee: "0" }),
      row({ ...vpa, gross: "10000.01", platform_fee: "0", booking_reference: "BK-2" }),
    ];

    const report = await bringIn(rows);

    expect(report.outcome).toBe("imported");
    expect(report.warnings).toMatchObject([{ line: 2, column: "vpa" }]);
    expect(report.warnings[0]?.message).toMatch(
      /^₹1,00,000\.01 of this file are more than ₹1,00,000\.00, .*--update-accounts$/,
    );
  });

  it("is not warned of at the limit, or with a bank account", async () => {
    const exact = row({ ...vpa, gross: "100000", platform_fee: "0" });
    const bank = row({ consultant: "C-2", pan: "", booking_reference: "BK-2", gross: "500000" });
    expect((await bringIn([exact, bank])).warnings).toEqual([]);
  });
});

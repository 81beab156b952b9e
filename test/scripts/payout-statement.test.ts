import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { describe, expect, it, onTestFinished } from "vitest";
import { createPayoutCycle, type PayoutCycle } from "../support/payout-cycle.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const HOSTILE = '=1+1 <script>alert("x")</script>';

/** Two payees with a sale each; the first has a name and a reference that nobody should have. */
async function given(): Promise<{
  cycle: PayoutCycle;
  month: string;
  folder: string;
  statement: (...args: string[]) => Promise<ScriptResult>;
}> {
  const cycle = await createPayoutCycle();
  const hostile = await cycle.consultant("C/1");
  await cycle.query("UPDATE consultants SET name = $1 WHERE id = $2", [HOSTILE, hostile]);
  const earning = await cycle.earning(hostile, {});
  await cycle.earning(await cycle.consultant("c/1"), {});
  await cycle.consultant("nobody-earns");
  await cycle.query("UPDATE earnings SET booking_reference = $2 WHERE id = $1", [
    earning,
    '=HYPERLINK("http://x")<b>',
  ]);
  const [now] = await cycle.query<{ month: string }>(
    "SELECT to_char(india_today(), 'YYYY-MM') AS month",
  );
  const month = now?.month ?? "";
  const folder = mkdtempSync(join(tmpdir(), "afterhours-statements-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const env = { DATABASE_URL: cycle.url, USER: "asha" };
  const statement = (...args: string[]): Promise<ScriptResult> =>
    runScript("scripts/cli/payouts.ts", {
      args: ["statement", "--month", month, ...args],
      env,
    });
  return { cycle, month, folder, statement };
}

describe("payouts statement", () => {
  it("is CSV that adds up, without a formula", async () => {
    const { month, statement } = await given();
    const csv = await statement("--consultant", "C/1", "--csv");
    expect(csv).toMatchObject({ exitCode: 0, stderr: "" });
    const rows = parse<Record<string, string>>(csv.stdout, {
      columns: true,
      record_delimiter: "\r\n",
    });
    expect(rows).toMatchObject([
      { Day: month, What: "Owed when the month began", Owed: "0.00" },
      {
        What: "Earned",
        Booking: '\'=HYPERLINK("http://x")<b>',
        Gross: "1000.00",
        "Platform fee": "150.00",
        Owed: "850.00",
      },
      { What: "Owed when the month ended", Owed: "850.00" },
    ]);
  });

  it("is one page without outside resources, with everything escaped and the PAN masked", async () => {
    const { folder, statement } = await given();
    const file = join(folder, "one.html");
    const html = await statement("--consultant", "C/1", "--html", "--out", file);
    expect(html).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const page = readFileSync(file, "utf8");
    expect(page).toContain("&#x3D;1+1 &lt;script&gt;");
    expect(page).not.toMatch(/<script|<b>|<link|<img|src=|@import|url\(/);
    expect(page).toContain("size: A4");
    expect(page).toContain("PAN ZZXXXXXXXA");
    expect(page).not.toMatch(/ZZZPE\d{4}A|912345678901|8901/);
    expect(page).toContain("₹850.00");
    expect(page).toContain("The month is not over");
  });

  it("of all writes one file for each payee, apart where references look alike", async () => {
    const { folder, month, statement } = await given();
    const all = await statement("--all", "--csv", "--out", folder);
    expect(all).toMatchObject({
      exitCode: 0,
      stderr: "",
      stdout: `2 statements of ${month} written to ${folder}\n`,
    });
    const files = readdirSync(folder);
    expect(files).toHaveLength(2);
    for (const file of files) expect(file).toMatch(/^\d{4}-\d\d-[Cc]_1-[0-9a-f]{8}\.csv$/);
  });

  it("writes nothing where it does not add up, and the others of --all", async () => {
    const { cycle, folder, statement } = await given();
    await cycle.query(
      `SET session_replication_role = replica;
       UPDATE earnings SET amount_paise = amount_paise + 1, gross_paise = gross_paise + 1
       WHERE consultant_id = (SELECT id FROM consultants WHERE external_ref = 'c/1');
       SET session_replication_role = DEFAULT`,
    );
    const one = await statement("--consultant", "c/1", "--csv", "--out", join(folder, "one.csv"));
    expect(one).toMatchObject({ exitCode: 1, stdout: "" });
    expect(one.stderr).toContain("does not add up to the ledger");
    expect(one.stderr).toContain("ledger/reconcile-ledger");
    expect(readdirSync(folder)).toEqual([]);

    const all = await statement("--all", "--html", "--out", folder);
    expect(all.exitCode).toBe(1);
    expect(all.stderr).toMatch(/^error: the statement of c\/1 for /);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  it.each([
    [["--csv"], "give --consultant or --all"],
    [["--consultant", "C/1"], "give --csv or --html"],
    [["--consultant", "C/1", "--csv", "--html"], "give --csv or --html"],
    [["--all", "--csv"], "--all needs --out"],
    [["--consultant", "nobody", "--csv"], "there is no consultant nobody"],
    [["--month", "2026-13", "--csv"], "expected a month"],
  ])("refuses %j", async (args, said) => {
    const { statement } = await given();
    const end = await statement(...args);
    expect(end.exitCode).not.toBe(0);
    expect(end).toMatchObject({ stdout: "" });
    expect(end.stderr).toContain(said);
  });
});

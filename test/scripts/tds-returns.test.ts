import { parse } from "csv-parse/sync";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/db/client.ts";
import { openGateway } from "../../lib/razorpay/open-gateway.ts";
import { reversePayout } from "../../lib/payouts/state/reverse.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { silentLog } from "../../lib/support/log.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";
import { settingsFor, type SeededPayout } from "../support/payout-world.ts";
import { useWorld } from "../lib/payouts/world.ts";
import type { ProviderPayout } from "../../lib/provider/index.ts";

const world = useWorld();
const SECTION = "393(1) Table Sl. No. 8(v)";

const tds = (...args: string[]): Promise<ScriptResult> =>
  runScript("scripts/cli/tds.ts", {
    args,
    env: { DATABASE_URL: world.database.url, USER: "asha" },
  });

/** The lines of the CSV, each as an object by its column. */
const csv = ({ stdout }: ScriptResult): Record<string, string>[] =>
  parse(stdout, { columns: true });

/** ₹1,00,000 credited to a company on 15 June, ₹1,000 to somebody without PAN on 10 August. */
async function paidInTwoQuarters(): Promise<{ june: SeededPayout; august: SeededPayout }> {
  const june = await world.payout({
    name: "=Firm",
    category: "company",
    payouts: [{ earnings: [{ creditedOn: "2026-06-15", grossPaise: 1_00_000_00n }] }],
  });
  const august = await world.payout({
    panStatus: "missing",
    payouts: [{ earnings: [{ creditedOn: "2026-08-10", grossPaise: 1_000_00n }] }],
  });
  await world.run();
  return { june, august };
}

describe("the register of a quarter", () => {
  it("lists each credit with its tax, with the PAN masked, and agrees with the ledger", async () => {
    await paidInTwoQuarters();

    const first = await tds("register", "--quarter", "2026Q1");
    expect(first.exitCode).toBe(0);
    expect(csv(first)).toMatchObject([
      {
        Name: "'=Firm",
        Section: SECTION,
        Code: "1035",
        "Credited on": "2026-06-15",
        Gross: "100000.00",
        "Rate %": "0.1",
        Tax: "100.00",
        "Deposit by": "2026-07-07",
        Reason: "standard-rate",
      },
    ]);
    expect(csv(first)[0]?.["PAN"]).toMatch(/^[A-Z]{2}X{7}[A-Z]$/);
    expect(first.stderr).toContain("together: 1 lines, gross ₹1,00,000.00, tax ₹100.00");
    expect(first.stderr).toContain("The register agrees with the ledger.");

    const second = csv(await tds("register", "--quarter", "2026Q2"));
    expect(second).toMatchObject([
      { PAN: "none", "Rate %": "5", Tax: "50.00", "Deposit by": "2026-09-07", Reason: "no-pan" },
    ]);
    expect(csv(await tds("register", "--quarter", "2026Q3"))).toEqual([]);
  });

  it("shows whole PANs only when it is asked to", async () => {
    await paidInTwoQuarters();
    const [profile] = await world.database.query<{ pan: string }>(
      "SELECT pan FROM tax_profiles WHERE pan IS NOT NULL",
    );
    const pan = profile?.pan ?? "";
    const masked = await tds("register", "--quarter", "2026Q1", "--format", "table");
    expect(masked.stdout + masked.stderr).not.toContain(pan);
    const whole = await tds("register", "--quarter", "2026Q1", "--unmask");
    expect(csv(whole)).toMatchObject([{ PAN: pan }]);
  });

  it("takes a reversed credit back in a line of its own, and its total is what the ledger holds", async () => {
    const { june } = await paidInTwoQuarters();
    await reverse(june);

    const net = await tds("register", "--quarter", "2026Q1");
    expect(net.exitCode).toBe(0);
    // The sale is still to be paid: what was withheld is gone, what is due on the credit is not.
    expect(csv(net)).toMatchObject([{ Tax: "100.00", Status: "accrued", Payout: "" }]);
    expect(net.stderr).toContain("together: 0 lines, gross ₹0.00, tax ₹0.00");

    const register = await tds("register", "--quarter", "2026Q1", "--all");
    expect(register.exitCode).toBe(0);
    expect(csv(register)).toMatchObject([
      { Tax: "100.00", Reason: "standard-rate" },
      { Gross: "-100000.00", Tax: "-100.00", Reason: "taken back (standard-rate)" },
      { Tax: "100.00", Status: "accrued" },
    ]);
    expect(register.stderr).toContain("together: 2 lines, gross ₹0.00, tax ₹0.00");
    const [ledger] = await world.database.query<{ paise: bigint }>(
      `SELECT (-sum(amount_paise))::bigint AS paise FROM ledger_entries AS entry
       JOIN ledger_accounts AS account ON account.id = entry.account_id AND code = 'TAX_PAYABLE'`,
    );
    expect(ledger?.paise).toBe(50_00n);
  });

  it("shows what is in flight as accrued, and says how much that is", async () => {
    world.sandbox.addFaults({ on: "POST /payouts", endState: "processing" });
    await world.payout({
      category: "company",
      payouts: [{ earnings: [{ creditedOn: "2026-06-15", grossPaise: 1_00_000_00n }] }],
    });
    await world.run();
    const register = await tds("register", "--quarter", "2026Q1");
    expect(csv(register)).toMatchObject([
      {
        Tax: "100.00",
        Status: "accrued",
        "Deducted on": "",
        Payout: expect.stringMatching(/-/) as string,
      },
    ]);
    expect(register.stderr).toContain("together: 0 lines, gross ₹0.00, tax ₹0.00");
    expect(register.stderr).toContain("accrued: 1 lines, gross ₹1,00,000.00, tax ₹100.00");
  });

  it("fails when the ledger holds another tax than the deductions", async () => {
    await paidInTwoQuarters();
    await world.database.query("SET session_replication_role = replica");
    const [entry] = await world.database.query<{ id: bigint }>(
      `UPDATE ledger_entries SET amount_paise = amount_paise - 1 WHERE id = (
         SELECT entry.id FROM ledger_entries AS entry
         JOIN ledger_accounts AS account ON account.id = entry.account_id AND code = 'TAX_PAYABLE'
         WHERE amount_paise = -10000) RETURNING id`,
    );
    const register = await tds("register", "--quarter", "2026Q1");
    expect(register.exitCode).toBe(1);
    expect(register.stderr).toMatch(
      /has ₹100\.00 of tax in its deductions and ₹100\.01 in the ledger/,
    );
    await world.database.query(
      "UPDATE ledger_entries SET amount_paise = amount_paise + 1 WHERE id = $1",
      [entry?.id],
    );
  });

  it.each(["2026Q5", "2026", "Q1"])("refuses the quarter %s by name", async (quarter) => {
    const refused = await tds("register", "--quarter", quarter);
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("--quarter");
  });
});

describe("challans and deposits", () => {
  const deposit = (change: Record<string, string> = {}): Promise<ScriptResult> => {
    const options = {
      month: "2026-06",
      section: SECTION,
      code: "1035",
      amount: "60.00",
      challan: "0510308 06-07-2026 00012",
      on: "2026-07-06",
      ...change,
    };
    return tds(
      "deposit",
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]),
    );
  };

  it("show what is due by when, less what was deposited, until nothing is", async () => {
    await paidInTwoQuarters();
    expect(csv(await tds("challans"))).toMatchObject([
      { Month: "2026-06", Withheld: "100.00", Deposited: "0.00", Due: "100.00" },
      { Month: "2026-08", Withheld: "50.00", "Deposit by": "2026-09-07" },
    ]);

    expect(await deposit()).toMatchObject({ exitCode: 0 });
    expect((await deposit()).stdout).toContain("Recorded before, nothing was changed");
    expect(csv(await tds("challans"))[0]).toMatchObject({ Deposited: "60.00", Due: "40.00" });

    await deposit({ amount: "40.00", challan: "0510308 06-07-2026 00013" });
    expect(csv(await tds("challans"))).toMatchObject([{ Month: "2026-08" }]);
    expect(csv(await tds("challans", "--all"))).toMatchObject([{ Due: "0.00" }, { Due: "50.00" }]);
    expect(
      await world.database.query("SELECT actor, action FROM audit_log WHERE category = 'tax'"),
    ).toHaveLength(2);
  });

  it.each([
    ["more than was withheld", { amount: "100.01" }, "is more than the amount due for 2026-06"],
    ["a month without tax", { month: "2026-07" }, "is more than the amount due for 2026-07"],
    ["a day that has not come", { on: "2099-01-01" }, "is still to come"],
  ])("refuse %s, and change nothing", async (_what, change, message) => {
    await paidInTwoQuarters();
    const refused = await deposit(change);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain(message);
    expect(await world.database.query("SELECT 1 FROM tax_deposits")).toEqual([]);
  });

  it("refuse a receipt that is recorded with another amount", async () => {
    await paidInTwoQuarters();
    await deposit();
    const other = await deposit({ amount: "10.00" });
    expect(other).toMatchObject({ exitCode: 1 });
    expect(other.stderr).toContain("is recorded as ₹60.00 for 2026-06");
  });
});

/** Lets the bank give the money of a paid payout back, and books it. */
async function reverse({ id }: SeededPayout): Promise<void> {
  const [attempt] = await world.database.query<{ id: string; providerPayoutId: string }>(
    `SELECT id, provider_payout_id AS "providerPayoutId" FROM payout_attempts WHERE payout_id = $1`,
    [id],
  );
  if (!attempt) throw new Error("nothing was sent");
  world.sandbox.movePayout(attempt.providerPayoutId, { status: "reversed" });
  const db = openDatabase({
    url: world.database.url,
    applicationName: "returns test",
    readOnly: false,
    connections: 1,
  });
  try {
    const provider = await fetched(attempt.providerPayoutId);
    await reversePayout(db, { payoutId: id, attemptId: attempt.id, provider, actor: "job:test" });
  } finally {
    await db.close();
  }
}

async function fetched(id: string): Promise<ProviderPayout> {
  const gateway = openGateway(settingsFor(world).razorpayX, {
    clock: systemClock,
    random: () => 0,
    log: silentLog(),
    dryRun: false,
  });
  const answer = await gateway.fetchPayout(id);
  if (answer.kind !== "accepted") throw new Error(`the sandbox answered ${answer.kind}`);
  return answer.value;
}

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { taxWatchEnvironment, watchOutputs, watchTables } from "../../../lib/ops/index.ts";
import { daysBetween, type Day } from "../../../lib/support/calendar.ts";
import { DEFAULT_REFUND_BASE, defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { depositDueOn } from "../../../lib/tax-returns/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { runWatch } from "../../support/ops.ts";
import { seedPayee } from "../../support/payout-seed.ts";

let database: TestDatabase;
let db: Db;

beforeEach(async () => {
  database = await createTestDatabase();
  db = openDatabase({
    url: database.url,
    applicationName: "watchdog under test",
    readOnly: true,
    connections: 1,
  });
});
afterEach(async () => {
  await db.close();
  await database.drop();
});

const SETTINGS = { tax: defaultTaxPolicy, refundBase: DEFAULT_REFUND_BASE };

/** A watchdog that warns so many days before the day of deposit. */
const watch = (depositWarningDays: number): ReturnType<typeof runWatch> =>
  runWatch(db, { jobs: [], settings: { ...SETTINGS, depositWarningDays } });

/** ₹12,34,000 credited to a company, approved and not paid yet. */
async function credit(creditedOn: Day): Promise<void> {
  await seedPayee(database, {
    category: "company",
    payouts: [{ earnings: [{ creditedOn, grossPaise: 12_34_000_00n }] }],
  });
}

async function today(): Promise<Day> {
  const [row] = await database.query<{ day: Day }>("SELECT india_today()::text AS day");
  return row?.day ?? "";
}

describe("tax to deposit", () => {
  it("is warned of once it is within the days of the setting, with month and amount", async () => {
    const creditedOn = await today();
    const dueOn = depositDueOn(creditedOn);
    const daysLeft = daysBetween(creditedOn, dueOn);
    await credit(creditedOn);

    expect((await watch(daysLeft - 1)).verdict).toEqual({ kind: "completed" });
    const { verdict, report } = await watch(daysLeft);
    expect(verdict).toEqual({
      kind: "completed",
      warning: `₹1,234.00 of tax for ${creditedOn.slice(0, 7)} is to be deposited by ${dueOn}.`,
    });
    expect(watchOutputs(report)).toMatchObject({ tax_due_soon: 1, tax_overdue: 0 });
    expect(watchTables(report).at(-1)?.rows).toEqual([
      expect.arrayContaining(["₹1,234.00", dueOn, `${daysLeft} days left`]),
    ]);
  });

  it("is red once the day has passed, beside jobs that need a look as well", async () => {
    await credit("2026-06-15");
    const { verdict, report } = await watch(5);
    expect(verdict).toMatchObject({ kind: "failed", code: "tax-overdue" });
    expect(JSON.stringify(verdict)).toContain(
      "₹1,234.00 of tax for 2026-06 should have been deposited by 2026-07-07",
    );
    expect(watchOutputs(report)).toMatchObject({ tax_due_soon: 0, tax_overdue: 1 });

    const late = { name: "tests/late", schedule: { cron: "0 0 1 1 *" }, toleranceMs: 0 } as const;
    await database.query(
      `INSERT INTO job_runs (id, job, owner, outcome, exit_code, started_at, finished_at)
       VALUES (gen_random_uuid(), 'tests/other', 'o', 'completed', 0, '2020-01-01', '2020-01-02')`,
    );
    const both = await runWatch(db, {
      jobs: [{ ...late, lock: "none", deadlineMs: 1 }],
    });
    expect(both.verdict).toMatchObject({ kind: "failed", code: "jobs-missed" });
    expect(JSON.stringify(both.verdict)).toContain("should have been deposited by 2026-07-07");
  });

  it("is not looked at where the operator deposits it elsewhere", async () => {
    await credit("2026-06-15");
    expect((await watch(0)).verdict).toEqual({ kind: "completed" });
  });
});

describe("the days of the warning", () => {
  it.each([
    [{}, 5],
    [{ TDS_DEPOSIT_WARNING_DAYS: "0" }, 0],
    [{ TDS_DEPOSIT_WARNING_DAYS: "30" }, 30],
  ])("%j are %d", (env, depositWarningDays) => {
    expect(taxWatchEnvironment.parse(env)).toMatchObject({
      ok: true,
      settings: { depositWarningDays },
    });
  });

  it.each(["31", "-1", "five", "2.5"])("%s are refused by the name of the setting", (text) => {
    const parsed = taxWatchEnvironment.parse({ TDS_DEPOSIT_WARNING_DAYS: text });
    expect(parsed).toMatchObject({
      ok: false,
      problems: [
        {
          variable: "TDS_DEPOSIT_WARNING_DAYS",
          problem: "expected a whole number from 0 to 30",
        },
      ],
    });
  });
});

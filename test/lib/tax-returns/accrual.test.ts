import { describe, expect, it } from "vitest";
import { CHECKS, runCheck } from "../../../lib/ledger/reconcile/checks.ts";
import { DEFAULT_REFUND_BASE, defaultTaxPolicy, type TaxPolicy } from "../../../lib/tds/index.ts";
import {
  accruedLines,
  parseQuarter,
  readAccrual,
  readChallans,
  recordDeposit,
  withheldLines,
  type Challan,
  type RegisterLine,
} from "../../../lib/tax-returns/index.ts";
import { seedPayee, type PayeeSeed } from "../../support/payout-world.ts";
import { seedEarning } from "../../support/refund-run.ts";
import { withDb } from "../payouts/sessions.ts";
import { useWorld } from "../payouts/world.ts";

const world = useWorld();
const SETTINGS = { tax: defaultTaxPolicy, refundBase: DEFAULT_REFUND_BASE };
const SECTION = "393(1) Table Sl. No. 8(v)";
const CAPS = { singlePaise: 1_00_00_000_00n };

const challans = (tax: TaxPolicy = defaultTaxPolicy, all = true): Promise<readonly Challan[]> =>
  withDb(
    world.database,
    async (db) => (await readChallans(db, { all, settings: { ...SETTINGS, tax } })).challans,
  );

const amounts = (rows: readonly Challan[]): Record<string, bigint[]> =>
  Object.fromEntries(
    rows.map((row) => [row.month, [row.withheldPaise, row.accruedPaise, row.depositedPaise]]),
  );

async function register(quarter: string, { all = false } = {}): Promise<RegisterLine[]> {
  const of = parseQuarter(quarter);
  if (!of) throw new Error(`no quarter ${quarter}`);
  return withDb(world.database, async (db) => [
    ...(await collect(withheldLines(db, of, { all }))),
    ...(await accruedLines(db, of, SETTINGS)),
  ]);
}

/** Credited on 28 September, approved, and not paid yet. */
const SEPTEMBER: PayeeSeed = {
  category: "company",
  payouts: [{ earnings: [{ creditedOn: "2026-09-28", grossPaise: 17_00_000_00n }] }],
};

describe("tax on credits that are not paid yet", () => {
  it("is due in the month and quarter of the credit, before the payout and after it", async () => {
    await world.payout(SEPTEMBER);
    expect(amounts(await challans())).toEqual({ "2026-09": [0n, 1_700_00n, 0n] });
    expect((await challans())[0]).toMatchObject({
      section: SECTION,
      code: "1035",
      duePaise: 1_700_00n,
      dueOn: "2026-10-07",
    });
    expect(await register("2026Q2")).toMatchObject([
      { status: "accrued", taxPaise: 1_700_00n, deductedOn: null, payoutId: null, rateBps: 10 },
    ]);

    await world.run({ caps: CAPS });
    expect(amounts(await challans())).toEqual({ "2026-09": [1_700_00n, 0n, 0n] });
    expect(await register("2026Q2")).toMatchObject([
      { status: "withheld", taxPaise: 1_700_00n, payoutId: expect.any(String) as string },
    ]);
  });

  it("is what the payout run then withholds, whatever decides it", async () => {
    const earning = (creditedOn: string, grossPaise: bigint) => ({ creditedOn, grossPaise });
    const LAKH = 1_00_000_00n;
    const split = [
      { earnings: [earning("2026-07-10", 3n * LAKH)] },
      { earnings: [earning("2026-08-10", 3n * LAKH), earning("2026-09-01", LAKH)] },
    ];
    const seeds: PayeeSeed[] = [
      { payouts: split },
      { payouts: [{ earnings: [earning("2026-07-10", LAKH)] }] },
      { panStatus: "missing", payouts: split },
      { category: "firm", payouts: split },
      { category: "company", payouts: [{ earnings: [earning("2026-07-10", 10_000_00n)] }] },
      {
        category: "company",
        certificates: [
          { rateBps: 2, from: "2026-04-01", to: "2027-03-31", ceilingPaise: 5n * LAKH },
        ],
        payouts: split,
      },
    ];
    for (const seed of seeds) await world.payout(seed);
    const before = amounts(await challans());

    expect((await world.run({ caps: CAPS })).verdict.kind).toBe("completed");
    const after = amounts(await challans());
    expect(Object.keys(before).length).toBe(3);
    for (const [month, [withheld, accrued]] of Object.entries(before)) {
      expect(withheld, month).toBe(0n);
      expect(after[month], month).toEqual([accrued, 0n, 0n]);
    }
    expect((await withDb(world.database, (db) => readAccrual(db, SETTINGS))).lines).toEqual([]);
  });

  it("counts what is in flight once, and a payout that failed again", async () => {
    world.sandbox.addFaults({ on: "POST /payouts", endState: "processing" });
    const payout = await world.payout(SEPTEMBER);
    await world.run({ caps: CAPS });
    expect(amounts(await challans())).toEqual({ "2026-09": [0n, 1_700_00n, 0n] });
    expect(await register("2026Q2")).toMatchObject([{ status: "accrued", payoutId: payout.id }]);
  });

  it("is due on a sale that is in no payout, held back as long as it may be", async () => {
    const { consultantId } = await world.payout(SEPTEMBER);
    await seedEarning(world.database, { consultantId, reference: "disputed" });
    await world.database.query(
      `UPDATE earnings SET hold_until = india_today() + 100 WHERE booking_reference = 'disputed'`,
    );
    const lines = await withDb(world.database, (db) => readAccrual(db, SETTINGS));
    expect(lines.lines).toHaveLength(2);
  });

  it("is owed on a sale that was paid directly, which brings no money to take it from", async () => {
    const { consultantId } = await seedPayee(world.database, { category: "company", payouts: [] });
    await world.database.query(
      `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise,
         paid_directly_paise, amount_paise)
       VALUES ($1, 'BK-D', '2026-11-02', 100000, 10000, 90000, 0)`,
      [consultantId],
    );
    expect(amounts(await challans())).toEqual({ "2026-11": [0n, 100n, 0n] });
  });

  it("follows the policy of the operator", async () => {
    await world.payout({ ...SEPTEMBER, category: "individual" });
    expect(amounts(await challans({ ...defaultTaxPolicy, crossing: "excess-only" }))).toEqual({
      "2026-09": [0n, 1_200_00n, 0n],
    });
  });

  it("says for whom it can not be told", async () => {
    await world.payout({ ...SEPTEMBER, resident: false });
    await world.payout({ ...SEPTEMBER, taxProfile: false });
    const { lines, unassessed } = await withDb(world.database, (db) => readAccrual(db, SETTINGS));
    expect(lines).toEqual([]);
    expect(unassessed.map(({ code }) => code).toSorted()).toEqual([
      "NON_RESIDENT",
      "NO_TAX_PROFILE",
    ]);
    expect(unassessed[0]).toMatchObject({ credits: 1, grossPaise: 17_00_000_00n });
  });

  it("can be deposited before it is withheld, and the books agree before and after", async () => {
    await world.payout(SEPTEMBER);
    const deposit = {
      month: "2026-09",
      section: SECTION,
      code: "1035",
      amountPaise: 1_700_00n,
      challanReference: "0510308 07-10-2026 00012",
      depositedOn: "2026-10-07",
      recordedBy: "asha",
    };
    const record = (amountPaise: bigint, challanReference: string): Promise<string> =>
      withDb(world.database, (db) =>
        recordDeposit(db, { ...deposit, amountPaise, challanReference }, SETTINGS),
      );
    await expect(record(1_700_01n, "another")).rejects.toMatchObject({ code: "DEPOSIT_EXCEEDS" });
    expect(await record(1_700_00n, deposit.challanReference)).toBe("recorded");
    await expect(record(1n, "another")).rejects.toMatchObject({ code: "DEPOSIT_EXCEEDS" });
    expect(await challans(defaultTaxPolicy, false)).toEqual([]);
    expect(await driftsOf("TAX_DEPOSIT_EXCEEDS")).toEqual([]);

    await world.run({ caps: CAPS });
    expect(amounts(await challans())).toEqual({ "2026-09": [1_700_00n, 0n, 1_700_00n] });
    expect(await driftsOf("TAX_DEPOSIT_EXCEEDS")).toEqual([]);
    expect(await driftsOf("TAX_PAYABLE_DRIFT")).toEqual([]);

    await world.database.query(
      `INSERT INTO tax_deposits (month, section, code, amount_paise, challan_reference, deposited_on, recorded_by)
       SELECT month, section, code, 1, 'by hand', deposited_on, recorded_by FROM tax_deposits`,
    );
    expect(await driftsOf("TAX_DEPOSIT_EXCEEDS")).toHaveLength(1);
  });
});

async function driftsOf(code: string): Promise<readonly unknown[]> {
  const check = CHECKS.find((each) => each.code === code);
  if (!check) throw new Error(`there is no check ${code}`);
  const { rows } = await withDb(world.database, (db) => runCheck(db, check));
  return rows;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

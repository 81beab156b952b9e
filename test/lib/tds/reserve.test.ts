import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { inTransaction, type Db, type DbSession } from "../../../lib/db/client.ts";
import { defaultTaxPolicy } from "../../../lib/tds/index.ts";
import {
  assessPayee,
  finaliseDeductions,
  readPayeeTaxState,
  reserveDeductions,
  reverseDeductions,
  type CreditedEarning,
  type PayeeTaxState,
} from "../../../lib/tds/reserve.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { seedPayee, type PayeeSeed, type SeededPayout } from "../../support/payout-world.ts";
import { untilBlocked, withDb } from "../payouts/sessions.ts";

let database: TestDatabase;
beforeEach(async () => void (database = await createTestDatabase()));
afterEach(() => database.drop());

const LAKH = 1_00_000_00n;

describe("a payee's tax state", () => {
  it("is undefined without a tax profile", async () => {
    const [payout] = await payouts({ taxProfile: false });
    expect(await withDb(database, (db) => stateFor(db, payout))).toBeUndefined();
  });

  it("of a new payee has an empty year for each year of the credits", async () => {
    const [payout] = await payouts({
      payouts: [{ earnings: [{ creditedOn: "2026-03-31" }, { creditedOn: "2026-04-01" }] }],
    });
    const state = await withDb(database, (db) => stateFor(db, payout));
    expect(state?.profile).toEqual({
      category: "individual",
      resident: true,
      likelyToExceed: false,
      panStatus: "valid",
      aadhaar: false,
      certificates: [],
    });
    expect(state?.years.map(({ fiscalYear, grossPaise }) => [fiscalYear, grossPaise])).toEqual([
      [2025, 0n],
      [2026, 0n],
    ]);
  });

  it("has the days of relief and the certificates, the earliest first", async () => {
    const [payout] = await payouts({
      panStatus: "inoperative",
      certificates: [
        { rateBps: 5, from: "2026-07-01", to: "2027-03-31", ceilingPaise: LAKH },
        { rateBps: 2, from: "2026-04-01", to: "2026-06-30", ceilingPaise: LAKH },
      ],
    });
    await database.query(
      "UPDATE tax_profiles SET pan_relief_from = '2026-05-01', pan_relief_to = '2026-05-31'",
    );
    const state = await withDb(database, (db) => stateFor(db, payout));
    expect(state?.profile.panRelief).toEqual({ from: "2026-05-01", to: "2026-05-31" });
    expect(state?.profile.certificates.map(({ rateBps }) => rateBps)).toEqual([2, 5]);
  });

  it("counts what is reserved and what is final, and not what was taken back", async () => {
    const all = await payouts({ payouts: [4n, 1n, 2n, 1n].map(ofLakhs) });
    await withDb(database, async (db) => {
      for (const payout of all.slice(0, 3)) await reserve(db, payout);
      await inTransaction(db, (tx) => finaliseDeductions(tx, [all[0]?.id ?? ""]));
      expect((await stateFor(db, all[3]))?.years).toMatchObject([
        { grossPaise: 7n * LAKH, taxPaise: 700_00n },
      ]);
      await inTransaction(db, (tx) => reverseDeductions(tx, [all[2]?.id ?? ""]));
      expect((await stateFor(db, all[3]))?.years).toMatchObject([
        {
          grossPaise: 5n * LAKH,
          taxPaise: 0n,
          credits: [{ creditedOn: "2026-06-15", grossPaise: 5n * LAKH }],
        },
      ]);
    });
  });

  it("counts a certificate's use in other years as well", async () => {
    const certificate = {
      rateBps: 5,
      from: "2026-01-01",
      to: "2026-12-31",
      ceilingPaise: 15_000_00n,
    };
    const gross = (creditedOn: string) => ({ earnings: [{ grossPaise: 10_000_00n, creditedOn }] });
    const all = await payouts({
      category: "firm",
      certificates: [certificate],
      payouts: [gross("2026-03-31"), gross("2026-04-01")],
    });
    await withDb(database, async (db) => {
      await reserve(db, all[0]);
      const lines = await reserve(db, all[1]);
      expect(lines).toMatchObject([
        { certificateGrossPaise: 5_000_00n, reason: "certificate-ceiling-exceeded" },
      ]);
    });
  });

  it("takes what is carried forward from the last line that still counts", async () => {
    const small = {
      earnings: [{ grossPaise: 6n * LAKH, platformFeePaise: 6n * LAKH - 200_00n }],
    };
    const all = await payouts({
      payouts: [small, { earnings: [{ grossPaise: 100_00n, platformFeePaise: 90_00n }] }, {}],
    });
    await withDb(database, async (db) => {
      await reserve(db, all[0]);
      expect((await stateFor(db, all[2]))?.years).toMatchObject([{ carriedForwardPaise: 400_00n }]);
      await reserve(db, all[1]);
      expect((await stateFor(db, all[2]))?.years).toMatchObject([
        { carriedForwardPaise: 390_10n - 10n },
      ]);
      await inTransaction(db, (tx) => reverseDeductions(tx, [all[1]?.id ?? ""]));
      expect((await stateFor(db, all[2]))?.years).toMatchObject([{ carriedForwardPaise: 400_00n }]);
    });
  });

  it("with the lock waits for the assessment of the payee's other payout, and then counts it", async () => {
    const [one, other] = await payouts({ payouts: [ofLakhs(3n), ofLakhs(3n)] });
    await withDb(database, async (first) => {
      let second: Promise<PayeeTaxState | undefined> | undefined;
      await inTransaction(first, async (tx) => {
        await assessAndReserve(tx, one);
        second = withDb(database, (db) => inTransaction(db, (its) => stateFor(its, other, true)));
        await untilBlocked(database);
      });
      expect((await second)?.years).toMatchObject([{ grossPaise: 3n * LAKH }]);
    });
  });

  it("without the lock waits for nobody", async () => {
    const [one, other] = await payouts({ payouts: [ofLakhs(3n), ofLakhs(3n)] });
    await withDb(database, (first) =>
      inTransaction(first, async (tx) => {
        await assessAndReserve(tx, one);
        const state = await withDb(database, (db) => stateFor(db, other));
        expect(state?.years).toMatchObject([{ grossPaise: 0n }]);
      }),
    );
  });
});

describe("a reversal", () => {
  it("takes back each line once, however often it is asked for", async () => {
    const [payout] = await payouts({ payouts: [{ earnings: [{}, {}] }] });
    await withDb(database, async (db) => {
      await reserve(db, payout);
      for (let times = 0; times < 3; times++)
        await inTransaction(db, (tx) => reverseDeductions(tx, [payout?.id ?? ""]));
    });
    const [sums] = await database.query(
      "SELECT count(*) AS rows, sum(gross_paise)::bigint AS gross, sum(tax_paise)::bigint AS tax FROM tax_deductions",
    );
    expect(sums).toEqual({ rows: 4n, gross: 0n, tax: 0n });
  });

  it("of a payout without deductions does nothing", async () => {
    const [payout] = await payouts({});
    await withDb(database, (db) =>
      inTransaction(db, (tx) => reverseDeductions(tx, [payout?.id ?? ""])),
    );
    expect(await database.query("SELECT 1 FROM tax_deductions")).toEqual([]);
  });

  it("leaves lines that are reserved again afterwards alone", async () => {
    const [payout] = await payouts({ payouts: [ofLakhs(6n)] });
    await withDb(database, async (db) => {
      await reserve(db, payout);
      await inTransaction(db, (tx) => reverseDeductions(tx, [payout?.id ?? ""]));
      await reserve(db, payout);
      await inTransaction(db, (tx) => finaliseDeductions(tx, [payout?.id ?? ""]));
    });
    const rows = await database.query(
      "SELECT status::text AS status, tax_paise AS tax FROM tax_deductions ORDER BY sequence",
    );
    expect(rows).toEqual([
      { status: "FINAL", tax: 600_00n },
      { status: "FINAL", tax: -600_00n },
      { status: "FINAL", tax: 600_00n },
    ]);
  });
});

function ofLakhs(lakhs: bigint): { earnings: { grossPaise: bigint; platformFeePaise: bigint }[] } {
  return { earnings: [{ grossPaise: lakhs * LAKH, platformFeePaise: 0n }] };
}

async function payouts(seed: PayeeSeed): Promise<readonly SeededPayout[]> {
  return (await seedPayee(database, seed)).payouts;
}

async function stateFor(
  tx: DbSession,
  payout: SeededPayout | undefined,
  lock = false,
): Promise<PayeeTaxState | undefined> {
  if (!payout) throw new Error("no payout");
  const credits = await creditsOf(payout);
  return readPayeeTaxState(tx, { consultantId: payout.consultantId, credits, lock });
}

async function reserve(
  db: Db,
  payout: SeededPayout | undefined,
): ReturnType<typeof assessAndReserve> {
  return inTransaction(db, (tx) => assessAndReserve(tx, payout));
}

async function assessAndReserve(tx: DbSession, payout: SeededPayout | undefined) {
  const state = await stateFor(tx, payout, true);
  if (!payout || !state) throw new Error("no payout or no profile");
  const tax = assessPayee(state, await creditsOf(payout), defaultTaxPolicy);
  if (!tax.ok) throw new Error(tax.error.message);
  const { lines } = tax;
  const { id: payoutId, consultantId } = payout;
  await reserveDeductions(tx, [{ payoutId, consultantId, identity: state.profile, lines }]);
  return lines;
}

function creditsOf({ earningIds }: SeededPayout): Promise<CreditedEarning[]> {
  return database.query<CreditedEarning & Record<string, unknown>>(
    `SELECT id AS "earningId", credited_on AS "creditedOn", gross_paise AS "grossPaise",
            amount_paise AS "amountPaise"
     FROM earnings WHERE id = ANY ($1::uuid[]) ORDER BY credited_on, id`,
    [earningIds],
  );
}

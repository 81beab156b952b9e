import { describe, expect, it } from "vitest";
import { claimPayouts } from "../../../../lib/payouts/state/claim.ts";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import { seedPayee, type PayeeSeed, type PayoutSeed } from "../../../support/payout-world.ts";
import { claimOne } from "../one.ts";
import { failed, paid, untouched, viewOf } from "../rows.ts";
import { withDb } from "../sessions.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

const LAKH = 1_00_000_00n;
/** A payout of one earning without a platform fee. */
const gross = (grossPaise: bigint, creditedOn = "2026-06-15"): PayoutSeed => ({
  earnings: [{ grossPaise, platformFeePaise: 0n, creditedOn }],
});

describe("tax of a payout", () => {
  it("of ₹5,000 at 1% with a fee of ₹1,200, above the threshold: 5,000 paise tax, 3,75,000 paid", async () => {
    const creditedOn = "2023-08-10";
    const payouts = await seed({
      payouts: [
        gross(6n * LAKH, creditedOn),
        { earnings: [{ grossPaise: 5_000_00n, platformFeePaise: 1_200_00n, creditedOn }] },
      ],
    });
    const { report } = await world.run();
    expect(await taxOf(payouts)).toEqual([
      { tax: 6_000_00n, net: 5_94_000_00n },
      { tax: 50_00n, net: 3_750_00n },
    ]);
    expect(await deductions(payouts[1])).toMatchObject([
      { gross: 5_000_00n, tax: 50_00n, rate: 100, section: "194-O", reason: "standard-rate" },
    ]);
    expect(report.taxPaise).toBe(6_050_00n);
    expect(world.sandbox.payouts().map(({ amount }) => amount)).toEqual([5_94_000_00, 3_750_00]);
  });

  it("that is zero is stored as zero, with the reason", async () => {
    const payouts = await seed({ payouts: [gross(LAKH)] });
    await world.run();
    expect(await taxOf(payouts)).toEqual([{ tax: 0n, net: LAKH }]);
    expect(await deductions(payouts[0])).toEqual([
      {
        status: "FINAL",
        gross: LAKH,
        tax: 0n,
        rate: 0,
        section: "393(1) Table Sl. No. 8(v)",
        code: "1035",
        reason: "below-threshold",
        year: 2026,
        carried: 0n,
        certificate: 0n,
        reverses: false,
      },
    ]);
  });

  it("is one line for each earning, at the rate of its own day", async () => {
    const payouts = await seed({
      category: "firm",
      payouts: [
        {
          earnings: [
            { grossPaise: 10_000_00n, creditedOn: "2024-09-30" },
            { grossPaise: 10_000_00n, creditedOn: "2024-10-01" },
            { grossPaise: 10_000_00n, creditedOn: "2026-04-01" },
          ],
        },
      ],
    });
    await world.run();
    const lines = await deductions(payouts[0]);
    expect(lines.map(({ tax, rate, year }) => [tax, rate, year])).toEqual([
      [100_00n, 100, 2024],
      [10_00n, 10, 2024],
      [10_00n, 10, 2026],
    ]);
    expect(await taxOf(payouts)).toEqual([{ tax: 120_00n, net: 26_880_00n }]);
  });

  it("that takes all of it completes the payout without a transfer", async () => {
    const payouts = await seed({
      payouts: [
        { earnings: [{ grossPaise: 6n * LAKH, platformFeePaise: 6n * LAKH - 500_00n }] },
        gross(1_000_00n),
      ],
    });
    const { report, verdict } = await world.run();

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 2, completed: 2, taxPaise: 601_00n });
    expect(await viewOf(world.database, payouts[0] ?? "")).toEqual({ ...paid, attempts: [] });
    expect(await taxOf(payouts)).toEqual([
      { tax: 500_00n, net: 0n },
      { tax: 101_00n, net: 899_00n },
    ]);
    expect(world.sandbox.payouts().map(({ amount }) => amount)).toEqual([899_00]);
    expect(await deductions(payouts[0])).toMatchObject([{ carried: 100_00n }]);
    expect(await deductions(payouts[1])).toMatchObject([{ reason: "catch-up", carried: 0n }]);
  });

  it("that leaves less than a rupee is refused, and counts for nothing", async () => {
    const payouts = await seed({
      panStatus: "missing",
      payouts: [
        { earnings: [{ grossPaise: 100_00n, platformFeePaise: 94_50n }] },
        { earnings: [{ grossPaise: 100_00n }] },
      ],
    });
    const { report } = await world.run();
    expect(report.items).toMatchObject([
      { payoutId: payouts[0], code: "AMOUNT_BELOW_MINIMUM", outcome: "failed" },
    ]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 100_00n, tax: 5_00n }]);
  });

  it("of a non-resident is not assessed: the payout is refused, nothing reserved", async () => {
    const [payout = ""] = await seed({ resident: false });
    const { report } = await world.run();
    expect(report.items).toMatchObject([{ code: "NON_RESIDENT", outcome: "failed" }]);
    expect(await viewOf(world.database, payout)).toMatchObject({
      status: "FAILED",
      deductions: [],
    });
  });

  it("without a PAN is 5% from the first rupee, and Aadhaar suffices instead", async () => {
    const none = await seed({ panStatus: "missing" });
    const aadhaar = await seed({ panStatus: "missing", aadhaar: true });
    const inoperative = await seed({ panStatus: "inoperative" });
    await world.run();
    expect(await taxOf([...none, ...aadhaar, ...inoperative])).toEqual([
      { tax: 50_00n, net: 850_00n },
      { tax: 0n, net: 900_00n },
      { tax: 50_00n, net: 850_00n },
    ]);
  });

  it("follows the policy of the run", async () => {
    const payouts = await seed({ payouts: [gross(5n * LAKH), gross(1_000_00n)] });
    await world.run({ tax: { crossing: "excess-only" } });
    expect((await taxOf(payouts)).map(({ tax }) => tax)).toEqual([0n, 1_00n]);
  });
});

describe("payees who have one PAN", () => {
  const PAN = "ZZZPX0001X";

  it("are one person: together they cross the threshold, and no PAN is in the report", async () => {
    const one = await seed({ pan: PAN, payouts: [gross(4n * LAKH)] });
    const other = await seed({ pan: PAN, payouts: [gross(4n * LAKH)] });
    const { report } = await world.run();

    const taxes = (await taxOf([...one, ...other])).map(({ tax }) => tax);
    expect(taxes.toSorted()).toEqual([0n, 800_00n]);
    expect(JSON.stringify(report, (_, value: unknown) => String(value))).not.toContain(PAN);
  });

  it("cross it together in many runs, and beside them others by themselves", async () => {
    const shared = await Promise.all(
      [1, 2, 3].map(() => seed({ pan: PAN, payouts: [gross(2n * LAKH), gross(LAKH)] })),
    );
    const alone = await seed({ payouts: [gross(3n * LAKH)] });
    await world.run({ limit: 2 });
    await world.run();

    const taxes = await taxOf(shared.flat());
    expect(taxes.reduce((sum, { tax }) => sum + (tax ?? 0n), 0n)).toBe(900_00n);
    expect((await taxOf(alone)).map(({ tax }) => tax)).toEqual([0n]);
  });

  it("are counted by each other when they are claimed at the same moment", async () => {
    const payouts: string[] = [];
    for (let payee = 0; payee < 6; payee++)
      payouts.push(...(await seed({ pan: PAN, payouts: [gross(LAKH)] })));
    const claims = await Promise.all(
      payouts.map((payoutId, index) =>
        withDb(world.database, (db) =>
          claimOne(db, payoutId, {
            runId: `00000000-0000-4000-8000-00000000000${index}`,
            fence: null,
          }),
        ),
      ),
    );
    const taxes = claims.map((claim) => (claim.kind === "claimed" ? claim.payout.taxPaise : -1n));
    expect(taxes.toSorted()).toEqual([0n, 0n, 0n, 0n, 0n, 600_00n]);
  });

  it("are not claimed in one group, whose second would not count the first", async () => {
    const one = await seed({ pan: PAN, payouts: [gross(3n * LAKH)] });
    const other = await seed({ pan: PAN, payouts: [gross(3n * LAKH)] });
    const claim = withDb(world.database, (db) =>
      claimPayouts(db, {
        payoutIds: [...one, ...other],
        claimant: { runId: "00000000-0000-4000-8000-000000000001", fence: null },
        tax: defaultTaxPolicy,
      }),
    );
    await expect(claim).rejects.toMatchObject({ code: "CLAIM_ORDER" });
  });

  it("share the ceiling of a certificate, also of one that is recorded with both", async () => {
    const certificate = {
      number: "CERT-ONE",
      rateBps: 0,
      from: "2026-04-01",
      to: "2027-03-31",
      ceilingPaise: 3n * LAKH,
    };
    const firm = { category: "firm", pan: "ZZZFX0001X", certificates: [certificate] } as const;
    const one = await seed({ ...firm, payouts: [gross(2n * LAKH)] });
    const other = await seed({ ...firm, payouts: [gross(2n * LAKH)] });
    const third = await seed({ ...firm, certificates: [], payouts: [gross(LAKH)] });
    await world.run();

    // ₹3,00,000 of the ₹5,00,000 are covered, whoever comes first.
    const taxes = await taxOf([...one, ...other, ...third]);
    expect(taxes.reduce((sum, { tax }) => sum + (tax ?? 0n), 0n)).toBe(200_00n);
  });

  it("include one who gets the PAN later, with all of the year", async () => {
    const known = await seed({ pan: PAN, payouts: [gross(3n * LAKH)] });
    const late = await seed({ panStatus: "missing", payouts: [gross(LAKH)] });
    await world.run();
    expect((await taxOf([...known, ...late])).map(({ tax }) => tax)).toEqual([0n, 5_000_00n]);

    await world.database.query(
      "UPDATE tax_profiles SET pan = $1, pan_status = 'valid' WHERE pan IS NULL",
      [PAN],
    );
    // ₹6,00,000 in the year: ₹600, and ₹5,000 were taken already.
    const next = await seedFor(known[0], gross(2n * LAKH));
    const more = await seedFor(late[0], gross(10n * LAKH));
    await world.run();
    expect((await taxOf([...next, ...more])).map(({ tax }) => tax)).toEqual([200_00n, 1_000_00n]);
  });

  it("are inoperative together", async () => {
    const one = await seed({ pan: PAN, panStatus: "inoperative", payouts: [gross(1_000_00n)] });
    const other = await seed({ pan: PAN, payouts: [gross(1_000_00n)] });
    await world.run();

    expect((await taxOf([...one, ...other])).map(({ tax }) => tax)).toEqual([50_00n, 50_00n]);
  });
});

describe("the payee's year", () => {
  it("is crossed once by two payouts of one run", async () => {
    const payouts = await seed({ payouts: [gross(3n * LAKH), gross(3n * LAKH)] });
    await world.run();
    expect((await taxOf(payouts)).map(({ tax }) => tax)).toEqual([0n, 600_00n]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 6n * LAKH, tax: 600_00n }]);
  });

  it("is crossed once by payouts of many payees and many runs", async () => {
    const payees = await Promise.all(
      Array.from({ length: 5 }, () =>
        seed({ payouts: [gross(2n * LAKH), gross(2n * LAKH), gross(2n * LAKH), gross(LAKH)] }),
      ),
    );
    await world.run({ limit: 7 });
    await world.run();
    for (const payouts of payees) {
      expect((await taxOf(payouts)).map(({ tax }) => tax)).toEqual([0n, 0n, 600_00n, 100_00n]);
    }
  });

  it("is shared by claims at the same moment: each counts the other", async () => {
    const payouts = await seed({ payouts: Array.from({ length: 6 }, () => gross(LAKH)) });
    const claims = await Promise.all(
      payouts.map((payoutId, index) =>
        withDb(world.database, (db) =>
          claimOne(db, payoutId, {
            runId: `00000000-0000-4000-8000-00000000000${index}`,
            fence: null,
          }),
        ),
      ),
    );
    const taxes = claims.map((claim) => (claim.kind === "claimed" ? claim.payout.taxPaise : -1n));
    expect(taxes.toSorted()).toEqual([0n, 0n, 0n, 0n, 0n, 600_00n]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 6n * LAKH, tax: 600_00n }]);
  });

  it("starts again on 1 April", async () => {
    const payouts = await seed({
      payouts: [gross(5n * LAKH, "2026-03-31"), gross(5n * LAKH, "2026-04-01")],
    });
    await world.run();
    expect((await taxOf(payouts)).map(({ tax }) => tax)).toEqual([0n, 0n]);
  });

  it("is as before after a payout that failed, and the next payout does not count it", async () => {
    const payouts = await seed({ payouts: [gross(2n * LAKH)] });
    await world.run();
    const before = await yearTotals();
    const [large = ""] = await seedFor(payouts[0], gross(4n * LAKH));
    world.sandbox.addFaults({ on: "POST /payouts", status: 400, error: { reason: "refused" } });
    await world.run();
    expect(await viewOf(world.database, large)).toEqual(failed("REFUSED refused"));
    expect(await deductions(large)).toMatchObject([
      { status: "RESERVED", gross: 4n * LAKH, tax: 600_00n, reverses: false },
      { status: "RESERVED", gross: -4n * LAKH, tax: -600_00n, reverses: true },
    ]);
    expect(await yearTotals()).toEqual(before);

    const next = await seedFor(payouts[0], gross(3n * LAKH));
    await world.run();
    expect((await taxOf(next)).map(({ tax }) => tax)).toEqual([0n]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 5n * LAKH, tax: 0n }]);
  });

  it("of a payout that is refused does not count for the next one of the same run", async () => {
    const payouts = await seed({ payouts: [gross(4n * LAKH), gross(2n * LAKH)] });
    world.sandbox.addFaults({ on: "POST /payouts", status: 400, error: { reason: "refused" } });
    await world.run();
    expect((await viewOf(world.database, payouts[0] ?? "")).status).toBe("FAILED");
    expect(await taxOf(payouts.slice(1))).toEqual([{ tax: 0n, net: 2n * LAKH }]);
  });

  it("keeps counting a payout whose outcome is unknown", async () => {
    const payouts = await seed({ payouts: [gross(4n * LAKH)] });
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    await world.run();
    const next = await seedFor(payouts[0], gross(2n * LAKH));
    await world.run();
    expect((await taxOf(next)).map(({ tax }) => tax)).toEqual([600_00n]);
  });

  it("is not burdened by a payout that can't be sent to a VPA", async () => {
    const payouts = await seed({
      account: { kind: "vpa", vpa: "asha@examplebank" },
      payouts: [gross(6n * LAKH), gross(10_000_00n)],
    });
    const { report } = await world.run();
    expect(report.items).toMatchObject([{ payoutId: payouts[0], code: "AMOUNT_ABOVE_UPI_LIMIT" }]);
    expect(await taxOf(payouts.slice(1))).toEqual([{ tax: 0n, net: 10_000_00n }]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 10_000_00n, tax: 0n }]);
  });

  it("carries what did not fit forward, over a failed payout in between", async () => {
    const payouts = await seed({
      payouts: [{ earnings: [{ grossPaise: 6n * LAKH, platformFeePaise: 6n * LAKH - 200_00n }] }],
    });
    await world.run();
    expect(await deductions(payouts[0])).toMatchObject([{ tax: 200_00n, carried: 400_00n }]);

    const [broken = ""] = await seedFor(payouts[0], gross(1_000_00n));
    world.sandbox.addFaults({ on: "POST /payouts", endState: "failed", endReason: "gateway_down" });
    await world.run();
    expect(await viewOf(world.database, broken)).toEqual(failed("FAILED gateway_down"));

    const next = await seedFor(payouts[0], gross(1_000_00n));
    await world.run();
    expect(await taxOf(next)).toEqual([{ tax: 401_00n, net: 599_00n }]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 601_000_00n, tax: 601_00n }]);
  });

  it("uses up a certificate's ceiling payout by payout, and a failed one gives it back", async () => {
    const certificate = {
      rateBps: 5,
      from: "2026-04-01",
      to: "2027-03-31",
      ceilingPaise: 15_000_00n,
    };
    const payouts = await seed({
      category: "firm",
      certificates: [certificate],
      payouts: [gross(10_000_00n)],
    });
    world.sandbox.addFaults({ on: "POST /payouts", status: 400 });
    await world.run();
    const next = await seedFor(payouts[0], gross(10_000_00n), gross(10_000_00n), gross(10_000_00n));
    await world.run();
    expect((await taxOf(next)).map(({ tax }) => tax)).toEqual([5_00n, 8_00n, 10_00n]);
    const lines: DeductionRow[] = [];
    for (const id of next) lines.push(...(await deductions(id)));
    expect(lines.map(({ certificate: covered, reason }) => [covered, reason])).toEqual([
      [10_000_00n, "lower-deduction-certificate"],
      [5_000_00n, "certificate-ceiling-exceeded"],
      [0n, "certificate-ceiling-exceeded"],
    ]);
  });
});

describe("a payout that goes back to approved", () => {
  it("has no tax until its next claim, which assesses it on the year as it then stands", async () => {
    const payouts = await seed({ payouts: [gross(4n * LAKH), gross(2n * LAKH)] });
    world.sandbox.addFaults({ on: "POST /payouts", lowBalance: true });
    await world.run();
    expect(await viewOf(world.database, payouts[0] ?? "")).toMatchObject({
      ...untouched,
      attempts: ["REFUSED insufficient-balance"],
      deductions: ["RESERVED", "reversed"],
    });
    await world.run();
    expect((await taxOf(payouts)).map(({ tax }) => tax)).toEqual([0n, 600_00n]);
    expect(await yearTotals()).toEqual([{ year: 2026, gross: 6n * LAKH, tax: 600_00n }]);
  });
});

async function seed(payee: PayeeSeed = {}): Promise<string[]> {
  const { payouts } = await seedPayee(world.database, payee);
  return payouts.map(({ id }) => id);
}

/** More payouts for the payee of one that is there. */
async function seedFor(payoutId: string | undefined, ...payouts: PayoutSeed[]): Promise<string[]> {
  const stranger = await seedPayee(world.database, { account: null, taxProfile: false, payouts });
  const ids = stranger.payouts.map(({ id }) => id);
  const { database } = world;
  const [owner] = await database.query<{ id: string }>(
    "SELECT consultant_id AS id FROM payouts WHERE id = $1",
    [payoutId],
  );
  // No program may do this; here it stands for payouts that were made for the owner from the start.
  await database.query("ALTER TABLE payouts DISABLE TRIGGER payouts_payee_update");
  for (const table of ["earnings", "payouts"])
    await database.query(`UPDATE ${table} SET consultant_id = $1 WHERE consultant_id = $2`, [
      owner?.id,
      stranger.consultantId,
    ]);
  await database.query("ALTER TABLE payouts ENABLE TRIGGER payouts_payee_update");
  await database.query("ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_of_source");
  await database.query(
    `WITH moved AS (
       INSERT INTO ledger_transactions (key, kind) VALUES ('wallet-moved:' || gen_random_uuid(), 'wallet-moved') RETURNING id),
     owed AS (SELECT sum(amount_paise) AS paise FROM ledger_entries JOIN ledger_accounts AS account
       ON account.id = account_id WHERE account.consultant_id = $2)
     INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
     SELECT moved.id, account.id, CASE account.consultant_id WHEN $1 THEN owed.paise ELSE -owed.paise END
     FROM moved, owed, ledger_accounts AS account WHERE account.consultant_id IN ($1, $2)`,
    [owner?.id, stranger.consultantId],
  );
  await database.query("ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_of_source");
  return ids;
}

async function taxOf(
  payoutIds: readonly string[],
): Promise<{ tax: bigint | null; net: bigint | null }[]> {
  return world.database.query(
    `SELECT tax_paise AS tax, net_paise AS net FROM payouts WHERE id = ANY ($1::uuid[])
     ORDER BY array_position($1::uuid[], id)`,
    [payoutIds],
  );
}

interface DeductionRow {
  status: string;
  gross: bigint;
  tax: bigint;
  rate: number;
  section: string;
  code: string;
  reason: string;
  year: number;
  carried: bigint;
  certificate: bigint;
  reverses: boolean;
}

async function deductions(payoutId: string | undefined): Promise<DeductionRow[]> {
  return world.database.query<DeductionRow & Record<string, unknown>>(
    `SELECT status::text AS status, gross_paise AS gross, tax_paise AS tax, rate_bps AS rate, section, code,
            reason, fiscal_year AS year, carried_forward_paise AS carried,
            certificate_gross_paise AS certificate, reverses_id IS NOT NULL AS reverses
     FROM tax_deductions WHERE payout_id = $1 ORDER BY sequence`,
    [payoutId],
  );
}

async function yearTotals(): Promise<{ year: number; gross: bigint; tax: bigint }[]> {
  return world.database.query(
    `SELECT fiscal_year AS year, sum(gross_paise)::bigint AS gross, sum(tax_paise)::bigint AS tax
     FROM tax_deductions GROUP BY fiscal_year ORDER BY 1`,
  );
}

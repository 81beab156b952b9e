import fc from "fast-check";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { approvePayouts } from "../../../lib/earnings/approve.ts";
import { planTakes } from "../../../lib/earnings/recovery-plan.ts";
import { rejectPayout } from "../../../lib/payouts/operate/index.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { runPayouts, seedPayee } from "../../support/payout-world.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";
import {
  drifts,
  runBatch,
  runRefunds,
  seedCaptured,
  seedEarning,
} from "../../support/refund-run.ts";

const sums = fc
  .tuple(fc.bigInt({ min: 1n, max: 100_000n }), fc.bigInt({ min: 0n, max: 30_000n }))
  .map(([amountPaise, fee]) => ({ amountPaise, grossPaise: amountPaise + fee }));

describe("the plan of recoveries", () => {
  it("takes all that is owed or all that is there, and leaves nothing below zero", () => {
    fc.assert(
      fc.property(
        fc.array(sums, { minLength: 1, maxLength: 5 }),
        fc.array(sums, { minLength: 0, maxLength: 6 }),
        (owed, ready) => {
          const takes = planTakes(
            owed.map((debt, index) => ({
              ...debt,
              recoveryId: `r${index}`,
              consultantId: "c",
              currency: "INR",
              creditedOn: "2026-06-15",
            })),
            ready.map((earning, index) => ({
              ...earning,
              earningId: `e${index}`,
              consultantId: "c",
              currency: "INR",
              creditedOn: "2026-06-15",
            })),
            "same-year",
          );
          const sum = (amounts: readonly { amountPaise: bigint }[]): bigint =>
            amounts.reduce((total, { amountPaise }) => total + amountPaise, 0n);
          const least = sum(owed) < sum(ready) ? sum(owed) : sum(ready);
          expect(sum(takes)).toBe(least);
          for (const [index, earning] of ready.entries()) {
            const taken = takes.filter(({ earningId }) => earningId === `e${index}`);
            expectLeft(earning, taken);
          }
          for (const [index, debt] of owed.entries()) {
            const taken = takes.filter(({ recoveryId }) => recoveryId === `r${index}`);
            expectLeft(debt, taken);
          }
        },
      ),
    );
  });

  it("takes nothing from another consultant or in another currency", () => {
    const creditedOn = "2026-06-15";
    const debt = { recoveryId: "r", consultantId: "c", currency: "INR", creditedOn };
    const amounts = { grossPaise: 10n, amountPaise: 8n };
    expect(
      planTakes(
        [{ ...debt, ...amounts }],
        [
          { earningId: "1", consultantId: "d", currency: "INR", creditedOn, ...amounts },
          { earningId: "2", consultantId: "c", currency: "USD", creditedOn, ...amounts },
        ],
        "same-year",
      ),
    ).toEqual([]);
  });

  const sale = { recoveryId: "r", consultantId: "c", currency: "INR", creditedOn: "2026-03-31" };
  const inNextYear = (grossPaise: bigint, amountPaise: bigint) => ({
    earningId: "next",
    consultantId: "c",
    currency: "INR",
    creditedOn: "2026-04-01",
    grossPaise,
    amountPaise,
  });
  const owed = { ...sale, grossPaise: 1_000n, amountPaise: 900n };

  it("across 31 March takes money and leaves the gross, which is the base of the tax", () => {
    expect(planTakes([owed], [inNextYear(2_000n, 1_800n)], "same-year")).toEqual([
      { recoveryId: "r", earningId: "next", grossPaise: 0n, amountPaise: 900n },
    ]);
  });

  it("across 31 March leaves a paisa, without which the gross would be in no payout", () => {
    expect(planTakes([owed], [inNextYear(600n, 500n)], "same-year")).toEqual([
      { recoveryId: "r", earningId: "next", grossPaise: 0n, amountPaise: 499n },
    ]);
    expect(planTakes([owed], [inNextYear(600n, 1n)], "same-year")).toEqual([]);
  });

  it("across 31 March takes the gross as well, or nothing yet, where it is told so", () => {
    const next = [inNextYear(2_000n, 1_800n)];
    expect(planTakes([owed], next, "any-year")).toEqual([
      { recoveryId: "r", earningId: "next", grossPaise: 1_000n, amountPaise: 900n },
    ]);
    expect(planTakes([owed], next, "later")).toEqual([]);
  });
});

function expectLeft(
  from: { grossPaise: bigint; amountPaise: bigint },
  taken: readonly { grossPaise: bigint; amountPaise: bigint }[],
): void {
  const amount = taken.reduce((left, { amountPaise }) => left - amountPaise, from.amountPaise);
  const gross = taken.reduce((left, { grossPaise }) => left - grossPaise, from.grossPaise);
  expect(amount >= 0n && gross >= amount).toBe(true);
  for (const { grossPaise, amountPaise } of taken) expect(grossPaise >= amountPaise).toBe(true);
}

describe("recoveries over weeks", () => {
  let world: RefundWorld;
  let sandbox: Sandbox;
  let consultantId: string;
  beforeEach(async () => {
    world = await createRefundWorld();
    sandbox = await startSandbox();
    ({ consultantId } = await seedPayee(world.database, { payouts: [] }));
  });
  afterEach(async () => {
    await sandbox.close();
    await world.end();
  });

  async function sell(): Promise<{ paymentId: string; reference: string }> {
    const places = { database: world.database, sandbox };
    const sale = await seedCaptured(places, { cardPaise: 118_000n, consultantId });
    await seedEarning(world.database, { consultantId, reference: sale.reference });
    return sale;
  }

  const settleRefunds = async (): Promise<void> => {
    await runRefunds({ database: world.database, sandbox });
    await runRefunds({ database: world.database, sandbox });
  };

  /** Earned less borne is what was paid out, waits or is linked, less what is owed still. */
  async function expectNothingLostOrMade(): Promise<void> {
    const [sum] = await world.database.query<{
      earned: bigint;
      borne: bigint;
      held: bigint;
      owed: bigint;
    }>(`
      SELECT COALESCE((SELECT sum(amount_paise) FROM earnings), 0)::bigint AS earned,
             (COALESCE((SELECT sum(amount_paise) FROM earning_refunds WHERE key NOT LIKE 'recovery:%'), 0)
              + COALESCE((SELECT sum(amount_paise) FROM earning_recoveries), 0))::bigint AS borne,
             COALESCE((SELECT sum(amount_paise) FROM earnings_net), 0)::bigint AS held,
             COALESCE((SELECT sum(amount_paise - recovered_amount_paise) FROM earning_recoveries), 0)::bigint AS owed`);
    expect(sum && sum.earned - sum.borne).toBe(sum && sum.held - sum.owed);
    expect(await drifts(world.database)).toEqual([]);
  }

  it("keep the books through random weeks of sales, refunds, batches and failed payouts", async () => {
    const seed = Number(process.env["REFUNDS_SEED"] ?? Date.now() % 1_000_000);
    const [weeks = []] = fc.sample(
      fc.array(
        fc.record({
          sales: fc.integer({ min: 0, max: 2 }),
          refunds: fc.array(
            fc.record({ of: fc.nat(), part: fc.bigInt({ min: 100n, max: 118_000n }) }),
            {
              maxLength: 2,
            },
          ),
          payoutFails: fc.boolean(),
        }),
        { minLength: 6, maxLength: 6 },
      ),
      { numRuns: 1, seed },
    );
    const sold: string[] = [];
    for (const { sales, refunds, payoutFails } of weeks) {
      for (let count = 0; count < sales; count++) sold.push((await sell()).paymentId);
      for (const { of, part } of refunds) {
        const paymentId = sold[of % Math.max(sold.length, 1)];
        if (paymentId !== undefined) await world.request({ paymentId, amountPaise: part });
      }
      const plan = await runBatch(world.database, { dryRun: true });
      const batch = await runBatch(world.database);
      expect([
        batch.report.amountPaise,
        batch.report.grossPaise,
        batch.report.recoveredPaise,
      ]).toEqual([plan.report.amountPaise, plan.report.grossPaise, plan.report.recoveredPaise]);
      if (payoutFails) sandbox.addFaults([{ on: "POST /payouts", endState: "failed" }]);
      await settleRefunds();
      await runPayouts({ database: world.database, sandbox });
      sandbox.clearFaults();
      await expectNothingLostOrMade().catch((error: unknown) => {
        throw new Error(`with REFUNDS_SEED=${seed}`, { cause: error });
      });
    }
  });

  it("across 31 March come off the money of the next earning and not off its gross", async () => {
    const places = { database: world.database, sandbox };
    const sale = await seedCaptured(places, { cardPaise: 118_000n, consultantId });
    const { reference, paymentId } = sale;
    await seedEarning(world.database, { consultantId, reference, creditedOn: "2026-03-31" });
    await runBatch(world.database);
    await runPayouts({ database: world.database, sandbox });
    await seedEarning(world.database, {
      consultantId,
      reference: "NEXT-YEAR",
      grossPaise: 300_000n,
      creditedOn: "2026-04-01",
    });
    await world.request({ paymentId });
    await settleRefunds();
    await runBatch(world.database);

    const payouts = await world.database.query(
      `SELECT gross_paise AS gross, amount_paise AS amount FROM payouts ORDER BY created_at, id`,
    );
    expect(payouts).toEqual([
      { gross: 100_000n, amount: 80_000n },
      { gross: 300_000n, amount: 280_000n - 80_000n },
    ]);
    await expectNothingLostOrMade();
  });

  it("stop the payout that holds the refunded sale; rejected, the next batch pays the rest", async () => {
    const refunded = await sell();
    await sell();
    await runBatch(world.database);
    await world.request({ paymentId: refunded.paymentId });
    await settleRefunds();
    const stopped = await runPayouts({ database: world.database, sandbox });
    expect(stopped.report).toMatchObject({ skipped: 1, withdrawn: 1, succeeded: 0 });
    expect(stopped.report.items).toMatchObject([{ code: "EARNINGS_REFUNDED" }]);
    await expectNothingLostOrMade();

    const [payout] = await world.database.query<{ id: string }>("SELECT id FROM payouts");
    const rejected = await rejectPayout(world.db, {
      payoutId: payout?.id ?? "",
      operator: { by: "Asha", reason: "refunded" },
    });
    expect(rejected.done).toBe(true);
    expect((await runBatch(world.database)).report).toMatchObject({ recoveredPaise: 80_000n });
    const paid = await runPayouts({ database: world.database, sandbox });
    expect(paid.report).toMatchObject({ completed: 1, grossPaise: 80_000n });
    await expectNothingLostOrMade();
  });

  it("and batches at once never pay past what is owed", async () => {
    const first = await sell();
    await runBatch(world.database);
    await runPayouts({ database: world.database, sandbox });
    await sell();
    await world.request({ paymentId: first.paymentId });
    await runRefunds({ database: world.database, sandbox });

    await Promise.all([
      runRefunds({ database: world.database, sandbox }),
      runBatch(world.database),
      runBatch(world.database),
    ]);
    await expectNothingLostOrMade();
    await sell();
    await Promise.all([runBatch(world.database), runBatch(world.database)]);
    await runBatch(world.database);

    await expectNothingLostOrMade();
    expect(
      await world.database.query(
        "SELECT sum(amount_paise)::bigint AS paise FROM payouts WHERE status <> 'FAILED'",
      ),
    ).toEqual([{ paise: 160_000n }]);
  });

  it("leave what is imported and approved at once to the batch while something is owed", async () => {
    const first = await sell();
    await runBatch(world.database);
    await runPayouts({ database: world.database, sandbox });
    await world.request({ paymentId: first.paymentId });
    await settleRefunds();
    const second = await sell();

    const client = new pg.Client({ connectionString: world.database.url });
    await client.connect();
    try {
      await client.query("BEGIN");
      expect(await approvePayouts(client, [second.reference])).toMatchObject({ count: 0 });
      await client.query("COMMIT");
    } finally {
      await client.end();
    }
    expect((await runBatch(world.database)).report).toMatchObject({
      created: 0,
      recoveredPaise: 80_000n,
    });
  });
});

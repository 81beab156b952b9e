import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { shareOfRefund } from "../../../lib/refunds/share.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { runPayouts, seedPayee } from "../../support/payout-world.ts";
import {
  createRefundWorld,
  type PaidBooking,
  type RefundWorld,
} from "../../support/refund-world.ts";
import {
  drifts,
  runBatch,
  runRefunds,
  seedCaptured,
  seedEarning,
} from "../../support/refund-run.ts";

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

type Sale = PaidBooking & { earningId: string };

/** ₹1,180 by card with GST: ₹1,000 gross, of which the consultant gets ₹800. */
async function sell(paise: { grossPaise?: bigint; platformFeePaise?: bigint } = {}): Promise<Sale> {
  const paid = await seedCaptured(
    { database: world.database, sandbox },
    { cardPaise: 118_000n, consultantId },
  );
  const earningId = await seedEarning(world.database, {
    consultantId,
    reference: paid.reference,
    ...paise,
  });
  return { ...paid, earningId };
}

async function refund(paymentId: string, amountPaise: bigint | "all" = "all"): Promise<void> {
  expect(await world.request({ paymentId, amountPaise })).toMatchObject({ kind: "requested" });
  await runRefunds({ database: world.database, sandbox });
  await runRefunds({ database: world.database, sandbox });
}

/** Pays what is due now. */
async function payOut(): Promise<void> {
  await runBatch(world.database);
  await runPayouts({ database: world.database, sandbox });
}

const left = async (earningId: string): Promise<[bigint, bigint] | undefined> => {
  const [row] = await world.database.query<{ gross: bigint; amount: bigint }>(
    "SELECT gross_paise AS gross, amount_paise AS amount FROM earnings_net WHERE earning_id = $1",
    [earningId],
  );
  return row && [row.gross, row.amount];
};
const owed = (): Promise<{ gross: bigint; amount: bigint }[]> =>
  world.database.query(
    `SELECT gross_paise - recovered_gross_paise AS gross, amount_paise - recovered_amount_paise AS amount
     FROM earning_recoveries ORDER BY created_at`,
  );
const payouts = async (): Promise<bigint[]> =>
  (
    await world.database.query<{ paise: bigint }>(
      "SELECT amount_paise AS paise FROM payouts ORDER BY created_at",
    )
  ).map(({ paise }) => paise);

describe("what a consultant bears of a refund", () => {
  const earned = fc
    .tuple(fc.bigInt({ min: 1n, max: 10_000_000n }), fc.bigInt({ min: 0n, max: 1_000_000n }))
    .map(([amountPaise, fee]) => ({ amountPaise, grossPaise: amountPaise + fee }));

  it("adds up to the paisa over any refunds, never exceeds the earning, and is all of it at the end", () => {
    fc.assert(
      fc.property(
        earned,
        fc.array(fc.bigInt({ min: 1n, max: 1_000_000n }), { minLength: 1, maxLength: 8 }),
        (sale, parts) => {
          const paidPaise = parts.reduce((sum, part) => sum + part, 0n);
          let backPaise = 0n;
          let borne = { grossPaise: 0n, amountPaise: 0n };
          for (const part of parts) {
            backPaise += part;
            const share = shareOfRefund(
              sale,
              { backPaise, paidPaise },
              { borne, otherwise: { grossPaise: 0n, amountPaise: 0n } },
            );
            expect(share.grossPaise >= share.amountPaise && share.amountPaise >= 0n).toBe(true);
            borne = {
              grossPaise: borne.grossPaise + share.grossPaise,
              amountPaise: borne.amountPaise + share.amountPaise,
            };
            expect(borne.amountPaise).toBe((sale.amountPaise * backPaise) / paidPaise);
            const left =
              sale.grossPaise - borne.grossPaise - (sale.amountPaise - borne.amountPaise);
            expect(left >= 0n).toBe(true);
          }
          expect(borne).toEqual(sale);
        },
      ),
    );
  });
});

describe("an earning that waits", () => {
  it("falls by its share once the refund is certain, and not before", async () => {
    const { paymentId, earningId } = await sell();
    await world.request({ paymentId, amountPaise: 59_000n });
    await runRefunds({ database: world.database, sandbox });
    expect(await left(earningId)).toEqual([100_000n, 80_000n]);

    await runRefunds({ database: world.database, sandbox });

    expect(await left(earningId)).toEqual([50_000n, 40_000n]);
    await refund(paymentId);
    expect(await left(earningId)).toEqual([0n, 0n]);
    expect(await owed()).toEqual([]);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("stays whole when the refund fails at the provider", async () => {
    sandbox.addFaults([{ on: "POST /payments/:id/refund", endState: "failed" }]);
    const { paymentId, earningId } = await sell();
    await refund(paymentId);

    expect(await left(earningId)).toEqual([100_000n, 80_000n]);
    await refund(paymentId);
    expect(await left(earningId)).toEqual([0n, 0n]);
  });

  it("that came in net of a refund bears of later ones only its own share", async () => {
    const paid = await seedCaptured(
      { database: world.database, sandbox },
      { cardPaise: 118_000n, consultantId },
    );
    await refund(paid.paymentId, 59_000n);
    const earningId = await seedEarning(world.database, {
      consultantId,
      reference: paid.reference,
      grossPaise: 50_000n,
      platformFeePaise: 10_000n,
    });

    await refund(paid.paymentId, 29_500n);
    expect(await left(earningId)).toEqual([25_000n, 20_000n]);

    await refund(paid.paymentId);
    expect(await left(earningId)).toEqual([0n, 0n]);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("bears nothing of a capture that paid for no booking", async () => {
    const { paymentId, earningId } = await sell();
    await world.database.query("UPDATE bookings SET status = 'CANCELLED'");
    await world.request({ paymentId });
    await world.database.query("ALTER TABLE refunds DISABLE TRIGGER USER");
    await world.database.query("UPDATE refunds SET of_sale = false");
    await runRefunds({ database: world.database, sandbox });
    await runRefunds({ database: world.database, sandbox });

    expect(await left(earningId)).toEqual([100_000n, 80_000n]);
  });
});

describe("a refund of a settled earning", () => {
  it("is taken off what waits, never below zero, and the rest off the next payouts", async () => {
    const sold = await sell();
    await payOut();
    const small = await sell({ grossPaise: 25_000n, platformFeePaise: 5_000n });
    await refund(sold.paymentId);

    expect(await left(small.earningId)).toEqual([0n, 0n]);
    expect(await owed()).toEqual([{ gross: 75_000n, amount: 60_000n }]);
    await runBatch(world.database);
    expect(await payouts()).toEqual([80_000n]);

    const next = await sell();
    const plan = await runBatch(world.database, { dryRun: true });
    expect(plan.report).toMatchObject({
      planned: 1,
      amountPaise: 20_000n,
      recoveredPaise: 60_000n,
    });
    const real = await runBatch(world.database);
    expect(real.report).toMatchObject({
      created: 1,
      amountPaise: 20_000n,
      recoveredPaise: 60_000n,
    });
    expect(real.report.grossPaise).toBe(plan.report.grossPaise);
    expect(await left(next.earningId)).toEqual([25_000n, 20_000n]);
    expect(await owed()).toEqual([{ gross: 0n, amount: 0n }]);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("that is in a payout not yet sent leaves that payout, and is owed", async () => {
    const sold = await sell();
    await runBatch(world.database);
    await refund(sold.paymentId, 59_000n);

    expect(await owed()).toEqual([{ gross: 50_000n, amount: 40_000n }]);
    await runPayouts({ database: world.database, sandbox });
    await sell();
    await payOut();
    expect(await payouts()).toEqual([80_000n, 40_000n]);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("is recovered once when two sales are refunded, the older debt first", async () => {
    const first = await sell();
    const second = await sell();
    await payOut();
    await refund(first.paymentId);
    await refund(second.paymentId, 59_000n);
    expect((await owed()).map(({ amount }) => amount)).toEqual([80_000n, 40_000n]);

    await sell();
    await payOut();
    expect((await owed()).map(({ amount }) => amount)).toEqual([0n, 40_000n]);
    await sell();
    await payOut();
    expect((await owed()).map(({ amount }) => amount)).toEqual([0n, 0n]);
    expect(await payouts()).toEqual([160_000n, 40_000n]);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("is recovered from an earning that comes back because its payout failed", async () => {
    const sold = await sell();
    await runBatch(world.database);
    sandbox.addFaults([{ on: "POST /payouts", endState: "failed" }]);
    await runPayouts({
      database: world.database,
      sandbox,
      // After the claim, which would not have sent it.
      wrapGateway: (gateway) => ({
        ...gateway,
        createPayout: async (...call) => {
          await refund(sold.paymentId);
          return gateway.createPayout(...call);
        },
      }),
    });
    expect(await owed()).toEqual([{ gross: 100_000n, amount: 80_000n }]);

    await payOut();

    expect(await owed()).toEqual([{ gross: 0n, amount: 0n }]);
    expect(await left(sold.earningId)).toEqual([0n, 0n]);
    expect(await payouts()).toEqual([80_000n]);
    expect(await drifts(world.database)).toEqual([]);
  });
});

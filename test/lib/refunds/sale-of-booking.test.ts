import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { showPayment } from "../../../lib/refunds/show-payment.ts";
import { seedBooking, seedPlan } from "../../../scripts/dev/seed/bookings.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { seedPayee } from "../../support/payout-world.ts";
import { runRefunds, seedEarning } from "../../support/refund-run.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";

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

/** A booking of that reference, paid by ₹1,000, all of which goes back. */
async function refundOf(reference: string): Promise<{ paymentId: string; refundId: string }> {
  const order = sandbox.createOrder({ amountPaise: 100_000n });
  const { id } = sandbox.createPayment({ orderId: order.id });
  const plan = await seedPlan(world.database, { kind: "consultation", consultantId });
  const { paymentId = "" } = await seedBooking(world.database, {
    plan,
    reference,
    status: "CONFIRMED",
    startsInHours: 240 + (hours += 24),
    checkout: { status: "PAID", paymentId: id },
  });
  const asked = await world.request({ paymentId });
  await runRefunds({ database: world.database, sandbox });
  await runRefunds({ database: world.database, sandbox });
  return { paymentId, refundId: asked.kind === "requested" ? asked.refundId : "" };
}
let hours = 0;

const earned = (reference: string): Promise<string> =>
  seedEarning(world.database, { consultantId, reference });

const charged = async (): Promise<string[]> =>
  (
    await world.database.query<{ reference: string }>(
      `SELECT booking_reference AS reference FROM earnings JOIN earning_refunds ON earning_id = earnings.id ORDER BY 1`,
    )
  ).map(({ reference }) => reference);

const findings = (): Promise<unknown[]> =>
  world.database.query("SELECT kind, severity, subject_id, details FROM findings ORDER BY 1, 3");

describe("the earning of a refunded booking", () => {
  it.each([
    ["bk-1", "BK-1"],
    ["BK  1", " bk 1"],
    ["BK-é", "BK-e\u0301"],
  ])("is found as %j for %j", async (ofEarning, ofBooking) => {
    await earned(ofEarning);
    const { paymentId } = await refundOf(ofBooking);
    expect(await charged()).toEqual([ofEarning]);
    expect(await findings()).toEqual([]);
    expect(await showPayment(world.db, paymentId)).toMatchObject({ earning: { leftPaise: 0n } });
  });

  it.each([
    ["has a suffix", ["BK-2/1"], []],
    ["is not on record", [], []],
    ["is one of two that look alike", ["bk-2", "Bk-2"], []],
    ["may be of another booking that looks alike", ["bk-2"], ["bk-2"]],
  ])("is a finding where it %s, and nobody is charged", async (_what, earnings, bookings) => {
    for (const reference of earnings) await earned(reference);
    const plan = await seedPlan(world.database, { kind: "consultation" });
    for (const reference of bookings) await seedBooking(world.database, { plan, reference });

    const { paymentId, refundId } = await refundOf("BK-2");

    expect(await charged()).toEqual([]);
    expect(await findings()).toEqual([
      {
        kind: "refund-without-earning",
        severity: "warning",
        subject_id: refundId,
        details: { paymentId, bookingReference: "BK-2", backPaise: "100000" },
      },
    ]);
  });

  it("is the one of the same letters, whatever else looks alike", async () => {
    await earned("bk-3");
    await earned("BK-3");
    await refundOf("BK-3");
    expect(await charged()).toEqual(["BK-3"]);
    expect(await findings()).toEqual([]);
  });
});

import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import type { Clock } from "../../../lib/support/clock.ts";
import { runLate } from "../../support/checkout-run.ts";
import { runEvents } from "../../support/payment-events-run.ts";
import {
  drifts,
  legRows,
  runRefunds,
  seedCaptured,
  seedEarning,
} from "../../support/refund-run.ts";
import {
  createRefundWorld,
  seedPaid,
  type PaidBooking,
  type PaidSeed,
  type RefundWorld,
} from "../../support/refund-world.ts";

interface World extends RefundWorld {
  sandbox: Sandbox;
}

async function openWorld({ clock }: { clock?: Clock } = {}): Promise<World> {
  const world = await createRefundWorld();
  const sandbox = await startSandbox(clock ? { clock } : {});
  onTestFinished(async () => {
    await sandbox.close();
    await world.end();
  });
  return { ...world, sandbox };
}

type Disputed = PaidBooking & { providerPaymentId: string; disputeId: string };

/** A captured payment of ₹1,000 by card, with an earning of ₹800, that the buyer disputes. */
async function disputed(
  world: World,
  { amountPaise, ...seed }: PaidSeed & { amountPaise?: bigint } = {},
): Promise<Disputed> {
  const booking = await seedCaptured(world, seed);
  const { reference, plan, providerPaymentId = "" } = booking;
  await seedEarning(world.database, { consultantId: plan.consultantId, reference });
  const { id: disputeId } = world.sandbox.createDispute({
    paymentId: providerPaymentId,
    ...(amountPaise === undefined ? {} : { amountPaise }),
  });
  return { ...booking, providerPaymentId, disputeId };
}

const holds = ({ database }: World): Promise<Record<string, unknown>[]> =>
  database.query(
    `SELECT consultant_id AS consultant, kind::text AS kind, placed_by AS by, released_at IS NOT NULL AS released
     FROM consultant_holds ORDER BY placed_at, consultant_id`,
  );

const findings = ({ database }: World): Promise<{ kind: string; severity: string }[]> =>
  database.query("SELECT kind, severity::text AS severity FROM findings ORDER BY kind");

const resolveAll = ({ database }: World): Promise<unknown> =>
  database.query(
    "UPDATE findings SET resolved_at = now(), resolved_by = 'a test', resolution = 'seen' WHERE resolved_at IS NULL",
  );

async function charged({ database }: World): Promise<bigint> {
  const [row] = await database.query<{ paise: bigint }>(
    `SELECT (COALESCE((SELECT sum(amount_paise) FROM earning_refunds), 0)
           + COALESCE((SELECT sum(amount_paise) FROM earning_recoveries), 0))::bigint AS paise`,
  );
  return row?.paise ?? -1n;
}

const JOB = "job:payments/reconcile-payments";

describe("a dispute", () => {
  it("places a hold and a finding with the time to answer, and is red until a person has seen it", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { plan, paymentId, disputeId } = await disputed(world);
    expect((await runEvents({ ...world, dryRun: true })).report).toMatchObject({ disputed: 1 });
    expect(await holds(world)).toEqual([]);

    const { verdict, report } = await runEvents(world);
    expect(verdict).toMatchObject({ kind: "failed", code: "payments-disputed" });
    expect(report).toMatchObject({ disputesRead: 1, disputed: 1 });
    const hold = { consultant: plan.consultantId, kind: "open_dispute", by: JOB };
    expect(await holds(world)).toEqual([{ ...hold, released: false }]);
    const [finding] = await world.database.query<{ details: Record<string, unknown> }>(
      "SELECT details FROM findings",
    );
    expect(finding?.details).toMatchObject({ paymentId, amountPaise: "100000", status: "open" });
    expect(finding?.details["respondBy"]).toEqual(expect.stringMatching(/^20\d\d-/));

    await resolveAll(world);
    expect((await runEvents(world)).verdict).toEqual({ kind: "completed" });
    sandbox.moveDispute(disputeId, { status: "under_review" });
    expect((await runEvents(world)).verdict).toMatchObject({ code: "payments-disputed" });
    expect(await holds(world)).toEqual([{ ...hold, released: false }]);
  });

  it.each(["won", "closed"] as const)(
    "that is %s releases the hold, and charges nobody",
    async (status) => {
      const world = await openWorld();
      const { plan, disputeId } = await disputed(world);
      await runEvents(world);
      await resolveAll(world);
      world.sandbox.moveDispute(disputeId, { status });
      const { verdict, report } = await runEvents(world);
      expect(verdict).toEqual({ kind: "completed" });
      expect(report).toMatchObject({ kept: 1 });
      expect(await holds(world)).toMatchObject([{ consultant: plan.consultantId, released: true }]);
      expect(await charged(world)).toBe(0n);
      expect((await runEvents(world)).report).toMatchObject({ kept: 0 });
    },
  );

  it("that is lost is booked once, charges the consultant, and leaves nothing to refund", async () => {
    const world = await openWorld();
    const { paymentId, disputeId } = await disputed(world);
    await runEvents(world);
    await resolveAll(world);
    world.sandbox.moveDispute(disputeId, { status: "lost" });
    const { report } = await runEvents(world);

    expect(report).toMatchObject({ lost: 1, lostPaise: 100_000n });
    expect(await holds(world)).toMatchObject([{ released: true }]);
    expect(await charged(world)).toBe(80_000n);
    expect(await world.database.query("SELECT key, status::text FROM refunds")).toEqual([
      { key: `dispute:${disputeId}`, status: "PROCESSED" },
    ]);
    expect(await world.database.query("SELECT status::text FROM payments")).toEqual([
      { status: "REFUNDED" },
    ]);
    expect(await world.request({ paymentId })).toMatchObject({ code: "NOTHING_LEFT" });
    expect((await findings(world)).map(({ kind }) => kind)).toEqual([
      "dispute-lost",
      "payment-disputed",
    ]);
    await runEvents(world);
    expect(await charged(world)).toBe(80_000n);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("of a part that is lost leaves the rest to a refund", async () => {
    const world = await openWorld();
    const { paymentId, disputeId } = await disputed(world, { amountPaise: 40_000n });
    world.sandbox.moveDispute(disputeId, { status: "lost" });
    await runEvents(world);
    expect(await charged(world)).toBe(32_000n);
    await world.request({ paymentId });
    await runRefunds(world);
    expect(world.sandbox.refunds()).toMatchObject([{ amount: 60_000 }]);
    await runRefunds(world);
    expect(await charged(world)).toBe(80_000n);
  });

  it("that two runs read at once is booked once", async () => {
    const world = await openWorld();
    const { disputeId } = await disputed(world);
    world.sandbox.moveDispute(disputeId, { status: "lost" });
    await Promise.all([runEvents(world), runEvents(world), runEvents(world)]);
    expect(await charged(world)).toBe(80_000n);
    expect(await world.database.query("SELECT count(*)::int AS n FROM refunds")).toEqual([
      { n: 1 },
    ]);
  });

  it("keeps the hold while another one of the consultant is open", async () => {
    const world = await openWorld();
    const first = await disputed(world);
    const second = await disputed(world, { consultantId: first.plan.consultantId });
    await runEvents(world);
    expect(await holds(world)).toHaveLength(1);
    world.sandbox.moveDispute(first.disputeId, { status: "won" });
    await runEvents(world);
    expect(await holds(world)).toMatchObject([{ released: false }]);
    world.sandbox.moveDispute(second.disputeId, { status: "won" });
    await runEvents(world);
    expect(await holds(world)).toMatchObject([{ released: true }]);
  });

  it("leaves a hold that a person placed", async () => {
    const world = await openWorld();
    const { plan, disputeId } = await disputed(world);
    await world.database.query(
      `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
       VALUES ($1, 'open_dispute', 'a complaint', 'asha')`,
      [plan.consultantId],
    );
    await runEvents(world);
    world.sandbox.moveDispute(disputeId, { status: "won" });
    await runEvents(world);
    expect(await holds(world)).toMatchObject([{ by: "asha", released: false }]);
  });

  it("does not place again a hold that a person released", async () => {
    const world = await openWorld();
    await disputed(world);
    await runEvents(world);
    await world.database.query(
      "UPDATE consultant_holds SET released_at = now(), released_by = 'asha'",
    );
    await runEvents(world);
    expect(await holds(world)).toMatchObject([{ released: true }]);
  });

  it("of a payment that is not ours, of more than it, or of one that went back, is a finding and nothing else", async () => {
    const world = await openWorld();
    const { sandbox, database } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: 5_000n });
    sandbox.createDispute({ paymentId: sandbox.createPayment({ orderId }).id });
    const { disputeId } = await disputed(world, { amountPaise: 100_001n });
    const back = await seedCaptured(world);
    sandbox.refundInDashboard({ paymentId: back.providerPaymentId ?? "" });
    sandbox.createDispute({ paymentId: back.providerPaymentId ?? "" });

    expect((await runEvents(world)).report).toMatchObject({ unmatched: 3, disputed: 0 });
    expect(await holds(world)).toEqual([]);
    sandbox.changePaymentsBalance({ addPaise: 1_000_000 });
    sandbox.moveDispute(disputeId, { status: "lost" });
    expect((await runEvents(world)).verdict).toMatchObject({ code: "records-differ" });
    expect(await charged(world)).toBe(0n);
    expect((await findings(world)).filter(({ kind }) => kind === "dispute-unmatched")).toHaveLength(
      3,
    );
    expect(await database.query("SELECT unmatched FROM disputes ORDER BY unmatched")).toEqual([
      { unmatched: "exceeds-payment" },
      { unmatched: "payment-refunded" },
      { unmatched: "unknown-payment" },
    ]);
  });

  it("is followed when it is older than what the list still shows", async () => {
    const raised = new Date(Date.now() - 170 * 86_400_000);
    const world = await openWorld({ clock: { now: () => raised, monotonicMs: () => 0 } });
    const { disputeId } = await disputed(world);
    await runEvents(world);
    world.sandbox.moveDispute(disputeId, { status: "lost" });
    await runEvents(world);
    expect(await charged(world)).toBe(80_000n);
  });
});

describe("a refund of a disputed payment", () => {
  it("is refused, and says what to do", async () => {
    const world = await openWorld();
    const { paymentId, disputeId } = await disputed(world);
    await runEvents(world);
    const refused = await world.request({ paymentId });
    expect(refused).toMatchObject({ kind: "refused", code: "DISPUTE_OPEN" });
    expect(refused).toHaveProperty("message", expect.stringContaining("may pay twice"));
    world.sandbox.moveDispute(disputeId, { status: "won" });
    await runEvents(world);
    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
  });

  it("that was due is not sent, and is sent when the dispute is won", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, disputeId } = await disputed(world, { walletPaise: 5_000n });
    await world.request({ paymentId });
    await runEvents(world);

    const { verdict, report } = await runRefunds(world);
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(verdict).toHaveProperty("warning", expect.stringContaining("dispute"));
    expect(report).toMatchObject({ disputed: 2, found: 0, due: 0 });
    expect(sandbox.refunds()).toEqual([]);

    sandbox.moveDispute(disputeId, { status: "won" });
    await runEvents(world);
    expect((await runRefunds(world)).report).toMatchObject({ disputed: 0, found: 2 });
    expect(sandbox.refunds()).toMatchObject([{ amount: 100_000 }]);
  });

  it("that was due is given up when the dispute is lost: the buyer is paid once", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, disputeId } = await disputed(world);
    await world.request({ paymentId });
    await runEvents(world);
    sandbox.moveDispute(disputeId, { status: "lost" });
    await runEvents(world);
    await runRefunds(world);

    expect(sandbox.refunds()).toEqual([]);
    expect(await legRows(world.database)).toMatchObject([
      { state: "FAILED", failure_code: "DISPUTE_LOST" },
      { state: "PROCESSED" },
    ]);
    expect(await charged(world)).toBe(80_000n);
    expect(await world.database.query("SELECT status::text FROM payments")).toEqual([
      { status: "REFUNDED" },
    ]);
  });

  it("that is at the provider leaves nothing for the dispute, which is a finding", async () => {
    const world = await openWorld();
    const { sandbox } = world;
    const { paymentId, disputeId } = await disputed(world);
    await world.request({ paymentId });
    sandbox.addFaults({ on: "POST /payments/:id/refund", endState: "pending" });
    await runRefunds(world);
    sandbox.changePaymentsBalance({ addPaise: 1_000_000 });
    sandbox.moveDispute(disputeId, { status: "lost" });
    expect((await runEvents(world)).report).toMatchObject({ unmatched: 1, lost: 0 });
    expect(await charged(world)).toBe(0n);
  });

  it("captured late waits for the end of the dispute, and is not booked again", async () => {
    const world = await openWorld();
    const { sandbox, database } = world;
    const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
    const { id: providerPaymentId } = sandbox.createPayment({ orderId });
    await seedPaid(database, { providerPaymentId, status: "ORPHANED" });
    const dispute = sandbox.createDispute({ paymentId: providerPaymentId });
    await runEvents(world);
    expect(await holds(world)).toEqual([]);

    expect((await runLate({ ...world, dryRun: true })).report).toMatchObject({ skipped: 1 });
    const { verdict, report } = await runLate(world);
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.items).toMatchObject([{ outcome: "skipped", code: "DISPUTE_OPEN" }]);
    sandbox.moveDispute(dispute.id, { status: "lost" });
    await runEvents(world);
    expect((await runLate(world)).report).toMatchObject({ booked: 0, refunded: 0 });
    expect(sandbox.refunds()).toEqual([]);
  });
});

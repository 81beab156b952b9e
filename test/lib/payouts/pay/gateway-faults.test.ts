import { describe, expect, it } from "vitest";
import type { Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { countByStatus, digestOf, failed, inFlight, untouched, viewOf } from "../rows.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();

const payoutsFailed = { kind: "partial", reason: "payouts-failed" };
const outcomeUnknown = { kind: "partial", reason: "outcome-unknown" };
const onPayout = (fault: Omit<Fault, "on">): Fault => ({ on: "POST /payouts", ...fault });

describe("a fault of the provider in the middle of a run", () => {
  it.each([
    ["credentials", { status: 401 }],
    ["not-allow-listed", { status: 403 }],
    ["rate-limited", { status: 429 }],
    ["insufficient-balance", { lowBalance: true }],
  ] as const)(
    "%s: what was paid stands, the rest is approved and no try counted",
    async (code, fault) => {
      await seedApprovedPayouts(world.database, { count: 40 });
      world.sandbox.addFaults(everyPayout({ skip: 5, ...fault }));

      const { verdict, report } = await world.run();

      expect(verdict).toMatchObject({ kind: "failed", code });
      expect(report).toMatchObject({
        found: 40,
        succeeded: 5,
        completed: 5,
        failed: 0,
        unknown: 0,
      });
      expect(await countByStatus(world.database)).toEqual({ APPROVED: 35, COMPLETED: 5 });
      expect(await world.database.query("SELECT 1 FROM payouts WHERE tries <> 0")).toEqual([]);
      const [attempts] = await world.database.query<{ count: bigint }>(
        "SELECT count(*) AS count FROM payout_attempts",
      );
      // Sixteen are in hand at first, and one more for each answer.
      expect(Number(attempts?.count)).toBeLessThanOrEqual(5 + (16 + 5));

      world.sandbox.clearFaults();
      const again = await world.run();
      expect(again.verdict).toEqual({ kind: "completed" });
      expect(again.report).toMatchObject({ found: 35, succeeded: 35, completed: 35 });
    },
  );

  it.each([
    ["503", { status: 503 }],
    ["a closed connection", { dropBefore: true }],
    ["half an answer", { malformed: true }],
  ] as const)("no usable answer five times in a row (%s) stops it", async (_title, fault) => {
    await seedApprovedPayouts(world.database, { count: 60 });
    world.sandbox.addFaults(everyPayout({ skip: 3, ...fault }));

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code: "gateway-down" });
    expect(report.succeeded).toBe(3);
    expect(report.unknown).toBeGreaterThanOrEqual(5);
    expect(report.unknown).toBeLessThanOrEqual(5 + 15);
    expect(await countByStatus(world.database)).toEqual({
      APPROVED: 57 - report.unknown,
      COMPLETED: 3,
      PROCESSING: report.unknown,
    });
    const [unsettled] = await world.database.query<{ net: bigint }>(
      "SELECT sum(net_paise)::bigint AS net FROM payouts WHERE status = 'PROCESSING'",
    );
    expect(report.unknownNetPaise).toBe(unsettled?.net);
  });

  it("no contact to be had, time after time, stops it as well", async () => {
    await seedApprovedPayouts(world.database, { count: 60 });
    world.sandbox.addFaults({ on: "POST /contacts", times: -1, status: 503 });

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code: "gateway-down" });
    expect(report.skipped).toBeLessThanOrEqual(5 + 15);
    expect(await countByStatus(world.database)).toEqual({ APPROVED: 60 });
    expect(world.callsTo("POST /payouts")).toBe(0);
  });

  it("single unknown outcomes between good answers do not stop it", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: 30 });
    for (const { accountNumber = "" } of payouts.filter((_, index) => index % 10 === 0)) {
      world.sandbox.addFaults(onPayout({ match: { account_number: accountNumber }, status: 503 }));
    }
    const { verdict, report } = await world.run();
    expect(verdict).toMatchObject(outcomeUnknown);
    expect(report).toMatchObject({ processed: 30, succeeded: 27, unknown: 3 });
  });

  it("one refused payout does not touch the others", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: 20 });
    const { accountNumber = "", id } = payouts[7] ?? payouts[0] ?? { id: "" };
    world.sandbox.addFaults(
      onPayout({
        match: { account_number: accountNumber },
        status: 400,
        error: { reason: "bank_account_invalid" },
      }),
    );

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({
      ...payoutsFailed,
      message: "19 of 20 payouts were sent; 1 failed.",
    });
    expect(report).toMatchObject({ processed: 20, succeeded: 19, completed: 19, failed: 1 });
    expect(await viewOf(world.database, id)).toEqual(failed("REFUSED bank_account_invalid"));
    const [sums] = await world.database.query<{ net: bigint; amount: bigint }>(
      "SELECT sum(net_paise)::bigint AS net, sum(amount_paise)::bigint AS amount FROM payouts WHERE status = 'COMPLETED'",
    );
    expect(report).toMatchObject({ netPaise: sums?.net, grossPaise: sums?.amount });
  });
});

describe("the harmless read before the first claim", () => {
  const onList = (fault: Omit<Fault, "on" | "times">): Fault => ({
    on: "GET /payouts",
    times: -1,
    ...fault,
  });

  it.each([
    ["credentials", onList({ status: 401 })],
    ["not-allow-listed", onList({ status: 403 })],
    ["rate-limited", onList({ status: 429 })],
    ["wrong-address", onList({ status: 404 })],
    ["gateway-down", onList({ status: 500 })],
    ["gateway-down", onList({ hang: true })],
    ["gateway-down", onList({ dropBefore: true })],
    ["gateway-down", onList({ malformed: true })],
    ["account-refused", onList({ status: 400, error: { field: "account_number" } })],
  ])("ends the run as %s and touches no row", async (code, fault) => {
    await seedApprovedPayouts(world.database, { count: 3 });
    world.sandbox.addFaults(fault);
    const before = await digestOf(world.database);

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code });
    expect(report).toMatchObject({ found: 3, processed: 0, skipped: 0 });
    expect(await digestOf(world.database)).toEqual(before);
    expect(world.sandbox.calls().some(({ mutating }) => mutating)).toBe(false);
  });

  it("says that the account number is refused, for one that is not ours", async () => {
    await world.payout();
    const { verdict } = await world.run({ razorpayX: { accountNumber: "7878780080310000" } });
    expect(verdict).toMatchObject({
      kind: "failed",
      code: "account-refused",
      message: expect.stringContaining("account_number") as string,
    });
  });

  it("says that nothing listens where the provider should be", async () => {
    const payout = await world.payout();
    const { verdict } = await world.run({ razorpayX: { baseUrl: "http://127.0.0.1:1/v1" } });
    expect(verdict).toMatchObject({ kind: "failed", code: "gateway-unreachable" });
    expect(await viewOf(world.database, payout.id)).toEqual(untouched);
  });

  it("is not made when nothing is due", async () => {
    const { verdict, report } = await world.run();
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.found).toBe(0);
    expect(world.sandbox.callCount()).toBe(0);
  });
});

describe("the list read after the last payout", () => {
  it.each([
    ["503", { status: 503 }],
    ["401", { status: 401 }],
    ["400", { status: 400 }],
    ["no answer", { hang: true }],
    ["half an answer", { malformed: true }],
    ["a closed connection", { dropBefore: true }],
  ] as const)("changes nothing when it fails (%s)", async (_title, fault) => {
    const payout = await world.payout();
    world.sandbox.addFaults({ on: "GET /payouts", skip: 1, times: -1, ...fault });

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({
      kind: "completed",
      note: expect.stringContaining("1 payout (") as string,
    });
    expect(report).toMatchObject({ succeeded: 1, completed: 0 });
    expect(await viewOf(world.database, payout.id)).toEqual(inFlight);
  });

  it("finds this run's payouts among more than one page", async () => {
    await seedApprovedPayouts(world.database, { count: 230 });
    const { report } = await world.run({ razorpayX: { timeoutMs: 30_000 } });
    expect(report).toMatchObject({ succeeded: 230, completed: 230 });
  });
});

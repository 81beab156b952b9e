import { describe, expect, it } from "vitest";
import { LeaseLostError, type Lease } from "../../../../lib/support/lease.ts";
import { checkMoneyInvariants, seedApprovedPayouts } from "../../../support/payout-world.ts";
import { countByStatus, digestOf, paid, untouched, viewOf } from "../rows.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

/** A lease that is trusted so many times and then no more; like the real one, it tells the harness. */
function leaseFor(times: number, lost?: AbortController): Lease & { asked: () => number } {
  let asked = 0;
  return {
    fence: 5n,
    asked: () => asked,
    assertTrusted() {
      if (++asked <= times) return;
      lost?.abort();
      throw new LeaseLostError("payouts/process-payouts");
    },
  };
}

describe("a lease that ends in the middle of a run", () => {
  it.each([0, 1, 2, 3, 4, 7, 11, 18, 25])(
    "after %i questions: nothing is sent any more, and nothing is claimed",
    async (times) => {
      await seedApprovedPayouts(world.database, { count: 40 });
      const lease = leaseFor(times);
      let sentTooLate = 0;

      const { verdict, report } = await world.run({
        lease,
        wrapGateway: (gateway) => ({
          ...gateway,
          createPayout: (request, options) => {
            if (lease.asked() > times) sentTooLate++;
            return gateway.createPayout(request, options);
          },
        }),
      });

      expect(verdict).toEqual({ kind: "interrupted" });
      expect(sentTooLate).toBe(0);
      const counts = await countByStatus(world.database);
      expect(report.succeeded).toBe(counts["COMPLETED"] ?? 0);
      // Those in hand when trust ended stay claimed for the next run; no other was touched.
      // Sixteen in hand at first, and one more for each answer.
      expect(counts["APPROVED"] ?? 0).toBeGreaterThanOrEqual(40 - 16 - 2 * report.succeeded);
      await expectNextRunPaysAll({ inDoubt: report.unknown });
    },
  );

  it("in a run of one payout, at each question in turn: never completed, never lost", async () => {
    for (const [times, becomes] of [
      [0, { status: "APPROVED", attempts: [] }],
      [1, { status: "PROCESSING", attempts: [] }],
      [2, { status: "PROCESSING", attempts: [] }],
      [3, { status: "PROCESSING", attempts: ["PREPARED"] }],
    ] as const) {
      const payout = await world.payout();
      const sent = world.callsTo("POST /payouts");
      const { verdict, report } = await world.run({
        lease: leaseFor(times, new AbortController()),
      });
      expect(verdict).toEqual({ kind: "interrupted" });
      expect(report).toMatchObject({ succeeded: 0, unknown: times === 3 ? 1 : 0 });
      expect(await viewOf(world.database, payout.id)).toMatchObject(becomes);
      expect(world.callsTo("POST /payouts")).toBe(sent);
      if (times === 3) break;
      await world.run({ lease: { fence: 6n, assertTrusted: () => undefined } });
      expect(await viewOf(world.database, payout.id)).toEqual(paid);
    }
  });

  it("that fires the signal, as the harness does: interrupted", async () => {
    await seedApprovedPayouts(world.database, { count: 10 });
    const lost = new AbortController();
    const { verdict } = await world.run({ lease: leaseFor(9, lost), signal: lost.signal });
    expect(verdict).toEqual({ kind: "interrupted" });
  });

  it("before a payout that tax takes up entirely: its books are not touched", async () => {
    const payout = await world.payout({
      panStatus: "missing",
      payouts: [{ earnings: [{ grossPaise: 1_000_00n, platformFeePaise: 960_00n }] }],
    });
    await world.run({ lease: leaseFor(1) });
    expect(await viewOf(world.database, payout.id)).toMatchObject({
      status: "PROCESSING",
      booked: false,
    });
    await world.run({ lease: { fence: 6n, assertTrusted: () => undefined } });
    expect(await viewOf(world.database, payout.id)).toEqual({ ...paid, attempts: [] });
  });
});

describe("a run that is told to stop", () => {
  it("finishes what is in hand, leaves the rest untouched, and claims nothing for nobody", async () => {
    await seedApprovedPayouts(world.database, { count: 60 });
    const stop = new AbortController();
    let sent = 0;

    const { verdict, report } = await world.run({
      signal: stop.signal,
      wrapGateway: (gateway) => ({
        ...gateway,
        createPayout: (request, options) => {
          if (++sent === 10) stop.abort();
          return gateway.createPayout(request, options);
        },
      }),
    });

    expect(verdict).toEqual({ kind: "interrupted" });
    expect(report.succeeded).toBe(sent);
    // Ten, and what is in hand by then: sixteen, and one more for each answer.
    expect(sent).toBeLessThanOrEqual(10 + (16 + 10));
    expect(report.completed).toBe(0);
    expect(report.items.filter(({ code }) => code !== "STOPPING")).toEqual([]);
    const claimedForNobody = await world.database.query(
      `SELECT 1 FROM payouts WHERE status = 'PROCESSING'
       AND NOT EXISTS (SELECT 1 FROM payout_attempts WHERE payout_id = payouts.id)`,
    );
    expect(claimedForNobody).toEqual([]);
    expect(await countByStatus(world.database)).toEqual({ APPROVED: 60 - sent, PROCESSING: sent });

    const again = await world.run();
    expect(again.report).toMatchObject({ found: 60 - sent, completed: 60 - sent });
    expect(world.sandbox.payouts()).toHaveLength(60);
  });

  it("before it begins touches nothing", async () => {
    const payout = await world.payout();
    const { verdict, report } = await world.run({ signal: AbortSignal.abort() });
    expect(verdict).toEqual({ kind: "interrupted" });
    expect(report).toMatchObject({ found: 1, processed: 0, skipped: 0 });
    expect(await viewOf(world.database, payout.id)).toEqual(untouched);
    expect(world.callsTo("POST /payouts")).toBe(0);
  });

  it("with its last payout already sent is completed all the same", async () => {
    const payout = await world.payout();
    const stop = new AbortController();
    const { verdict, report } = await world.run({
      signal: stop.signal,
      wrapGateway: (gateway) => ({
        ...gateway,
        createPayout: async (request, options) => {
          const answer = await gateway.createPayout(request, options);
          stop.abort();
          return answer;
        },
      }),
    });
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 1, completed: 0 });
    expect((await viewOf(world.database, payout.id)).status).toBe("PROCESSING");
  });

  it("does not wait for answers that never come: their outcome is unknown, the run interrupted", async () => {
    await seedApprovedPayouts(world.database, { count: 30 });
    const stop = new AbortController();
    world.sandbox.addFaults({ on: "POST /payouts", times: -1, hang: true, accept: true });
    let sent = 0;
    const { verdict, report } = await world.run({
      signal: stop.signal,
      razorpayX: { timeoutMs: 120_000 },
      wrapGateway: (gateway) => ({
        ...gateway,
        createPayout: (request, options) => {
          // Five are under way at most while none was accepted.
          if (++sent === 4) stop.abort();
          return gateway.createPayout(request, options);
        },
      }),
    });
    expect(verdict).toEqual({ kind: "interrupted" });
    expect(report).toMatchObject({ succeeded: 0, failed: 0, unknown: sent });
    const reasons = report.items.filter(({ outcome }) => outcome === "unknown");
    expect(new Set(reasons.map(({ code }) => code))).toEqual(new Set(["interrupted"]));
    expect(await countByStatus(world.database)).toEqual({ APPROVED: 30 - sent, PROCESSING: sent });
  });

  it("while it asks for a contact gives the payout back as stopping", async () => {
    const payout = await world.payout();
    const stop = new AbortController();
    world.sandbox.addFaults({ on: "POST /contacts", times: -1, hang: true });
    const { verdict, report } = await world.run({
      signal: stop.signal,
      razorpayX: { timeoutMs: 120_000 },
      wrapGateway: (gateway) => ({
        ...gateway,
        createContact: (input, options) => {
          stop.abort();
          return gateway.createContact(input, options);
        },
      }),
    });
    expect(verdict).toEqual({ kind: "interrupted" });
    expect(report.items).toMatchObject([{ code: "STOPPING", outcome: "skipped" }]);
    expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "APPROVED", tries: 0 });
  });

  it("while it plans: interrupted, nothing written", async () => {
    await seedApprovedPayouts(world.database, { count: 3 });
    const before = await digestOf(world.database);
    const { verdict } = await world.run({ dryRun: true, signal: AbortSignal.abort() });
    expect(verdict).toEqual({ kind: "interrupted" });
    expect(await digestOf(world.database)).toEqual(before);
  });
});

async function expectNextRunPaysAll({ inDoubt }: { inDoubt: number }): Promise<void> {
  await checkMoneyInvariants(world.database, world.sandbox);
  const { verdict } = await world.run({ lease: { fence: 6n, assertTrusted: () => undefined } });
  expect(verdict).toMatchObject({ kind: "completed" });
  const { COMPLETED = 0, PROCESSING = 0 } = await countByStatus(world.database);
  expect([COMPLETED, PROCESSING]).toEqual([40 - inDoubt, inDoubt]);
}

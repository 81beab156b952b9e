import { describe, expect, it } from "vitest";
import type { Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { countByStatus } from "../rows.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();

/** How the provider leaves a reason out, or fills one in that says nothing. */
const REASONS: readonly [name: string, error: NonNullable<Fault["error"]>][] = [
  ["null", { reason: null, source: null }],
  ["NA", { reason: "NA", source: "NA", step: "NA" }],
  ["absent", { without: ["reason", "source", "step", "metadata"] }],
  ["input_validation_failed", { reason: "input_validation_failed" }],
];

const FAULTS: readonly [code: string, description: string][] = [
  [
    "insufficient-balance",
    "Your account does not have enough balance to carry out the payout operation.",
  ],
  ["not-allow-listed", "Transactions from this IP are not allowed. Contact support for help."],
  ["wrong-address", "The requested URL was not found on the server."],
];

async function triesCounted(): Promise<number> {
  const rows = await world.database.query<{ tries: bigint }>(
    "SELECT coalesce(sum(tries), 0) AS tries FROM payouts",
  );
  return Number(rows[0]?.tries);
}

describe("a fault of every request that the provider tells by its words alone", () => {
  it.each(
    FAULTS.flatMap(([code, description]) =>
      REASONS.map(([name, error]) => [code, name, { ...error, description }] as const),
    ),
  )("%s, with the reason %s, stops the run and leaves payouts approved", async (code, _, error) => {
    await seedApprovedPayouts(world.database, { count: 6 });
    world.sandbox.addFaults(everyPayout({ status: 400, error, oldBody: true }));

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code });
    expect(report).toMatchObject({ succeeded: 0, failed: 0, unknown: 0 });
    expect(await countByStatus(world.database)).toEqual({ APPROVED: 6 });
    expect(await triesCounted()).toBe(0);
  });

  it.each(["POST /contacts", "POST /fund_accounts"] as const)(
    "stops it at %s as well",
    async (on) => {
      await seedApprovedPayouts(world.database, { count: 6 });
      const description = "The requested URL was not found on the server.";
      const error = { description, reason: null };
      world.sandbox.addFaults({ on, times: -1, status: 400, error });

      const { verdict } = await world.run();

      expect(verdict).toMatchObject({ kind: "failed", code: "wrong-address" });
      expect(await countByStatus(world.database)).toEqual({ APPROVED: 6 });
      expect(await triesCounted()).toBe(0);
      expect(world.callsTo("POST /payouts")).toBe(0);
    },
  );

  it("ends the harmless read before the first claim", async () => {
    await seedApprovedPayouts(world.database, { count: 3 });
    const description = "The requested URL was not found on the server.";
    const error = { description, reason: "NA" };
    world.sandbox.addFaults({ on: "GET /payouts", times: -1, status: 400, error });

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code: "wrong-address" });
    expect(report).toMatchObject({ found: 3, processed: 0 });
    expect(world.sandbox.calls().some(({ mutating }) => mutating)).toBe(false);
  });
});

describe("a refusal that is none", () => {
  it.each<[string, NonNullable<Fault["error"]>]>([
    [
      "a payout under this key exists",
      { description: "Different request body sent for the same Idempotency Header." },
    ],
    ["the source is internal", { source: "internal" }],
    ["the reason is server_error", { reason: "server_error" }],
    [
      "the provider has some trouble",
      {
        description:
          "We are facing some trouble completing your request at the moment. Please try again shortly.",
        reason: null,
      },
    ],
  ])("leaves the payout in processing where %s, although it was accepted", async (_, error) => {
    await seedApprovedPayouts(world.database, { count: 3 });
    world.sandbox.addFaults(everyPayout({ status: 400, accept: true, error }));

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "partial", reason: "outcome-unknown" });
    expect(report).toMatchObject({ failed: 0, unknown: 3 });
    expect(await countByStatus(world.database)).toEqual({ PROCESSING: 3 });
    const linked = await world.database.query(
      "SELECT 1 FROM earnings WHERE status::text = 'READY'",
    );
    expect(linked).toEqual([]);
    expect(world.sandbox.payouts().filter(({ live }) => live)).toHaveLength(3);
  });
});

describe("a provider that refuses all with one description", () => {
  const refused = { status: 400, error: { description: "Payouts are on hold", reason: "NA" } };

  it.each([0, 3])("gets no sixth request after %i that it accepted", async (skip) => {
    await seedApprovedPayouts(world.database, { count: 30 });
    world.sandbox.addFaults(everyPayout({ skip, ...refused }));

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "failed", code: "provider-refuses-all" });
    expect(JSON.stringify(verdict)).toContain("Payouts are on hold");
    expect(world.callsTo("POST /payouts")).toBe(skip + 5);
    expect(report).toMatchObject({ succeeded: skip, failed: 5, unknown: 0 });
    expect(await countByStatus(world.database)).toEqual({
      APPROVED: 25 - skip,
      FAILED: 5,
      ...(skip === 0 ? {} : { COMPLETED: skip }),
    });
    expect(await triesCounted()).toBe(5);
    const open = await world.database.query(
      "SELECT 1 FROM payout_attempts WHERE state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')",
    );
    expect(open).toEqual([]);

    world.sandbox.clearFaults();
    const again = await world.run();
    expect(again.verdict).toEqual({ kind: "completed" });
    expect(again.report).toMatchObject({ succeeded: 25 - skip });
  });

  it.each(["POST /contacts", "POST /fund_accounts"] as const)(
    "gets no sixth %s either",
    async (on) => {
      await seedApprovedPayouts(world.database, { count: 20 });
      world.sandbox.addFaults({ on, times: -1, ...refused });

      const { verdict, report } = await world.run();

      expect(verdict).toMatchObject({ kind: "failed", code: "provider-refuses-all" });
      expect(world.callsTo(on)).toBe(5);
      expect(report).toMatchObject({ failed: 5 });
      expect(await countByStatus(world.database)).toEqual({ APPROVED: 15, FAILED: 5 });
    },
  );

  it("goes on where another description, or an accepted payout, comes between", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: 20 });
    // Four of one description, four of another, and so on: never five alike.
    for (const [index, { accountNumber = "" }] of payouts.entries()) {
      const description = `Refused for cause ${"ABCDE".charAt(Math.floor(index / 4))}`;
      world.sandbox.addFaults({
        on: "POST /payouts",
        match: { account_number: accountNumber },
        status: 400,
        error: { description },
      });
    }

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(report).toMatchObject({ failed: 20 });
  });
});

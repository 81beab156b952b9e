import { describe, expect, it } from "vitest";
import type { Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import { PAYOUT_REASONS } from "../../../../scripts/sandbox/razorpay/payout-reasons.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { countByStatus } from "../rows.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();

interface Listed {
  status: string;
  status_details: { reason: string; source: string } | null;
}

async function listed(): Promise<Listed[]> {
  const { env } = world.sandbox;
  const response = await fetch(
    `${env.RAZORPAY_BASE_URL}/payouts?account_number=${env.RAZORPAYX_ACCOUNT_NUMBER}&count=100`,
    {
      headers: {
        authorization: `Basic ${btoa(`${env.RAZORPAYX_KEY_ID}:${env.RAZORPAYX_KEY_SECRET}`)}`,
      },
    },
  );
  return ((await response.json()) as { items: Listed[] }).items;
}

/** How a payout gets to a state and its reason. */
function courseTo(state: string, reason: string): Partial<Fault> {
  switch (state) {
    case "failed":
      return { endState: "failed", endReason: reason };
    case "processing":
      return { endState: "processing", endReason: reason };
    case "processed":
      return { initialState: "processed", endReason: reason };
    case "pending":
      return { initialState: "pending", endReason: reason };
    default:
      return { initialState: "queued", endReason: reason };
  }
}

describe("the documented reasons", () => {
  it("are 35, each once", () => {
    expect(PAYOUT_REASONS).toHaveLength(35);
    expect(new Set(PAYOUT_REASONS.map(({ reason }) => reason)).size).toBe(35);
  });

  it("all come through sandbox, run and report, with their source and state", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: PAYOUT_REASONS.length });
    for (const [index, { reason, states }] of PAYOUT_REASONS.entries()) {
      const match = { account_number: payouts[index]?.accountNumber ?? "" };
      const course = courseTo(states[0] ?? "", reason);
      world.sandbox.addFaults({ on: "POST /payouts", match, ...course });
    }

    const { report } = await world.run();

    const shown = (await listed()).map(
      ({ status, status_details: details }) =>
        `${status}: ${details?.reason ?? ""} of ${details?.source ?? ""}`,
    );
    // What waits for money leaves the queue with the first payout that fails.
    const lasting = PAYOUT_REASONS.filter(({ reason }) => reason !== "low_balance");
    expect(shown).toEqual(
      expect.arrayContaining(
        lasting.map(({ reason, source, states }) => `${states[0] ?? ""}: ${reason} of ${source}`),
      ),
    );
    const histories = world.sandbox.payouts().flatMap(({ history }) => history);
    expect(histories).toContainEqual(
      expect.objectContaining({ status: "queued", reason: "low_balance" }),
    );
    const failing = PAYOUT_REASONS.filter(({ states }) => states[0] === "failed");
    expect(report.reasons).toEqual(
      Object.fromEntries(failing.map(({ reason }) => [`failed ${reason}`, 1])),
    );
    const codes = await world.database.query<{ code: string }>(
      "SELECT failure_code AS code FROM payouts WHERE status = 'FAILED'",
    );
    expect(new Set(codes.map(({ code }) => code))).toEqual(
      new Set(failing.map(({ reason }) => reason)),
    );
    expect(await countByStatus(world.database)).toMatchObject({ FAILED: failing.length });
  });
});

describe("what an older or odd answer holds", () => {
  it("is told as the reason, where it stands in the older fields alone", async () => {
    await seedApprovedPayouts(world.database, { count: 2 });
    const course = { endState: "failed", endReason: "imps_not_allowed", oldDetails: true } as const;
    world.sandbox.addFaults(everyPayout(course));
    const { report } = await world.run();
    expect(report.reasons).toEqual({ "failed imps_not_allowed": 2 });
  });

  it("is read by every job where a payout has no mode", async () => {
    await seedApprovedPayouts(world.database, { count: 3 });
    world.sandbox.addFaults(everyPayout({ noMode: true, endState: "processing" }));
    const { verdict, report } = await world.run();
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 3, unknown: 0 });

    for (const { id } of world.sandbox.payouts())
      world.sandbox.movePayout(id, { status: "processed" });
    const options = { database: world.database, sandbox: world.sandbox };
    expect((await runReconcile(options)).report).toMatchObject({ read: 3, settled: 3 });
    expect(await countByStatus(world.database)).toEqual({ COMPLETED: 3 });
  });

  it("has no reason where the provider writes NA", async () => {
    await seedApprovedPayouts(world.database, { count: 2 });
    const error = { reason: "NA", description: "The fund account is inactive" };
    world.sandbox.addFaults(everyPayout({ status: 400, error }));
    const { report } = await world.run();
    expect(report.reasons).toEqual({ "failed BAD_REQUEST_ERROR": 2 });
  });
});

describe("a payout that an approver rejects", () => {
  it("fails, and its earnings are free for the next batch", async () => {
    await seedApprovedPayouts(world.database, { count: 2 });
    world.sandbox.addFaults(everyPayout({ endState: "rejected" }));

    await world.run();
    await runStuck({ database: world.database, sandbox: world.sandbox });

    expect(
      world.sandbox.payouts().map(({ history }) => history.map(({ status }) => status)),
    ).toEqual([
      ["pending", "rejected"],
      ["pending", "rejected"],
    ]);
    expect(await countByStatus(world.database)).toEqual({ FAILED: 2 });
    const earnings = await world.database.query<{ status: string }>(
      "SELECT DISTINCT status::text AS status FROM earnings",
    );
    expect(earnings).toEqual([{ status: "READY" }]);
    expect(world.sandbox.account().debitsPaise).toBe(0);
  });
});

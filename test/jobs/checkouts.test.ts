import { randomUUID } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { seedBooking, seedPlan, type SeededBooking } from "../../scripts/dev/seed/bookings.ts";
import { checkoutState } from "../support/checkout-world.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const CANCEL = "jobs/payments/cancel-pending.ts";

async function openWorld(): Promise<{
  database: TestDatabase;
  booking: SeededBooking;
  run: (file: string, args?: string[]) => Promise<ScriptResult>;
}> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const { id: orderId } = sandbox.createOrder({ amountPaise: 100_000n });
  const booking = await seedBooking(database, {
    plan: await seedPlan(database, { kind: "consultation" }),
    slotsAgedHours: 25,
    checkout: { orderId },
  });
  const env = { ...sandbox.env, DATABASE_URL: database.url };
  return { database, booking, run: (file, args = []) => runScript(file, { args, env }) };
}

describe("cancel-pending", () => {
  it("cancels one checkout of its user, and then says that there is none left to cancel", async () => {
    const { database, booking, run } = await openWorld();
    const args = ["--payment-id", booking.paymentId ?? "", "--user-id", booking.userId];

    const planned = await run(CANCEL, [...args, "--dry-run"]);
    expect(planned, planned.stderr).toMatchObject({ exitCode: 0 });
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["PENDING"] });

    const done = await run(CANCEL, args);
    expect(done, done.stderr).toMatchObject({ exitCode: 0 });
    expect(done.stdout).toContain("cancelled");
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["EXPIRED"] });

    const again = await run(CANCEL, args);
    expect(again.exitCode).toBe(1);
    expect(again.stdout).toContain("failed (conflict)");
  });

  it("does not find the checkout of somebody else", async () => {
    const { database, booking, run } = await openWorld();
    const end = await run(CANCEL, [
      "--payment-id",
      booking.paymentId ?? "",
      "--user-id",
      randomUUID(),
    ]);
    expect(end.exitCode).toBe(1);
    expect(end.stdout).toContain("failed (not-found)");
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["PENDING"] });
  });

  it.each([
    ["without a user", (paymentId: string) => ["--payment-id", paymentId], "--user-id"],
    ["without a payment", () => ["--user-id", randomUUID()], "--payment-id"],
    [
      "with an empty id",
      (paymentId: string) => ["--payment-id", paymentId, "--user-id", ""],
      "expected a UUID",
    ],
  ])("%s changes nothing", async (_how, args, said) => {
    const { database, booking, run } = await openWorld();
    const end = await run(CANCEL, args(booking.paymentId ?? ""));
    expect(end.exitCode).toBe(2);
    expect(end.stdout).toContain(said);
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["PENDING"] });
  });
});

describe("the jobs of old holds", () => {
  it("run from their files, one after the other", async () => {
    const { database, booking, run } = await openWorld();
    for (const file of [
      "jobs/slots/cleanup-tentative-slots.ts",
      "jobs/payments/reconcile-late-captures.ts",
    ]) {
      const end = await run(file);
      expect(end, end.stdout + end.stderr).toMatchObject({ exitCode: 0 });
    }
    expect(await checkoutState(database, booking.id)).toMatchObject({ payments: ["EXPIRED"] });
    expect(await database.query("SELECT asked_at IS NOT NULL AS asked FROM payments")).toEqual([
      { asked: true },
    ]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { seedBooking, seedPlan } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { eventState, seedEvent } from "../support/event-world.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

let database: TestDatabase;
let sandbox: Sandbox;
beforeEach(async () => {
  database = await createTestDatabase();
  sandbox = await startSandbox();
});
afterEach(async () => {
  await sandbox.close();
  await database.drop();
});

const plans = (...args: string[]): Promise<ScriptResult> =>
  runScript("scripts/cli/plans.ts", { args, env: { DATABASE_URL: database.url, USER: "asha" } });

const BECAUSE = ["--reason", "the speaker is ill"];

describe("plans", () => {
  it("cancels an event by name and reason, and shows before and after what there is", async () => {
    const { plan } = await seedEvent(database, sandbox);
    const listed = await plans("list", "--ahead");
    expect(listed).toMatchObject({ exitCode: 0, stderr: "" });
    expect(listed.stdout).toContain(plan.id);

    const planned = await plans("cancel", plan.id, ...BECAUSE, "--dry-run");
    expect(planned.exitCode).toBe(0);
    expect(planned.stdout).toMatch(/^would be cancelled {2}/);
    expect(planned.stdout).toMatch(/Refunds that would be asked for +2, ₹2,300\.00/);
    expect(await eventState(database, plan.id)).toMatchObject({ plan: null });

    const done = await plans("cancel", plan.id, ...BECAUSE, "--by", "Ravi");
    expect(done).toMatchObject({ exitCode: 0, stderr: "" });
    expect(done.stdout).toMatch(/^cancelled {2}/);
    expect(done.stdout).toMatch(/Bookings that were ended +4/);
    expect(done.stdout).toMatch(/Refunds that were asked for +2, ₹2,300\.00/);
    expect(done.stdout).toMatch(/Cancelled by their buyers before, money kept +1, ₹1,000\.00/);
    expect(await eventState(database, plan.id)).toMatchObject({ plan: "Ravi: the speaker is ill" });

    const shown = (await plans("show", plan.id)).stdout;
    expect(shown).toMatch(/Cancelled +.* by Ravi/);
    expect(shown).toMatch(/Refunds of it\n.*\n +PENDING +2 +₹2,300\.00/);
    expect(shown).toMatch(/Ravi +cancelled +the speaker is ill/);
    const json = JSON.parse((await plans("show", plan.id, "--json")).stdout) as unknown;
    expect(json).toMatchObject({ cancellation: { bookingsToEnd: 0, keptBeforeRupees: "1000.00" } });
    expect((await plans("list", "--ahead", "--cancelled", "--json")).stdout).toContain(plan.id);
  });

  it("names what could not be done with its remedy, and is not done then", async () => {
    const plan = await seedPlan(database, { capacity: 1 });
    const { reference } = await seedBooking(database, {
      plan,
      status: "CONFIRMED",
      checkout: { status: "PAID" },
    });
    await database.query(
      `BEGIN; SET LOCAL session_replication_role = replica;
       UPDATE payments SET provider_payment_id = NULL; COMMIT`,
    );
    const { exitCode, stdout } = await plans("cancel", plan.id, ...BECAUSE);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`not done  booking ${reference}`);
    expect(stdout).toContain("NO_PROVIDER_PAYMENT");
    expect(stdout).toContain("cancel again");
    expect((await plans("show", plan.id)).stdout).toMatch(/₹1,000\.00 +NO_PROVIDER_PAYMENT/);
  });

  it("refuses what has begun, what there is not and what is no plan", async () => {
    const { plan } = await seedEvent(database, sandbox, { startsInHours: -1 });
    expect(await plans("cancel", plan.id, ...BECAUSE)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("--although-begun") as string,
    });
    const nobody = "00000000-0000-4000-8000-000000000000";
    expect((await plans("show", nobody)).exitCode).toBe(1);
    expect((await plans("cancel", nobody, ...BECAUSE)).exitCode).toBe(1);
    expect((await plans("cancel", plan.id)).exitCode).toBe(2);
    expect((await plans("cancel", "yoga", ...BECAUSE)).exitCode).toBe(2);
  });
});

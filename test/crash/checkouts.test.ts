import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import {
  seedBooking,
  seedPlan,
  seedWallet,
  type SeededBooking,
} from "../../scripts/dev/seed/bookings.ts";
import { releaseHold } from "../../lib/checkouts/release-hold.ts";
import { hours } from "../../lib/support/clock.ts";
import { withDb } from "../lib/payouts/sessions.ts";
import {
  followRefunds,
  runCancel,
  runCleanup,
  runLate,
  type CheckoutRun,
} from "../support/checkout-run.ts";
import { checkoutState, walletState } from "../support/checkout-world.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startProcess, type Naming } from "./matrix/process.ts";
import type { Statement } from "./matrix/wire.ts";

/** A world for each of some fifty stops, on however slow a machine. */
const TIMEOUT_MS = 400_000;

const AMOUNT_PAISE = 100_000n;
const HELD_PAISE = 500n;

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  bookings: SeededBooking[];
  walletIds: string[];
  close: () => Promise<void>;
}

interface Scenario {
  open: () => Promise<World>;
  run: (run: CheckoutRun, world: World) => Promise<unknown>;
  /** Steps that must be among those at which it is stopped. */
  steps: readonly RegExp[];
}

describe("a job of checkouts, stopped dead before and after each step and run again", () => {
  it("cleanup-tentative-slots: ends as it does unstopped", { timeout: TIMEOUT_MS }, () =>
    expectSameEnd({
      open: () => openWorld(["unpaid", "paid"]),
      run: (run) => runCleanup(run),
      steps: [
        /commit.*released_slots/,
        /commit.*UPDATE slots/,
        /listOrderPayments/,
        /annotateOrder/,
      ],
    }),
  );

  it("cancel-pending: ends as it does unstopped", { timeout: TIMEOUT_MS }, () =>
    expectSameEnd({
      open: () => openWorld(["unpaid"]),
      run: (run, { bookings: [booking] }) =>
        runCancel(run, { paymentId: booking?.paymentId ?? "", userId: booking?.userId ?? "" }),
      steps: [/commit.*released_slots/, /annotateOrder/],
    }),
  );

  it("reconcile-late-captures: ends as it does unstopped", { timeout: TIMEOUT_MS }, () =>
    expectSameEnd({
      open: () => openWorld(["late", "late and taken"]),
      run: (run) => runLate(run),
      steps: [/commit.*INSERT INTO slots/, /commit.*INSERT INTO refunds/, /createRefund/],
    }),
  );
});

async function expectSameEnd(scenario: Scenario): Promise<void> {
  const met: string[] = [];
  const unstopped = await endOf(scenario, (step) => {
    met.push(step);
    return false;
  });
  for (const step of scenario.steps) {
    expect(met.filter((name) => step.test(name)).length, String(step)).toBeGreaterThanOrEqual(2);
  }
  for (const [index, step] of met.entries()) {
    let count = 0;
    const stopped = await endOf(scenario, () => count++ === index);
    expect(stopped, `stopped ${step}`).toEqual(unstopped);
  }
}

/** Runs it until it is stopped or ends, then again twice as the schedule would, and looks at what is left. */
async function endOf(scenario: Scenario, watch: (step: string) => boolean): Promise<unknown> {
  const world = await scenario.open();
  const process = await startProcess(world.database, {
    naming,
    watch: (step, side) => watch(`${side} ${step}`),
  });
  try {
    const { sandbox } = world;
    const first = scenario.run(
      {
        database: process.database,
        sandbox,
        wrapGateway: (gateway) => process.wrapPayments(gateway),
      },
      world,
    );
    await Promise.race([first.catch(() => undefined), process.stopped]);
    await process.arrived();
    await process.close();
    for (let again = 1; again <= 2; again++) {
      await letTimePass(world.database);
      await scenario.run(world, world);
    }
    // What the provider has accepted is followed by the job of refunds.
    await followRefunds(world);
    return await describeEnd(world);
  } finally {
    await world.close();
  }
}

const naming: Naming = {
  commit: (statements) => {
    const writes = statements.flatMap(writesOf);
    return writes.length === 0 ? undefined : `commit of ${writes.join(", ")}`;
  },
  write: (statement) => {
    const writes = writesOf(statement);
    return writes.length === 0 ? undefined : `write of ${writes.join(", ")}`;
  },
  call: (method) => method,
};

function writesOf({ sql }: Statement): string[] {
  return [...sql.matchAll(/\b(INSERT INTO|UPDATE|DELETE FROM) (\w+)/g)].map(([write]) => write);
}

type Fate = "unpaid" | "paid" | "late" | "late and taken";

async function openWorld(fates: readonly Fate[]): Promise<World> {
  const database = await createTestDatabase();
  const sandbox = await startSandbox();
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await sandbox.close();
    await database.drop();
  };
  onTestFinished(close);
  const world: World = { database, sandbox, bookings: [], walletIds: [], close };
  for (const fate of fates) await addCheckout(world, fate);
  return world;
}

async function addCheckout(
  { database, sandbox, bookings, walletIds }: World,
  fate: Fate,
): Promise<void> {
  const isLate = fate.startsWith("late");
  const plan = await seedPlan(database, { kind: "consultation" });
  const { walletId } = await seedWallet(database, { balancePaise: 0n });
  const { id: orderId } = sandbox.createOrder({ amountPaise: AMOUNT_PAISE });
  const booking = await seedBooking(database, {
    plan,
    slotsAgedHours: 25,
    checkout: {
      orderId,
      legs: [
        { kind: "card", amountPaise: AMOUNT_PAISE },
        { kind: "wallet", amountPaise: HELD_PAISE, walletId },
      ],
    },
  });
  const released = { paymentId: booking.paymentId ?? "", userId: booking.userId };
  if (isLate) {
    // Only a request that lapsed is booked again.
    await withDb(database, (db) =>
      releaseHold(
        db,
        { by: "payment", ...released },
        { actor: "a test", because: "lapsed", offerMs: hours(24), random: Math.random },
      ),
    );
  }
  if (fate !== "unpaid") sandbox.createPayment({ orderId });
  if (fate === "late and taken") await seedBooking(database, { plan });
  bookings.push(booking);
  walletIds.push(walletId);
}

/** A dead run's claims end, and what was asked a moment ago is asked again. */
async function letTimePass(database: TestDatabase): Promise<void> {
  await database.query(
    `UPDATE refund_legs SET claimed_at = claimed_at - interval '2 hours', sent_at = sent_at - interval '2 hours'`,
  );
  await database.query("UPDATE payments SET asked_at = asked_at - interval '2 hours'");
}

/** All that must not depend on whether a process died; notes on the provider's orders are best effort. */
async function describeEnd({ database, sandbox, bookings, walletIds }: World): Promise<unknown> {
  return {
    checkouts: await Promise.all(bookings.map(({ id }) => checkoutState(database, id))),
    wallets: await Promise.all(walletIds.map((id) => walletState(database, id))),
    refunds: await database.query(
      `SELECT refund.amount_paise, refund.status::text AS status, leg.state::text AS leg
       FROM refunds AS refund JOIN refund_legs AS leg ON leg.refund_id = refund.id ORDER BY leg.id`,
    ),
    atProvider: sandbox.refunds().map(({ amount }) => amount),
    audit: await database.query(
      "SELECT category, action, count(*)::int AS count FROM audit_log GROUP BY 1, 2 ORDER BY 1, 2",
    ),
    findings: await database.query("SELECT kind FROM findings"),
  };
}

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import pg from "pg";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { sleep } from "../../lib/support/clock.ts";
import {
  seedBooking,
  seedPlan,
  seedWallet,
  type BookingSeed,
  type SeededBooking,
} from "../../scripts/dev/seed/bookings.ts";
import { checkoutState, walletState } from "../support/checkout-world.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { startScript } from "../support/run-script.ts";
import { startCommitGate } from "./commit-gate.ts";

const AMOUNT_PAISE = 100_000n;
const HELD_PAISE = 500n;

type Kind = "capture" | "cancel" | "cleanup" | "late";

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  booking: SeededBooking;
  walletId: string;
}

/** An old checkout by card and wallet, and an order that the provider knows. */
async function openWorld(seed: Partial<BookingSeed> = {}): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const { walletId } = await seedWallet(database, { balancePaise: 0n });
  const { id: orderId } = sandbox.createOrder({ amountPaise: AMOUNT_PAISE });
  const booking = await seedBooking(database, {
    plan: await seedPlan(database, { kind: "subscription" }),
    meetings: 2,
    slotsAgedHours: 25,
    ...seed,
    checkout: {
      orderId,
      legs: [
        { kind: "card", amountPaise: AMOUNT_PAISE },
        { kind: "wallet", amountPaise: HELD_PAISE, walletId },
      ],
      ...seed.checkout,
    },
  });
  return { database, sandbox, booking, walletId };
}

interface Actor {
  go: () => void;
  /** What came of it. */
  result: () => Promise<Record<string, unknown>>;
}

/** Starts an actor as a process of its own, which waits for `go`. */
async function startActor(
  { database, sandbox, booking }: World,
  kind: Kind,
  env: Record<string, string> = {},
): Promise<Actor> {
  const script = startScript("test/race/checkout-child.ts", {
    args: [kind],
    env: {
      ...sandbox.env,
      DATABASE_URL: database.url,
      ORDER_ID: booking.orderId ?? "",
      PAYMENT_ID: booking.paymentId ?? "",
      USER_ID: booking.userId,
      PROVIDER_PAYMENT_ID: "pay_webhook",
      ...env,
    },
  });
  onTestFinished(async () => {
    script.process.kill("SIGKILL");
    await script.ended;
  });
  await script.printed("ready");
  return {
    go: () => script.process.stdin.write("go\n"),
    result: async () => {
      const { stdout, stderr, exitCode } = await script.ended;
      expect(exitCode, stderr).toBe(0);
      const line = stdout.split("\n").find((text) => text.startsWith("result "));
      return JSON.parse((line ?? "").slice("result ".length)) as Record<string, unknown>;
    },
  };
}

/** Holds the plan's row, for which everybody who changes a booking has to queue, until it is let go. */
async function holdPlan({ database, booking }: World): Promise<{ letGo: () => Promise<void> }> {
  const holder = new pg.Client({ connectionString: database.url });
  await holder.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT 1 FROM plans WHERE id = $1 FOR UPDATE", [booking.plan.id]);
  let isOpen = true;
  const letGo = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await holder.query("COMMIT");
    await holder.end();
  };
  onTestFinished(letGo);
  return { letGo };
}

/** Resolves once so many sessions wait for a row that another one has locked. */
async function queued({ database }: World, count: number): Promise<void> {
  for (;;) {
    const [row] = await database.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if ((row?.waiting ?? 0) >= count) return;
    await sleep(5);
  }
}

/**
 * The first one has its locks and is about to commit when the second one begins to queue for them; then both
 * go on.
 */
async function inOrder(
  world: World,
  first: Kind,
  second: Kind,
  env: Record<string, string> = {},
): Promise<Record<string, unknown>[]> {
  const gate = await startCommitGate(world.database);
  const actors = [
    await startActor(world, first, { ...env, DATABASE_URL: gate.url }),
    await startActor(world, second, env),
  ];
  actors[0]?.go();
  await gate.reached;
  actors[1]?.go();
  await queued(world, 1);
  gate.open();
  return Promise.all(actors.map((actor) => actor.result()));
}

describe("12 cancels of one payment at the same moment", () => {
  it("are one that wins and 11 conflicts, without an error, and free the slots once", async () => {
    const world = await openWorld();
    const { database, booking, walletId } = world;
    const actors = await Promise.all(Array.from({ length: 12 }, () => startActor(world, "cancel")));
    const plan = await holdPlan(world);
    for (const actor of actors) actor.go();
    await queued(world, 12);
    await plan.letGo();
    const results = await Promise.all(actors.map((actor) => actor.result()));

    expect(results.map(({ result }) => result).sort()).toEqual([
      "cancelled",
      ...Array.from({ length: 11 }, () => "conflict"),
    ]);
    expect(new Set(results.map(({ why }) => why))).toEqual(new Set([null, "ended"]));
    expect(await checkoutState(database, booking.id)).toEqual({
      booking: "CANCELLED",
      payments: ["EXPIRED"],
      tentative: 0,
      confirmed: 0,
      released: 2,
      mails: ["checkout-released"],
    });
    expect(await walletState(database, walletId)).toEqual({
      balance: HELD_PAISE,
      booked: HELD_PAISE,
    });
  });
});

describe("a cancel and a capture that queue for one checkout", () => {
  it("end paid when the capture is first: the cancel is a conflict", async () => {
    const world = await openWorld();
    const [capture, cancel] = await inOrder(world, "capture", "cancel");
    expect(capture).toMatchObject({ kind: "confirmed" });
    expect(cancel).toMatchObject({ result: "conflict", why: "paid" });
    await expectPaid(world);
  });

  it("end released when the cancel is first: the capture is an orphan", async () => {
    const world = await openWorld();
    const [cancel, capture] = await inOrder(world, "cancel", "capture");
    expect(cancel).toMatchObject({ result: "cancelled" });
    expect(capture).toMatchObject({ kind: "orphaned", why: "hold-ended" });
    await expectReleased(world);
  });
});

describe("the cleanup and a capture webhook", () => {
  it("end paid when the capture comes after the provider was asked and before the release", async () => {
    const world = await openWorld();
    const gate = await startGate(world.sandbox, (request) =>
      (request.url ?? "").endsWith("/payments"),
    );
    const cleanup = await startActor(world, "cleanup", { RAZORPAY_BASE_URL: gate.url });
    const capture = await startActor(world, "capture");
    cleanup.go();
    await gate.reached; // the provider has said "unpaid"
    capture.go();
    expect(await capture.result()).toMatchObject({ kind: "confirmed" });
    gate.open();

    expect(await cleanup.result()).toMatchObject({ found: 1, released: 0, kept: 1 });
    await expectPaid(world);
  });

  it("end released when the capture comes after the release and before its annotation", async () => {
    const world = await openWorld();
    const gate = await startGate(world.sandbox, ({ method }) => method === "PATCH");
    const cleanup = await startActor(world, "cleanup", { RAZORPAY_BASE_URL: gate.url });
    const capture = await startActor(world, "capture");
    cleanup.go();
    await gate.reached;
    capture.go();
    expect(await capture.result()).toMatchObject({ kind: "orphaned", why: "hold-ended" });
    gate.open();

    expect(await cleanup.result()).toMatchObject({ released: 1 });
    await expectReleased(world);
  });

  it("end released when both queue for the same rows and the cleanup is first", async () => {
    const world = await openWorld();
    await inOrder(world, "cleanup", "capture");
    await expectReleased(world);
  });

  it("end paid when both queue for the same rows and the capture is first", async () => {
    const world = await openWorld();
    const asked = await startGate(world.sandbox, (request) =>
      (request.url ?? "").endsWith("/payments"),
    );
    const commit = await startCommitGate(world.database);
    const cleanup = await startActor(world, "cleanup", { RAZORPAY_BASE_URL: asked.url });
    const capture = await startActor(world, "capture", { DATABASE_URL: commit.url });
    cleanup.go();
    await asked.reached;
    capture.go();
    await commit.reached;
    asked.open();
    await queued(world, 1);
    commit.open();

    expect(await capture.result()).toMatchObject({ kind: "confirmed" });
    expect(await cleanup.result()).toMatchObject({ released: 0, kept: 1 });
    await expectPaid(world);
  });
});

describe("a late capture that is told of by a webhook and found by runs at the same moment", () => {
  it.each([
    ["capture", "late"],
    ["late", "capture"],
    ["late", "late"],
  ] as const)("%s before %s: is booked again once", async (first, second) => {
    const world = await openWorld({ status: "CANCELLED", checkout: { status: "EXPIRED" } });
    const { database, sandbox, booking, walletId } = world;
    await database.query("UPDATE payment_legs SET released_at = now() WHERE kind = 'wallet'");
    await fund(database, walletId);
    const { id } = sandbox.createPayment({ orderId: booking.orderId ?? "" });
    await inOrder(world, first, second, { PROVIDER_PAYMENT_ID: id });
    if (first === "capture" || second === "capture") {
      const last = await startActor(world, "late");
      last.go();
      await last.result();
    }

    expect(await checkoutState(database, booking.id)).toMatchObject({
      booking: "CONFIRMED",
      payments: ["PAID"],
      confirmed: 2,
      mails: ["late-payment-booked"],
    });
    expect(await walletState(database, walletId)).toEqual({ balance: 0n, booked: 0n });
    expect(sandbox.refunds()).toEqual([]);
    expect(await database.query("SELECT kind FROM findings")).toEqual([]);
  });

  it("is refunded once by two runs where another buyer has its time", async () => {
    const world = await openWorld({ status: "CANCELLED", checkout: { status: "EXPIRED" } });
    const { database, sandbox, booking } = world;
    await database.query("UPDATE payment_legs SET released_at = now() WHERE kind = 'wallet'");
    sandbox.createPayment({ orderId: booking.orderId ?? "" });
    await seedBooking(database, { plan: booking.plan });

    await inOrder(world, "late", "late");

    expect(await checkoutState(database, booking.id)).toMatchObject({
      payments: ["REFUNDING"],
      mails: ["late-payment-refunded"],
    });
    expect(sandbox.refunds()).toMatchObject([{ amount: Number(AMOUNT_PAISE) }]);
  });
});

async function expectPaid({ database, booking, walletId }: World): Promise<void> {
  expect(await checkoutState(database, booking.id)).toEqual({
    booking: "CONFIRMED",
    payments: ["PAID"],
    tentative: 0,
    confirmed: 2,
    released: 0,
    mails: [],
  });
  expect(await walletState(database, walletId)).toEqual({ balance: 0n, booked: 0n });
}

async function expectReleased({ database, booking, walletId }: World): Promise<void> {
  expect(await checkoutState(database, booking.id)).toEqual({
    booking: "CANCELLED",
    payments: ["ORPHANED"],
    tentative: 0,
    confirmed: 0,
    released: 2,
    mails: ["checkout-released"],
  });
  expect(await walletState(database, walletId)).toEqual({
    balance: HELD_PAISE,
    booked: HELD_PAISE,
  });
}

/** As the release of the leg would have: the money is in the wallet again, and in the books. */
async function fund(database: TestDatabase, walletId: string): Promise<void> {
  await database.query(
    `WITH accounts AS (
       INSERT INTO ledger_accounts (code, wallet_id)
       VALUES ('WALLET', $1), ('PLATFORM_CLEARING', NULL) ON CONFLICT DO NOTHING RETURNING id, code::text AS code
     ), posted AS (
       INSERT INTO ledger_transactions (key, kind) VALUES ('wallet-funded:seed', 'wallet-funded') RETURNING id
     )
     INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
     SELECT posted.id, accounts.id, CASE accounts.code WHEN 'WALLET' THEN -$2::bigint ELSE $2::bigint END
     FROM posted, accounts`,
    [walletId, HELD_PAISE],
  );
  await database.query("UPDATE wallet_accounts SET balance_paise = $1 WHERE id = $2", [
    HELD_PAISE,
    walletId,
  ]);
}

/** A door in front of the provider: the first answer of this kind waits until it is opened. */
async function startGate(
  sandbox: Sandbox,
  isHeld: (request: IncomingMessage) => boolean,
): Promise<{ url: string; reached: Promise<void>; open: () => void }> {
  let tellReached = (): void => undefined;
  const reached = new Promise<void>((resolve) => (tellReached = resolve));
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { origin } = new URL(sandbox.env.RAZORPAY_BASE_URL);
    const answer = await fetch(`${origin}${request.url ?? ""}`, {
      method: request.method ?? "GET",
      headers: {
        authorization: request.headers.authorization ?? "",
        "content-type": "application/json",
      },
      ...(request.method === "GET" ? {} : { body: Buffer.concat(chunks) }),
    });
    const body = await answer.text();
    if (isHeld(request)) {
      tellReached();
      await opened;
    }
    response.writeHead(answer.status, { "content-type": "application/json" }).end(body);
  };
  const server = createServer((request, response) => void pass(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        open();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/v1`, reached, open };
}

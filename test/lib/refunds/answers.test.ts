import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Fault, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";
import {
  legRows,
  letTimePass,
  runRefunds,
  seedCaptured,
  type RefundRunOptions,
  type RefundRunResult,
} from "../../support/refund-run.ts";

const REFUND = "POST /payments/:id/refund";
let world: RefundWorld;
let sandbox: Sandbox;

beforeEach(async () => {
  world = await createRefundWorld();
  sandbox = await startSandbox();
});
afterEach(async () => {
  await sandbox.close();
  await world.end();
});

const run = (options: Partial<RefundRunOptions> = {}): Promise<RefundRunResult> =>
  runRefunds({ database: world.database, sandbox, ...options });

/** One refund of ₹1,000 by card that is due. */
async function oneDue(): Promise<void> {
  const { paymentId } = await seedCaptured({ database: world.database, sandbox });
  expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
}

const plan = (...faults: Fault[]): void => {
  sandbox.addFaults(faults);
};
const stateOf = async (): Promise<string | undefined> => (await legRows(world.database))[0]?.state;
const refundStatus = async (): Promise<string | undefined> =>
  (await world.database.query<{ status: string }>("SELECT status::text AS status FROM refunds"))[0]
    ?.status;
const mails = (): Promise<{ key: string }[]> =>
  world.database.query("SELECT key FROM outbox_mails");

describe("a refund by card", () => {
  it("is pending at the provider, then processed, and the buyer is told once it is", async () => {
    await oneDue();

    const sent = await run();
    expect(sent).toMatchObject({
      verdict: { kind: "completed" },
      report: { found: 1, pending: 1 },
    });
    expect(await mails()).toEqual([]);
    expect(await run()).toMatchObject({
      verdict: { kind: "completed" },
      report: { processed: 1, cardPaise: 100_000n, refundsProcessed: 1 },
    });

    expect(await refundStatus()).toBe("PROCESSED");
    expect(await mails()).toHaveLength(1);
    expect(await run()).toMatchObject({ report: { found: 0 } });
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it("that the provider accepts and then fails is FAILED, and can be asked for again", async () => {
    plan({ on: REFUND, endState: "failed" });
    await oneDue();

    await run();
    expect(await run()).toMatchObject({
      verdict: { kind: "partial", reason: "refunds-failed" },
      report: { failed: 1, refundsFailed: 1 },
    });

    expect(await refundStatus()).toBe("FAILED");
    expect(await mails()).toEqual([]);
    expect(await world.database.query("SELECT kind, details FROM findings")).toMatchObject([
      { kind: "refund-failed", details: { amountPaise: "100000", backPaise: "0" } },
    ]);
    const [payment] = await world.database.query<{ id: string }>("SELECT id FROM payments");
    expect(await world.request({ paymentId: payment?.id ?? "" })).toMatchObject({
      kind: "requested",
    });
  });

  it("that the provider refuses is FAILED with its reason, and nothing was accepted", async () => {
    plan({
      on: REFUND,
      status: 400,
      error: { code: "BAD_REQUEST_ERROR", description: "The payment is too old." },
    });
    await oneDue();

    expect(await run()).toMatchObject({
      verdict: { kind: "partial", reason: "refunds-failed" },
      report: { items: [{ outcome: "failed", message: "The payment is too old." }] },
    });
    expect(await stateOf()).toBe("FAILED");
    expect(sandbox.refunds()).toEqual([]);
  });

  const LOST: [string, Fault][] = [
    ["a timeout", { on: REFUND, hang: true, accept: true }],
    ["a 5xx", { on: REFUND, status: 502, accept: true }],
    ["a closed socket", { on: REFUND, dropAfter: true }],
    ["an unreadable answer", { on: REFUND, malformed: true }],
    ["a 409", { on: REFUND, status: 409, accept: true }],
  ];

  it.each(LOST)("whose acceptance was lost in %s is found at the provider", async (_, fault) => {
    plan(fault);
    await oneDue();

    expect(await run({ timeoutMs: 300 })).toMatchObject({
      verdict: { kind: "partial", reason: "outcome-unknown" },
      report: { unknown: 1 },
    });
    expect(await stateOf()).toBe("UNKNOWN");
    await run();
    await run();

    expect(await stateOf()).toBe("PROCESSED");
    expect(sandbox.refunds()).toHaveLength(1);
  });

  const NEVER: [string, Fault][] = [
    ["a timeout", { on: REFUND, hang: true }],
    ["a 5xx", { on: REFUND, status: 503 }],
    ["a closed socket", { on: REFUND, dropBefore: true }],
    ["a 409", { on: REFUND, status: 409 }],
  ];

  it.each(NEVER)(
    "that never arrived for %s is sent again with the same key and bytes, once it is sure",
    async (_, fault) => {
      plan(fault);
      await oneDue();
      await run({ timeoutMs: 300 });
      const before = (await legRows(world.database))[0];

      expect(await run()).toMatchObject({
        verdict: { kind: "completed", warning: expect.stringContaining("in doubt") as string },
        report: { waiting: 1 },
      });
      expect(sandbox.refunds()).toEqual([]);
      await letTimePass(world.database, 2);
      expect(await run()).toMatchObject({ report: { dueAgain: 1, pending: 1 } });
      await run();

      const after = (await legRows(world.database))[0];
      expect(after).toMatchObject({
        state: "PROCESSED",
        idempotency_key: before?.idempotency_key,
        request_body: before?.request_body,
      });
      expect(sandbox.refunds()).toMatchObject([{ idempotency_key: before?.idempotency_key }]);
    },
  );

  it("that is refused when it is sent again, and is not at the provider, is FAILED after all", async () => {
    plan(
      { on: REFUND, dropBefore: true },
      { on: REFUND, status: 400, error: { code: "BAD_REQUEST_ERROR", description: "No." } },
    );
    await oneDue();
    await run();
    await letTimePass(world.database, 2);
    await run();
    expect(await legRows(world.database)).toMatchObject([
      { state: "UNKNOWN", failure_code: "REFUSED_ON_RESEND" },
    ]);
    await letTimePass(world.database, 2);

    expect(await run()).toMatchObject({ report: { failed: 1 } });
    expect(await stateOf()).toBe("FAILED");
  });

  it("is due still when the provider turns down our credentials, and the run stops", async () => {
    await oneDue();
    await oneDue();

    expect(await run({ keySecret: "wrong" })).toMatchObject({
      verdict: {
        kind: "failed",
        code: "credentials",
        remedy: expect.stringContaining("RAZORPAY_KEY_ID") as string,
      },
      report: { skipped: 1 },
    });
    expect(await legRows(world.database)).toMatchObject([
      { state: "DUE", sent_at: null, claimed_by: null },
      { state: "DUE" },
    ]);
    await run();
    expect(sandbox.refunds()).toHaveLength(2);
  });

  it("is due still when the provider holds too little of our money", async () => {
    plan({ on: REFUND, lowBalance: true });
    await oneDue();

    expect(await run()).toMatchObject({
      verdict: { kind: "failed", code: "insufficient-balance" },
    });
    expect(await stateOf()).toBe("DUE");
    expect(await run()).toMatchObject({ report: { pending: 1 } });
  });

  it("waits out a 429 under its key", async () => {
    plan({ on: REFUND, status: 429, retryAfter: 0 });
    await oneDue();

    expect(await run()).toMatchObject({ report: { pending: 1 } });
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it("stops the run after five answers in a row that say nothing", async () => {
    plan({ on: REFUND, status: 500, times: -1 });
    for (let refunds = 0; refunds < 7; refunds++) await oneDue();

    expect(await run()).toMatchObject({
      verdict: { kind: "failed", code: "gateway-down" },
      report: { found: 7, unknown: 5 },
    });
  });

  it("that stays pending for longer than banks take makes the run red with a list", async () => {
    plan({ on: REFUND, endState: "pending" });
    await oneDue();
    await run();
    await letTimePass(world.database, 11 * 24);

    expect(await run()).toMatchObject({
      verdict: { kind: "failed", code: "refunds-overdue" },
      report: { overdue: 1, overduePaise: 100_000n, items: [{ outcome: "pending" }] },
    });
  });

  it("that the provider has with another amount is a finding, and nothing is changed", async () => {
    plan({ on: REFUND, dropBefore: true });
    const { paymentId, providerPaymentId } = await seedCaptured({
      database: world.database,
      sandbox,
    });
    await world.request({ paymentId });
    await run();
    const [leg] = await legRows(world.database);
    const other = await fetch(
      `${sandbox.env.RAZORPAY_BASE_URL}/payments/${String(providerPaymentId)}/refund`,
      {
        method: "POST",
        headers: {
          authorization: `Basic ${btoa(`${sandbox.env.RAZORPAY_KEY_ID}:${sandbox.env.RAZORPAY_KEY_SECRET}`)}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ amount: 500, receipt: leg?.idempotency_key }),
      },
    );
    expect(other.status).toBe(200);

    expect(await run()).toMatchObject({
      verdict: { kind: "failed", code: "records-differ" },
      report: { conflicts: 1 },
    });
    expect(await stateOf()).toBe("UNKNOWN");
    expect(await world.database.query("SELECT kind FROM findings")).toEqual([
      { kind: "refund-amount-differs" },
    ]);
  });
});

describe("a refund of a payment that came too late", () => {
  it("is told of by its own mail and by no other", async () => {
    const { paymentId } = await seedCaptured(
      { database: world.database, sandbox },
      { status: "ORPHANED" },
    );
    await world.request({ paymentId, key: `late-capture:${paymentId}` });
    await run();
    await run();

    expect(await refundStatus()).toBe("PROCESSED");
    expect(await mails()).toEqual([]);
  });
});

describe("a dry run", () => {
  it("shows what a run would do, and changes nothing here or there", async () => {
    await oneDue();
    const before = await legRows(world.database);

    expect(await run({ dryRun: true })).toMatchObject({
      verdict: { kind: "completed" },
      report: { found: 1, planned: 1, cardPaise: 100_000n },
    });

    expect(await legRows(world.database)).toEqual(before);
    expect(sandbox.calls().filter(({ mutating }) => mutating)).toEqual([]);
  });
});

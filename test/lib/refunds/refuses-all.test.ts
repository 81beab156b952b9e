import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";
import { legRows, letTimePass, runRefunds, seedCaptured } from "../../support/refund-run.ts";

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

async function due(count: number): Promise<void> {
  for (let each = 0; each < count; each++) {
    const { paymentId } = await seedCaptured({ database: world.database, sandbox });
    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
  }
}

const states = async (): Promise<string[]> =>
  (await legRows(world.database)).map(({ state }) => state).sort();
const requests = (): number =>
  sandbox.calls().filter(({ method, path }) => method === "POST" && path.endsWith("/refund"))
    .length;

describe("a provider that refuses all refunds with one description", () => {
  it("gets no sixth request, and the rest stays due", async () => {
    await due(7);
    const error = { description: "Refunds are on hold", reason: null };
    sandbox.addFaults({ on: REFUND, times: -1, status: 400, error });

    const { verdict } = await runRefunds({ database: world.database, sandbox });

    expect(verdict).toMatchObject({ kind: "failed", code: "provider-refuses-all" });
    expect(requests()).toBe(5);
    expect(await states()).toEqual(["DUE", "DUE", ...Array<string>(5).fill("FAILED")]);
  });

  it("goes on where one is accepted between", async () => {
    await due(7);
    const error = { description: "Refunds are on hold" };
    sandbox.addFaults([
      { on: REFUND, times: 4, status: 400, error },
      { on: REFUND, skip: 1, times: 2, status: 400, error },
    ]);

    const { verdict } = await runRefunds({ database: world.database, sandbox });

    expect(verdict).toMatchObject({ kind: "partial", reason: "refunds-failed" });
    expect(requests()).toBe(7);
  });
});

describe("a fault that the provider tells in answer to a repeated refund", () => {
  it.each([
    ["Your account does not have enough balance to carry out the refund operation."],
    ["The requested URL was not found on the server."],
  ])("leaves it to be sent again: %s", async (description) => {
    await due(1);
    sandbox.addFaults({ on: REFUND, dropBefore: true });
    await runRefunds({ database: world.database, sandbox });
    await letTimePass(world.database, 24);
    sandbox.addFaults({ on: REFUND, status: 400, error: { description, reason: "NA" } });
    expect((await runRefunds({ database: world.database, sandbox })).verdict).toMatchObject({
      kind: "failed",
    });
    await letTimePass(world.database, 24);

    const { report } = await runRefunds({ database: world.database, sandbox });

    expect(report).toMatchObject({ failed: 0 });
    expect(await states()).not.toContain("FAILED");
    expect(sandbox.refunds()).toHaveLength(1);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import pg from "pg";
import { LeaseLostError, type Lease } from "../../../lib/support/lease.ts";
import { newUuid } from "../../../lib/support/random.ts";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";
import {
  legRows,
  letTimePass,
  runRefunds,
  seedCaptured,
  type RefundRunOptions,
  type RefundRunResult,
} from "../../support/refund-run.ts";
import type { PaymentProvider } from "../../../lib/provider/index.ts";

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

async function due(count = 1): Promise<string[]> {
  const refundIds: string[] = [];
  for (let made = 0; made < count; made++) {
    const { paymentId } = await seedCaptured({ database: world.database, sandbox });
    const result = await world.request({ paymentId });
    if (result.kind !== "requested") throw new Error(result.kind);
    refundIds.push(result.refundId);
  }
  return refundIds;
}

/** Does something else just before the request leaves. */
function beforeSending(
  first: () => Promise<unknown>,
): (payments: PaymentProvider) => PaymentProvider {
  return (payments) => ({
    ...payments,
    createRefund: async (...request) => {
      await first();
      return payments.createRefund(...request);
    },
  });
}

const sentBy = (): number => sandbox.calls().filter(({ mutating }) => mutating).length;

describe("a refund run", () => {
  it("sends nothing once its lease has ended, and says that it was stopped", async () => {
    await due(2);
    const lost: Lease = {
      fence: 1n,
      assertTrusted: () => {
        throw new LeaseLostError("refunds");
      },
    };

    expect(await run({ lease: lost })).toMatchObject({
      verdict: { kind: "interrupted" },
      report: { skipped: 1 },
    });
    expect(sentBy()).toBe(0);
    expect((await legRows(world.database)).map(({ state }) => state)).toEqual(["DUE", "DUE"]);
  });

  it("whose lease ends between the commit and the request does not send it either", async () => {
    await due();
    let asked = 0;
    const lease: Lease = {
      fence: 1n,
      assertTrusted: () => {
        if (++asked > 1) throw new LeaseLostError("refunds");
      },
    };

    expect(await run({ lease })).toMatchObject({ report: { unknown: 1 } });
    expect(sentBy()).toBe(0);
    expect(await legRows(world.database)).toMatchObject([{ state: "PREPARED" }]);

    // The next holder of the lock has a higher fence, and looks before it sends.
    const next = { fence: 2n, assertTrusted: () => undefined };
    expect(await run({ lease: next })).toMatchObject({ report: { waiting: 1 } });
    await letTimePass(world.database, 2);
    expect(await run({ lease: next })).toMatchObject({ report: { dueAgain: 1, pending: 1 } });
  });

  it("that wakes up after its leg was taken over changes nothing", async () => {
    await due();
    const late = newUuid();
    const result = await run({
      runId: late,
      wrapPayments: (payments) => ({
        ...payments,
        createRefund: async (...request) => {
          const answer = await payments.createRefund(...request);
          await letTimePass(world.database, 2);
          expect(await run()).toMatchObject({ report: { processed: 1 } });
          return answer;
        },
      }),
    });

    expect(result).toMatchObject({
      report: { skipped: 1, items: [{ code: "CLAIMED_ELSEWHERE" }] },
    });
    expect(sandbox.refunds()).toHaveLength(1);
    expect(await legRows(world.database)).toMatchObject([{ state: "PROCESSED" }]);
  });

  it("leaves a leg alone that another run sends at this moment", async () => {
    await due();
    let second: RefundRunResult | undefined;
    await run({ wrapPayments: beforeSending(async () => (second = await run())) });

    expect(second).toMatchObject({
      verdict: { kind: "completed" },
      report: { found: 0, elsewhere: 1 },
    });
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it("is red when legs wait and another session holds every one of them", async () => {
    await due();
    const other = new pg.Client({ connectionString: world.database.url });
    await other.connect();
    try {
      await other.query("BEGIN");
      await other.query("SELECT 1 FROM refund_legs FOR UPDATE");

      expect(await run()).toMatchObject({
        verdict: { kind: "failed", code: "work-left-behind" },
        report: { left: 1, items: [{ code: "ROW_LOCKED" }] },
      });
    } finally {
      await other.end();
    }
    expect(await run()).toMatchObject({ report: { pending: 1 } });
  });

  it("handles no more legs than --limit, the oldest refund first", async () => {
    await due(3);

    expect(await run({ limit: 1 })).toMatchObject({ report: { found: 1, pending: 1 } });
    expect((await legRows(world.database)).map(({ state }) => state)).toEqual([
      "ACCEPTED",
      "DUE",
      "DUE",
    ]);
  });

  it("for another job looks at that job's refunds alone, and claims them under no fence", async () => {
    const [mine = ""] = await due(2);
    const claims: unknown[] = [];
    const result = await run({
      refundIds: [mine],
      lease: { fence: 7n, assertTrusted: () => undefined },
      wrapPayments: beforeSending(async () =>
        claims.push(
          ...(await world.database.query(
            "SELECT claim_fence FROM refund_legs WHERE claimed_by IS NOT NULL",
          )),
        ),
      ),
    });

    expect(result).toMatchObject({ report: { found: 1, pending: 1 } });
    expect(claims).toEqual([{ claim_fence: null }]);
    expect((await legRows(world.database)).map(({ state }) => state)).toEqual(["ACCEPTED", "DUE"]);
  });

  it("told to stop finishes the leg in hand and starts no other", async () => {
    await due(3);
    const stop = new AbortController();

    const result = await run({
      signal: stop.signal,
      wrapPayments: beforeSending(() => {
        stop.abort();
        return Promise.resolve();
      }),
    });

    expect(result).toMatchObject({ verdict: { kind: "interrupted" }, report: { pending: 1 } });
    expect(sandbox.refunds()).toHaveLength(1);
  });

  it("never lets one bad row stop the others", async () => {
    const [first = ""] = await due(3);
    await world.database.query(
      `CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN IF NEW.refund_id = '${first}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$`,
    );
    await world.database.query(
      "CREATE TRIGGER refuse_one BEFORE UPDATE ON refund_legs FOR EACH ROW EXECUTE FUNCTION refuse_one()",
    );

    expect(await run()).toMatchObject({
      verdict: { kind: "partial", reason: "refunds-left" },
      report: { left: 1, pending: 2 },
    });
  });
});

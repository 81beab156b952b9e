import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { runRefunds, seedCaptured } from "../../support/refund-run.ts";
import { createRefundWorld, seedPaid, type RefundWorld } from "../../support/refund-world.ts";

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

const run = () => runRefunds({ database: world.database, sandbox });

async function statusOf(paymentId: string): Promise<string | undefined> {
  const [row] = await world.database.query<{ status: string }>(
    "SELECT status::text AS status FROM payments WHERE id = $1",
    [paymentId],
  );
  return row?.status;
}

const findings = (): Promise<{ kind: string; resolved_by: string | null }[]> =>
  world.database.query(
    "SELECT kind, resolved_by FROM findings WHERE kind = 'refund-failed' ORDER BY first_seen_at",
  );

/** A second checkout of the booking, of ₹10 by card. */
const beginCheckout = (paymentId: string): Promise<unknown> =>
  world.database.query(
    `WITH checkout AS (
       INSERT INTO payments (booking_id, user_id, amount_paise)
       SELECT booking_id, user_id, 1000 FROM payments WHERE id = $1 RETURNING id)
     INSERT INTO payment_legs (payment_id, kind, amount_paise) SELECT id, 'card', 1000 FROM checkout`,
    [paymentId],
  );
const REFUSED = { constraint: "payments_refunding_first" };

describe("a payment of which all is to go back", () => {
  it("is REFUNDING until the last leg is processed, whichever leg that is", async () => {
    const { paymentId } = await seedCaptured(
      { database: world.database, sandbox },
      { cardPaise: 60_000n, walletPaise: 30_000n, creditPaise: 10_000n },
    );
    await world.request({ paymentId, amountPaise: 70_000n });
    await world.request({ paymentId });
    expect(await statusOf(paymentId)).toBe("REFUNDING");

    await run();
    expect(await statusOf(paymentId)).toBe("REFUNDING");
    await run();
    expect(await statusOf(paymentId)).toBe("REFUNDED");
  });

  it("that failed stays REFUNDING; asked for again it is REFUNDED, and the finding is resolved", async () => {
    sandbox.addFaults([{ on: REFUND, endState: "failed" }]);
    const { paymentId } = await seedCaptured({ database: world.database, sandbox });
    await world.request({ paymentId });
    await run();
    await run();
    expect(await statusOf(paymentId)).toBe("REFUNDING");
    expect(await findings()).toEqual([{ kind: "refund-failed", resolved_by: null }]);
    await expect(beginCheckout(paymentId)).rejects.toMatchObject(REFUSED);

    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
    await expect(beginCheckout(paymentId)).rejects.toMatchObject(REFUSED);
    await run();
    expect(await findings()).toMatchObject([{ resolved_by: null }]);
    await run();

    expect(await statusOf(paymentId)).toBe("REFUNDED");
    expect(await findings()).toEqual([{ kind: "refund-failed", resolved_by: "database" }]);
    expect(
      await world.database.query(
        "SELECT actor, action, detail->>'paymentId' AS payment FROM audit_log WHERE category = 'finding'",
      ),
    ).toEqual([{ actor: "database", action: "resolved", payment: paymentId }]);
    await beginCheckout(paymentId);
  });

  it("resolves no finding of a part that has not gone back, nor one of another payment", async () => {
    sandbox.addFaults([{ on: REFUND, endState: "failed", times: 2 }]);
    const { paymentId } = await seedCaptured({ database: world.database, sandbox });
    const other = await seedCaptured({ database: world.database, sandbox });
    await world.request({ paymentId, amountPaise: 40_000n });
    await world.request({ paymentId: other.paymentId });
    await run();
    await run();
    await world.request({ paymentId, amountPaise: 60_000n });
    await run();
    await run();
    expect(await statusOf(paymentId)).toBe("PAID");
    expect(await findings()).toMatchObject([{ resolved_by: null }, { resolved_by: null }]);

    await world.request({ paymentId });
    await run();
    await run();
    expect(await statusOf(paymentId)).toBe("REFUNDED");
    expect(await statusOf(other.paymentId)).toBe("REFUNDING");
    expect((await findings()).map(({ resolved_by }) => resolved_by).sort()).toEqual([
      "database",
      null,
    ]);
  });

  it("is never refused because another checkout of the booking is open", async () => {
    const { paymentId } = await seedPaid(world.database, { status: "ORPHANED" });
    await beginCheckout(paymentId);
    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
    expect(await statusOf(paymentId)).toBe("REFUNDING");
  });

  it("keeps out a checkout that began while the refund was being asked for", async () => {
    const { paymentId } = await seedPaid(world.database);
    const began = await world.db.transaction(async (tx) => {
      await tx.execute`UPDATE payments SET status = 'REFUNDING' WHERE id = ${paymentId}::uuid`;
      const checkout = beginCheckout(paymentId).catch((error: unknown) => error);
      await waitUntilBlocked();
      return { checkout };
    });
    expect(await began.checkout).toMatchObject(REFUSED);
  });

  it("of whom REFUNDED was said at the request follows when the refund is settled", async () => {
    sandbox.addFaults([{ on: REFUND, endState: "failed" }]);
    const { paymentId } = await seedCaptured({ database: world.database, sandbox });
    await world.request({ paymentId });
    await world.database.query("UPDATE payments SET status = 'REFUNDED' WHERE id = $1", [
      paymentId,
    ]);
    await run();
    await run();
    expect(await statusOf(paymentId)).toBe("REFUNDING");
  });

  it("whose last leg was settled by a version that knows no REFUNDING is REFUNDED by the next run", async () => {
    const { paymentId } = await seedCaptured({ database: world.database, sandbox });
    await world.request({ paymentId });
    await world.database.query(
      "UPDATE refund_legs SET state = 'PROCESSED', settled_at = now(); UPDATE refunds SET status = 'PROCESSED', settled_at = now()",
    );
    await runRefunds({ database: world.database, sandbox, dryRun: true });
    expect(await statusOf(paymentId)).toBe("REFUNDING");
    await run();
    expect(await statusOf(paymentId)).toBe("REFUNDED");
  });
});

/** Until the other session waits for a lock. */
async function waitUntilBlocked(): Promise<void> {
  for (;;) {
    const [row] = await world.db.query<{ waits: boolean }[]>`
      SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock') AS waits`;
    if (row?.waits) return;
  }
}

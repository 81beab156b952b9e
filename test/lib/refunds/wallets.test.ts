import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { seedWallet } from "../../../scripts/dev/seed/bookings.ts";
import { createRefundWorld, type RefundWorld } from "../../support/refund-world.ts";
import { drifts, legRows, runRefunds, seedCaptured } from "../../support/refund-run.ts";

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

const run = (): ReturnType<typeof runRefunds> => runRefunds({ database: world.database, sandbox });
const places = (): { database: RefundWorld["database"]; sandbox: Sandbox } => ({
  database: world.database,
  sandbox,
});

const attributed = (): Promise<{ posted: string | null; audited: string | null }[]> =>
  world.database.query(`
    SELECT booking.organization_id AS posted, audit.organization_id AS audited
    FROM audit_log AS audit
    JOIN ledger_transactions AS booking ON booking.key = 'wallet-refunded:' || (audit.detail ->> 'refundLegId')
    WHERE audit.category = 'WALLET' AND audit.action = 'WALLET_REFUND'`);

describe("a refund over three legs", () => {
  it("sends the card's, credits the wallet with its audit row, and restores the credit", async () => {
    const paid = await seedCaptured(places(), {
      cardPaise: 60_000n,
      walletPaise: 30_000n,
      creditPaise: 10_000n,
    });
    await world.request({ paymentId: paid.paymentId });

    expect(await run()).toMatchObject({
      verdict: { kind: "completed" },
      report: { found: 3, pending: 1, processed: 2, walletPaise: 30_000n, creditPaise: 10_000n },
    });
    expect(await run()).toMatchObject({ report: { found: 1, cardPaise: 60_000n } });

    expect(
      await world.database.query(
        `SELECT (SELECT balance_paise FROM wallet_accounts WHERE id = $1) AS wallet,
                (SELECT used_paise FROM referral_credits WHERE id = $2) AS used`,
        [paid.walletId, paid.creditId],
      ),
    ).toEqual([{ wallet: 30_000n, used: 0n }]);
    const [row] = await world.database.query<{ detail: { balanceAfterPaise: string } }>(
      "SELECT detail FROM audit_log WHERE category = 'WALLET' AND action = 'WALLET_REFUND'",
    );
    expect(row?.detail.balanceAfterPaise).toBe("30000");
    expect((await legRows(world.database)).map(({ state }) => state)).toEqual([
      "PROCESSED",
      "PROCESSED",
      "PROCESSED",
    ]);
    // The seeded checkout took the wallet's money without a posting; only its refund was posted.
    expect(await drifts(world.database)).toEqual([]);
  });

  it("gives wallet and credit back at once when the card's part fails, and settles as FAILED", async () => {
    sandbox.addFaults([{ on: "POST /payments/:id/refund", endState: "failed" }]);
    const { paymentId } = await seedCaptured(places(), {
      cardPaise: 60_000n,
      walletPaise: 30_000n,
    });
    await world.request({ paymentId });
    await run();
    await run();

    expect(await world.database.query("SELECT status::text AS status FROM refunds")).toEqual([
      { status: "FAILED" },
    ]);
    expect((await legRows(world.database)).map(({ state }) => state)).toEqual([
      "FAILED",
      "PROCESSED",
    ]);
    expect(await world.request({ paymentId })).toMatchObject({ kind: "requested" });
    await run();
    await run();
    expect(await drifts(world.database)).toEqual([]);
  });
});

describe("a refund to a wallet", () => {
  it("belongs to the organization of the payment, in the audit row and in the books", async () => {
    const { organizationId } = await seedWallet(world.database, { balancePaise: 0n });
    const paid = await seedCaptured(places(), {
      cardPaise: 0n,
      walletPaise: 30_000n,
      organizationId,
    });
    expect(paid.ownerId).not.toBe(organizationId);
    await world.request({ paymentId: paid.paymentId });
    await run();

    expect(await attributed()).toEqual([{ posted: organizationId, audited: organizationId }]);
    expect(await drifts(world.database)).toEqual([]);
  });

  it("belongs to the wallet's owner where no organization pays", async () => {
    const paid = await seedCaptured(places(), { cardPaise: 0n, walletPaise: 30_000n });
    await world.request({ paymentId: paid.paymentId });
    await run();

    expect(await attributed()).toEqual([{ posted: paid.ownerId, audited: paid.ownerId }]);
  });

  it("with an audit row of another organization, or without one, is found by the reconciliation", async () => {
    const other = await seedWallet(world.database, { balancePaise: 0n });
    const paid = await seedCaptured(places(), { cardPaise: 0n, walletPaise: 30_000n });
    await world.request({ paymentId: paid.paymentId });
    await run();
    await world.database.query("ALTER TABLE audit_log DISABLE TRIGGER USER");
    await world.database.query(
      "UPDATE audit_log SET organization_id = $1 WHERE action = 'WALLET_REFUND'",
      [other.organizationId],
    );

    expect(await drifts(world.database)).toEqual(["WALLET_ATTRIBUTION_DRIFT"]);
    expect(
      await world.database.query(
        "SELECT subject_type, details FROM findings WHERE kind = 'wallet-attribution-drift'",
      ),
    ).toMatchObject([
      { subject_type: "refund-leg", details: { expectedPaise: "30000", actualPaise: "0" } },
    ]);
    await world.database.query("DELETE FROM audit_log WHERE action = 'WALLET_REFUND'");
    expect(await drifts(world.database)).toEqual(["WALLET_ATTRIBUTION_DRIFT"]);
  });
});

describe("an audit row of a refund that there is not", () => {
  it("is found by the reconciliation", async () => {
    const { walletId } = await seedWallet(world.database, { balancePaise: 0n });
    await world.database.query(
      `INSERT INTO audit_log (actor, category, action, subject_type, subject_id, detail)
       VALUES ('somebody', 'WALLET', 'WALLET_REFUND', 'wallet', $1, '{"amountPaise": "500"}')`,
      [walletId],
    );

    expect(await drifts(world.database)).toEqual(["WALLET_ATTRIBUTION_DRIFT"]);
  });
});

describe("two runs at once", () => {
  it("give everything back once", async () => {
    for (let count = 0; count < 4; count++) {
      const { paymentId } = await seedCaptured(places(), {
        cardPaise: 60_000n,
        walletPaise: 30_000n,
        creditPaise: 10_000n,
      });
      await world.request({ paymentId });
    }

    await Promise.all([run(), run(), run()]);
    await run();

    expect(sandbox.refunds()).toHaveLength(4);
    expect((await legRows(world.database)).every(({ state }) => state === "PROCESSED")).toBe(true);
    expect(
      await world.database.query("SELECT sum(balance_paise)::bigint AS paise FROM wallet_accounts"),
    ).toEqual([{ paise: 120_000n }]);
    expect(await drifts(world.database)).toEqual([]);
  });
});

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createRefundWorld,
  goesBack,
  seedPaid,
  type RefundWorld,
} from "../../support/refund-world.ts";

let world: RefundWorld;
beforeEach(async () => {
  world = await createRefundWorld();
});
afterEach(() => world.end());

const THREE_LEGS = { cardPaise: 60_000n, walletPaise: 30_000n, creditPaise: 10_000n };

const statusOf = async (paymentId: string): Promise<string | undefined> =>
  (
    await world.database.query<{ status: string }>(
      "SELECT status::text AS status FROM payments WHERE id = $1",
      [paymentId],
    )
  )[0]?.status;

describe("a refund that is asked for", () => {
  it("goes back by card first, and leaves a payment paid as long as some of it stays", async () => {
    const { paymentId } = await seedPaid(world.database, THREE_LEGS);

    expect(await world.request({ paymentId, amountPaise: 70_000n })).toMatchObject({
      kind: "requested",
    });

    expect(await goesBack(world.database, paymentId)).toEqual({ card: 60_000n, wallet: 10_000n });
    expect(await statusOf(paymentId)).toBe("PAID");
  });

  it("of all that is left makes the payment REFUNDING, and there is nothing left afterwards", async () => {
    const { paymentId } = await seedPaid(world.database, THREE_LEGS);
    await world.request({ paymentId, amountPaise: 70_000n });
    await world.request({ paymentId });

    expect(await goesBack(world.database, paymentId)).toEqual({
      card: 60_000n,
      wallet: 30_000n,
      referral_credit: 10_000n,
    });
    expect(await statusOf(paymentId)).toBe("REFUNDING");
    expect(await world.request({ paymentId })).toMatchObject({ code: "NOTHING_LEFT" });
  });

  it("happens once for its key, and never for another refund", async () => {
    const { paymentId } = await seedPaid(world.database);
    const other = await seedPaid(world.database);
    const first = await world.request({ paymentId, key: "once", amountPaise: 5_000n });

    const again = await world.request({ paymentId, key: "once", amountPaise: 5_000n });

    expect(again).toEqual({ ...first, kind: "known" });
    expect(await world.request({ paymentId, key: "once", amountPaise: 6_000n })).toMatchObject({
      code: "KEY_REUSED",
    });
    expect(
      await world.request({ paymentId: other.paymentId, key: "once", amountPaise: 5_000n }),
    ).toMatchObject({ code: "KEY_REUSED" });
    expect(await goesBack(world.database, paymentId)).toEqual({ card: 5_000n });
  });

  it("is refused where nothing was captured, and for more than was paid", async () => {
    const open = await seedPaid(world.database, { status: "PENDING" });
    const paid = await seedPaid(world.database);

    expect(await world.request({ paymentId: open.paymentId })).toMatchObject({
      code: "NOT_CAPTURED",
    });
    expect(await world.request({ paymentId: paid.paymentId, amountPaise: 100_001n })).toMatchObject(
      { code: "EXCEEDS_PAID" },
    );
    expect(await world.request({ paymentId: paid.paymentId, amountPaise: 0n })).toMatchObject({
      code: "AMOUNT_NOT_POSITIVE",
    });
    expect(
      await world.request({ paymentId: "00000000-0000-0000-0000-00000000dead" }),
    ).toMatchObject({ code: "UNKNOWN_PAYMENT" });
  });

  it("of an orphaned capture takes what was not given back when its checkout ended, and is of no sale", async () => {
    const { paymentId } = await seedPaid(world.database, { ...THREE_LEGS, status: "ORPHANED" });
    await world.database.query(
      "UPDATE payment_legs SET released_at = now() WHERE payment_id = $1 AND kind <> 'card'",
      [paymentId],
    );

    await world.request({ paymentId });

    expect(await goesBack(world.database, paymentId)).toEqual({ card: 60_000n });
    expect(await statusOf(paymentId)).toBe("REFUNDING");
    expect(await world.database.query("SELECT of_sale FROM refunds")).toEqual([{ of_sale: false }]);
  });

  it("is audited with who asked and why", async () => {
    const { paymentId } = await seedPaid(world.database);
    await world.request({ paymentId, requestedBy: "Asha", reason: "the class was cancelled" });

    expect(
      await world.database.query(
        "SELECT actor, action, reason FROM audit_log WHERE subject_type = 'payment' AND subject_id = $1",
        [paymentId],
      ),
    ).toEqual([{ actor: "Asha", action: "REFUND_REQUESTED", reason: "the class was cancelled" }]);
  });
});

describe("refunds of one payment at once", () => {
  it("together never take more from a leg than was paid by it", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.bigInt({ min: 1n, max: 60_000n }), { minLength: 2, maxLength: 6 }),
        async (amounts) => {
          const { paymentId } = await seedPaid(world.database, THREE_LEGS);

          const results = await Promise.all(
            amounts.map((amountPaise) => world.request({ paymentId, amountPaise })),
          );

          const asked = amounts.filter((_, index) => results[index]?.kind === "requested");
          const back = await goesBack(world.database, paymentId);
          expect(Object.values(back).reduce((sum, paise) => sum + paise, 0n)).toBe(
            asked.reduce((sum, paise) => sum + paise, 0n),
          );
          expect((back["card"] ?? 0n) <= 60_000n).toBe(true);
          expect((back["wallet"] ?? 0n) <= 30_000n).toBe(true);
          expect((back["referral_credit"] ?? 0n) <= 10_000n).toBe(true);
        },
      ),
      { numRuns: 15 },
    );
  });
});

import { expect, it } from "vitest";
import { refundEarning, type EarningRefund } from "../../../lib/earnings/index.ts";
import { createPayoutCycle, type PayoutCycle } from "../../support/payout-cycle.ts";

/** An earning of ₹1,000.00 of which ₹850.00 are owed. */
async function given(): Promise<{
  cycle: PayoutCycle;
  earningId: string;
  refund: (fields?: Partial<EarningRefund>) => ReturnType<typeof refundEarning>;
}> {
  const cycle = await createPayoutCycle();
  const earningId = await cycle.earning(await cycle.consultant("C-1"));
  const db = cycle.client();
  return {
    cycle,
    earningId,
    refund: (fields = {}) =>
      refundEarning(db, {
        earningId,
        key: "rfnd_1",
        grossPaise: 40_000n,
        amountPaise: 34_000n,
        ...fields,
      }),
  };
}

it("records a refund of a READY earning and books it, once", async () => {
  const { cycle, refund } = await given();

  expect(await refund()).toEqual({ kind: "refunded" });
  expect(await refund()).toEqual({ kind: "known" });

  expect(await cycle.query("SELECT key, gross_paise, amount_paise FROM earning_refunds")).toEqual([
    { key: "rfnd_1", gross_paise: 40_000n, amount_paise: 34_000n },
  ]);
  const entries = await cycle.query(
    `SELECT t.kind, a.code::text AS code, e.amount_paise AS amount
     FROM ledger_entries e JOIN ledger_transactions t ON t.id = e.transaction_id
     JOIN ledger_accounts a ON a.id = e.account_id
     WHERE t.key = 'earning-refunded:rfnd_1' ORDER BY a.code`,
  );
  expect(entries).toEqual([
    { kind: "earning-refunded", code: "PLATFORM_CLEARING", amount: -34_000n },
    { kind: "earning-refunded", code: "CONSULTANT_PAYABLE", amount: 34_000n },
  ]);
  expect(await cycle.breaches()).toEqual([]);
});

it("takes several refunds until nothing is left, and not a paisa more", async () => {
  const { cycle, refund } = await given();

  await refund();
  expect(await refund({ key: "rfnd_2", grossPaise: 60_000n, amountPaise: 51_001n })).toMatchObject({
    kind: "refused",
    code: "REFUND_EXCEEDS_EARNING",
    message: expect.stringContaining("₹510.00 of ₹600.00 left") as string,
  });
  expect(await refund({ key: "rfnd_2", grossPaise: 60_000n, amountPaise: 51_000n })).toEqual({
    kind: "refunded",
  });
  expect(await refund({ key: "rfnd_3", grossPaise: 1n, amountPaise: 1n })).toMatchObject({
    code: "REFUND_EXCEEDS_EARNING",
  });
  expect(await cycle.breaches()).toEqual([]);
});

it.each<[string, Partial<EarningRefund>, string]>([
  ["nothing", { grossPaise: 0n, amountPaise: 0n }, "AMOUNT_NOT_POSITIVE"],
  ["less than nothing", { amountPaise: -1n }, "AMOUNT_NOT_POSITIVE"],
  ["more than the buyer got", { grossPaise: 100n, amountPaise: 101n }, "AMOUNT_NOT_POSITIVE"],
  // It would leave ₹850.00 less one paisa owed of ₹600.00.
  ["gross without its share", { grossPaise: 40_000n, amountPaise: 1n }, "REFUND_EXCEEDS_EARNING"],
  [
    "an earning that does not exist",
    { earningId: "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42" },
    "UNKNOWN_EARNING",
  ],
])("refuses %s", async (_what, fields, code) => {
  const { cycle, refund } = await given();

  expect(await refund(fields)).toMatchObject({ kind: "refused", code });
  expect(await cycle.query("SELECT 1 FROM earning_refunds")).toEqual([]);
});

it("refuses a key that already belongs to another refund", async () => {
  const { refund } = await given();
  await refund();

  expect(await refund({ amountPaise: 33_999n })).toMatchObject({ code: "KEY_REUSED" });
});

it("refuses an earning that is in a payout, and the database refuses it as well", async () => {
  const { cycle, earningId, refund } = await given();
  await cycle.batch();

  expect(await refund()).toMatchObject({ kind: "refused", code: "EARNING_NOT_READY" });
  await expect(
    cycle.query(
      "INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise) VALUES ($1, 'x', 100, 100)",
      [earningId],
    ),
  ).rejects.toMatchObject({ constraint: "earning_refunds_before_payout" });
});

it("lets at most one of many refunds of everything through", async () => {
  const { cycle, earningId } = await given();
  const clients = [1, 2, 3, 4].map(() => cycle.client());

  const results = await Promise.all(
    clients.map((db, number) =>
      refundEarning(db, {
        earningId,
        key: `rfnd_${number}`,
        grossPaise: 100_000n,
        amountPaise: 85_000n,
      }),
    ),
  );

  expect(results.map(({ kind }) => kind).sort()).toEqual([
    "refunded",
    "refused",
    "refused",
    "refused",
  ]);
  expect(await cycle.breaches()).toEqual([]);
});

it("books one refund when the same one arrives several times at once", async () => {
  const { cycle, earningId } = await given();
  const clients = [1, 2, 3].map(() => cycle.client());

  const results = await Promise.all(
    clients.map((db) =>
      refundEarning(db, { earningId, key: "rfnd_1", grossPaise: 1_000n, amountPaise: 850n }),
    ),
  );

  expect(results.map(({ kind }) => kind).sort()).toEqual(["known", "known", "refunded"]);
  expect(await cycle.breaches()).toEqual([]);
});

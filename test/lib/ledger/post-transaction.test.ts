import { describe, expect, it } from "vitest";
import { inTransaction, type DbSession } from "../../../lib/db/client.ts";
import { postTransaction, type Posting } from "../../../lib/ledger/post-transaction.ts";
import { readTrialBalance } from "../../../lib/ledger/trial-balance.ts";
import { seedWallet } from "../../../scripts/dev/seed/bookings.ts";
import { withDb } from "../payouts/sessions.ts";
import { useWorld } from "../payouts/world.ts";

const world = useWorld();

describe("a posting", () => {
  it("makes the accounts that it needs, leaves out entries of zero, and balances", async () => {
    const posting = await movement();
    await post((tx) => postTransaction(tx, posting));
    expect(await entries(posting.key)).toEqual([
      { code: "PLATFORM_CLEARING", paise: -60_00n },
      { code: "PLATFORM_CLEARING", paise: -40_00n },
      { code: "WALLET", paise: 100_00n },
    ]);
    await undo(posting);
  });

  it("happens once for its key, whoever tries again", async () => {
    const posting = await movement();
    await post((tx) => postTransaction(tx, posting));
    await post((tx) => postTransaction(tx, posting));
    await Promise.all([1, 2, 3].map(() => post((tx) => postTransaction(tx, posting))));
    expect(await entries(posting.key)).toHaveLength(3);
    await undo(posting);
  });

  it("by several at once to accounts that do not exist yet makes each account once", async () => {
    const posting = await movement();
    await Promise.all(
      [1, 2, 3, 4].map((number) =>
        post((tx) => postTransaction(tx, { ...posting, key: `wallet-held:${number}` })),
      ),
    );
    const accounts = await world.database.query(
      "SELECT code FROM ledger_accounts GROUP BY code, consultant_id HAVING count(*) > 1",
    );
    expect(accounts).toEqual([]);
    for (const number of [1, 2, 3, 4]) {
      const key = `wallet-held:${number}`;
      expect(await entries(key)).toHaveLength(3);
      await undo({ ...posting, key });
    }
  });

  it("that is out of balance is refused before it is sent, by its key", async () => {
    const posting = await movement();
    const [first, ...rest] = posting.entries;
    if (!first) throw new Error("no entry");
    const broken = [{ ...first, amountPaise: first.amountPaise + 1n }, ...rest];
    await expect(
      post((tx) => postTransaction(tx, { ...posting, entries: broken })),
    ).rejects.toMatchObject({
      code: "LEDGER_UNBALANCED",
      message: `posting ${posting.key} is out of balance by ₹0.01`,
    });
    expect(await entries(posting.key)).toEqual([]);
  });

  it("is gone with the transaction that it was part of", async () => {
    const posting = await movement();
    await expect(
      post(async (tx) => {
        await postTransaction(tx, posting);
        throw new Error("half-way");
      }),
    ).rejects.toThrow("half-way");
    expect(await entries(posting.key)).toEqual([]);
  });
});

describe("the trial balance", () => {
  it("is zero everywhere in empty books", async () => {
    expect(await withDb(world.database, readTrialBalance)).toEqual({
      accounts: [],
      balanced: true,
      payableDriftPaise: 0n,
    });
  });

  it("sums each kind of account and agrees with unpaid earnings, before and after a run", async () => {
    await world.payout();
    await world.payout({ panStatus: "missing" });
    expect(await withDb(world.database, readTrialBalance)).toEqual({
      accounts: [
        { code: "CONSULTANT_PAYABLE", balancePaise: -1_800_00n },
        { code: "PLATFORM_CLEARING", balancePaise: 1_800_00n },
      ].toSorted((a, b) => ORDER.indexOf(a.code) - ORDER.indexOf(b.code)),
      balanced: true,
      payableDriftPaise: 0n,
    });
    await world.run();
    const after = await withDb(world.database, readTrialBalance);
    expect(after).toEqual({
      accounts: [
        { code: "PLATFORM_CLEARING", balancePaise: 1_800_00n },
        { code: "CONSULTANT_PAYABLE", balancePaise: 0n },
        { code: "BANK", balancePaise: -(900_00n + 850_00n + 2n * 5_90n) },
        { code: "TAX_PAYABLE", balancePaise: -50_00n },
        { code: "PROVIDER_FEES", balancePaise: 10_00n },
        { code: "PROVIDER_FEES_TAX", balancePaise: 1_80n },
      ],
      balanced: true,
      payableDriftPaise: 0n,
    });
    expect(after.accounts.reduce((sum, { balancePaise }) => sum + balancePaise, 0n)).toBe(0n);
  });

  it("says by how much the books owe more than the earnings say", async () => {
    const payout = await world.payout();
    const wrong = (paise: bigint): Posting => ({
      key: `wallet-held:${payout.id}:${paise}`,
      kind: "wallet-held",
      entries: [
        {
          account: { code: "CONSULTANT_PAYABLE", consultantId: payout.consultantId },
          amountPaise: paise,
        },
        { account: { code: "BANK" }, amountPaise: -paise },
      ],
    });
    // The database refuses such a posting: this is of before it did.
    const guard = (state: "ENABLE" | "DISABLE"): Promise<unknown> =>
      world.database.query(`ALTER TABLE ledger_entries ${state} TRIGGER ledger_entries_of_source`);
    await guard("DISABLE");
    await post((tx) => postTransaction(tx, wrong(100_00n)));
    const { payableDriftPaise } = await withDb(world.database, readTrialBalance);
    expect(payableDriftPaise).toBe(-100_00n);
    await post((tx) => postTransaction(tx, wrong(-100_00n)));
    await guard("ENABLE");
  });
});

/** In the order in which the schema declares them. */
const ORDER = ["PLATFORM_CLEARING", "CONSULTANT_PAYABLE"];

/** As a checkout takes ₹100 from a wallet. */
async function movement(): Promise<Posting> {
  const { walletId, organizationId } = await seedWallet(world.database, { balancePaise: 0n });
  return {
    key: `wallet-held:${walletId}`,
    kind: "wallet-held",
    organizationId,
    entries: [
      { account: { code: "WALLET", walletId }, amountPaise: 100_00n },
      { account: { code: "PROVIDER_FEES" }, amountPaise: 0n },
      { account: { code: "PLATFORM_CLEARING" }, amountPaise: -60_00n },
      { account: { code: "PLATFORM_CLEARING" }, amountPaise: -40_00n },
    ],
  };
}

/** The same the other way round, so that the books are as before. */
function undo(posting: Posting): Promise<void> {
  const opposite = posting.entries.map((entry) => ({ ...entry, amountPaise: -entry.amountPaise }));
  return post((tx) =>
    postTransaction(tx, { ...posting, key: `${posting.key}:undone`, entries: opposite }),
  );
}

function post(body: (tx: DbSession) => Promise<void>): Promise<void> {
  return withDb(world.database, (db) => inTransaction(db, body));
}

function entries(key: string): Promise<{ code: string; paise: bigint }[]> {
  return world.database.query(
    `SELECT account.code::text AS code, amount_paise AS paise
     FROM ledger_entries JOIN ledger_transactions AS posted ON posted.id = transaction_id
     JOIN ledger_accounts AS account ON account.id = account_id
     WHERE posted.key = $1 ORDER BY 1, 2`,
    [key],
  );
}

import { describe, expect, it } from "vitest";
import { runReconcile } from "../../support/reconcile-run.ts";
import { useWorld } from "../payouts/world.ts";
import type { PayoutProvider, Transaction } from "../../../lib/provider/index.ts";

const world = useWorld();
const DAY_MS = 24 * 3_600_000;

const read = (
  options: Partial<Parameters<typeof runReconcile>[0]> = {},
): ReturnType<typeof runReconcile> =>
  runReconcile({ database: world.database, sandbox: world.sandbox, ...options });

async function days(): Promise<
  { opening: bigint; credits: bigint; debits: bigint; closing: bigint; ago: number }[]
> {
  return world.database.query(
    `SELECT opening_paise AS opening, credits_paise AS credits, debits_paise AS debits, closing_paise AS closing,
            (india_today() - day)::int AS ago
     FROM provider_days ORDER BY day`,
  );
}

async function ledgerCash(): Promise<bigint | undefined> {
  const [row] = await world.database.query<{ paise: bigint }>(
    `SELECT sum(entry.amount_paise)::bigint AS paise FROM ledger_entries AS entry
     JOIN ledger_accounts AS account ON account.id = entry.account_id WHERE account.code = 'BANK'`,
  );
  return row?.paise;
}

const findings = async (): Promise<string[]> =>
  (await world.database.query<{ kind: string }>("SELECT kind FROM findings ORDER BY kind")).map(
    ({ kind }) => kind,
  );

/** The provider's transactions, each so many days older than it is, with running balances. */
const aged =
  (list: readonly { daysAgo: number; credit?: bigint; debit?: bigint }[], closing: bigint) =>
  (gateway: PayoutProvider): PayoutProvider => {
    let balance = closing - list.reduce((sum, t) => sum + (t.credit ?? 0n) - (t.debit ?? 0n), 0n);
    const transactions = list.map((t, index): Transaction => {
      balance += (t.credit ?? 0n) - (t.debit ?? 0n);
      return {
        id: `txn_${index}`,
        amountPaise: (t.credit ?? 0n) + (t.debit ?? 0n),
        creditPaise: t.credit ?? 0n,
        debitPaise: t.debit ?? 0n,
        balancePaise: balance,
        source: { id: `src_${index}`, entity: t.credit ? "bank_transfer" : "adjustment" },
        payoutId: null,
        createdAt: new Date(Date.now() - t.daysAgo * DAY_MS),
      };
    });
    const answer = { kind: "accepted", httpStatus: 200, body: {} } as const;
    return {
      ...gateway,
      listTransactions: ({ fromMs = 0, skip = 0, count = 100 }) =>
        Promise.resolve({
          ...answer,
          value: transactions
            .filter(({ createdAt }) => createdAt.getTime() >= fromMs)
            .reverse()
            .slice(skip, skip + count),
        }),
      balances: () =>
        Promise.resolve({
          ...answer,
          value: [
            {
              isPayoutAccount: true,
              accountType: null,
              amountPaise: balance,
              availablePaise: balance,
              refreshedAt: null,
            },
          ],
        }),
    };
  };

describe("closing the days of the account", () => {
  it("proves each day that is over: opening + credits - debits = closing", async () => {
    const wrapGateway = aged(
      [
        { daysAgo: 3, credit: 5_000n },
        { daysAgo: 3, debit: 1_200n },
        { daysAgo: 1, credit: 300n },
        { daysAgo: 0, credit: 40n },
      ],
      10_000n,
    );
    const { report } = await read({ wrapGateway, days: 5 });
    expect(report.statement).toEqual({
      transactionsRead: 4,
      daysClosed: 5,
      balancePaise: 10_000n,
    });
    const closed = await days();
    expect(closed.map(({ ago }) => ago)).toEqual([5, 4, 3, 2, 1]);
    expect(closed[2]).toMatchObject({
      opening: 5_860n,
      credits: 5_000n,
      debits: 1_200n,
      closing: 9_660n,
    });
    expect(closed[4]).toMatchObject({ opening: 9_660n, credits: 300n, closing: 9_960n });
  });

  it("goes on where it stopped, and reads nothing twice", async () => {
    const movements = [
      { daysAgo: 4, credit: 5_000n },
      { daysAgo: 2, credit: 700n },
    ];
    await read({ wrapGateway: aged(movements, 5_700n), days: 5 });
    const again = await read({ wrapGateway: aged(movements, 5_700n), days: 5 });
    expect(again.report.statement).toMatchObject({ transactionsRead: 0, daysClosed: 0 });
    const more = [...movements, { daysAgo: 0, credit: 9n }];
    const third = await read({ wrapGateway: aged(more, 5_709n), days: 5 });
    expect(third.report.statement).toMatchObject({ transactionsRead: 1, daysClosed: 0 });
  });

  it("closes nothing when the balance is not what the transactions come to", async () => {
    const movements = [{ daysAgo: 2, credit: 5_000n }];
    await read({ wrapGateway: aged(movements, 5_000n), days: 3 });
    const wrong = (gateway: PayoutProvider): PayoutProvider => ({
      ...aged(movements, 5_000n)(gateway),
      balances: (...call) => aged(movements, 4_000n)(gateway).balances(...call),
    });
    const { verdict } = await read({ wrapGateway: wrong, days: 3 });
    expect(verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    expect(await findings()).toEqual(["statement-does-not-add-up"]);
  });

  it("stops before a day whose closing is not the balance that the provider states", async () => {
    const lying = (gateway: PayoutProvider): PayoutProvider => {
      const honest = aged([{ daysAgo: 2, credit: 5_000n }], 5_000n)(gateway);
      return {
        ...honest,
        listTransactions: async (...call) => {
          const answer = await honest.listTransactions(...call);
          if (answer.kind !== "accepted") return answer;
          return { ...answer, value: answer.value.map((t) => ({ ...t, balancePaise: 4_999n })) };
        },
      };
    };
    await read({ wrapGateway: lying, days: 3 });
    expect((await days()).map(({ ago }) => ago)).toEqual([3]);
    expect(await findings()).toEqual(["statement-does-not-add-up"]);
  });

  it("finds a transaction that appears after its day was closed", async () => {
    await read({ wrapGateway: aged([{ daysAgo: 1, credit: 5_000n }], 5_000n), days: 3 });
    const late = [
      { daysAgo: 1, credit: 5_000n },
      { daysAgo: 1, credit: 80n },
    ];
    await read({ wrapGateway: aged(late, 5_080n), days: 3 });
    expect(await findings()).toContain("statement-does-not-add-up");
  });

  it("closes no day while the balance keeps moving, and says nothing is wrong", async () => {
    let paise = 0n;
    const moving = (gateway: PayoutProvider): PayoutProvider => {
      const still = aged([{ daysAgo: 1, credit: 5_000n }], 5_000n)(gateway);
      return {
        ...still,
        balances: async (...call) => {
          const answer = await still.balances(...call);
          if (answer.kind !== "accepted") return answer;
          const value = answer.value.map((balance) => ({ ...balance, amountPaise: ++paise }));
          return { ...answer, value };
        },
      };
    };
    const { report, verdict } = await read({ wrapGateway: moving, days: 3 });
    expect(report.statement).toEqual({
      transactionsRead: 1,
      daysClosed: 0,
      balancePaise: undefined,
    });
    expect(verdict.kind).toBe("completed");
  });
});

describe("the cash in the books", () => {
  it("begins with what the account holds, and takes in what is added", async () => {
    await read();
    expect(await ledgerCash()).toBe(BigInt(world.sandbox.account().balancePaise));
    world.sandbox.changeBalance({ addPaise: 77_000 });
    await read();
    await read();
    expect(await ledgerCash()).toBe(BigInt(world.sandbox.account().balancePaise));
  });

  it("does not count twice what was paid and booked before the account was first read", async () => {
    await world.payout();
    await world.run();
    await world.database.query(
      `SET session_replication_role = replica;
       UPDATE payout_attempts SET created_at = created_at - interval '40 days';
       SET session_replication_role = DEFAULT`,
    );
    const nothingOnTheStatement = (gateway: PayoutProvider): PayoutProvider => ({
      ...gateway,
      listTransactions: async (...call) => {
        const answer = await gateway.listTransactions(...call);
        return answer.kind === "accepted" ? { ...answer, value: [] } : answer;
      },
    });
    await read({ wrapGateway: nothingOnTheStatement });
    expect(await ledgerCash()).toBe(BigInt(world.sandbox.account().balancePaise));
  });

  it("leaves out what nobody can explain, which is a finding instead", async () => {
    await read();
    const before = await ledgerCash();
    const { balancePaise } = world.sandbox.account();
    world.sandbox.changeBalance({ balancePaise: balancePaise - 500 });
    const { verdict } = await read();
    expect(verdict).toMatchObject({ kind: "completed", warning: expect.any(String) as string });
    expect(await findings()).toEqual(["unexplained-transaction"]);
    expect(await ledgerCash()).toBe(before);
  });
});

/** As the owner writes who has switched off the triggers, and as before there were these. */
const PAST_TRIGGERS = "FROM set_config('session_replication_role', 'replica', true)";

describe("a date that can not be", () => {
  it.each([
    [
      "provider_transactions_date",
      "provider_transactions (id, credit_paise, debit_paise, at)",
      "'t', 0, 1, '2099-01-01'",
    ],
    [
      "provider_transactions_date",
      "provider_transactions (id, credit_paise, debit_paise, at)",
      "'t', 0, 1, now() + interval '25 hours'",
    ],
    ["provider_days_over", "provider_days", "'2099-01-01', 0, 0, 0, 0, 0"],
    ["provider_days_over", "provider_days", "india_today(), 0, 0, 0, 0, 0"],
  ])("is refused by the database (%s: %s, %s)", async (constraint, table, values) => {
    await expect(
      world.database.query(`INSERT INTO ${table} VALUES (${values})`),
    ).rejects.toMatchObject({ constraint });
  });

  it("is refused of a day that does not go on from the last one, in its day or its opening", async () => {
    const day = (ago: number, opening: number, credits = 0): Promise<unknown> =>
      world.database.query(
        "INSERT INTO provider_days SELECT india_today() - $1::int, $2, $3, 0, $2::bigint + $3::bigint, 0",
        [ago, opening, credits],
      );
    await day(5, 100, 7);
    for (const [ago, opening] of [
      [3, 107],
      [6, 100],
      [4, 106],
    ] as const)
      await expect(day(ago, opening)).rejects.toMatchObject({
        constraint: "provider_days_in_turn",
      });
    await day(4, 107);
  });

  it("that is there already blinds nothing: reading begins at now, and days go on", async () => {
    await read({ wrapGateway: aged([{ daysAgo: 2, credit: 500n }], 500n), days: 3 });
    await world.database.query(
      `INSERT INTO provider_transactions (id, credit_paise, debit_paise, at) SELECT 'txn_future', 1, 0, '2099-01-01' ${PAST_TRIGGERS}`,
    );
    await world.database.query(
      `INSERT INTO provider_transactions (id, credit_paise, debit_paise, at) SELECT 'txn_back', 0, 1, '2099-01-01' ${PAST_TRIGGERS}`,
    );
    await world.database.query(
      `INSERT INTO provider_days SELECT '2099-01-01', 0, 0, 0, 0, 0 ${PAST_TRIGGERS}`,
    );
    const later = [
      { daysAgo: 2, credit: 500n },
      { daysAgo: 0, credit: 30n },
    ];
    const { report } = await read({ wrapGateway: aged(later, 530n), days: 3 });
    expect(report.statement).toMatchObject({ transactionsRead: 1, balancePaise: 530n });
    expect(await findings()).not.toContain("statement-does-not-add-up");
    expect(await ledgerCash()).toBe(530n);
  });

  it("of the provider's is stored as now and booked, and a person is told", async () => {
    const movements = [
      { daysAgo: 1, credit: 500n },
      { daysAgo: -400, credit: 70n },
    ];
    const wrapGateway = aged(movements, 570n);
    for (let time = 0; time < 2; time++) {
      const { report, verdict } = await read({ wrapGateway, days: 3 });
      expect(verdict.kind).toBe("completed");
      expect(report.statement).toMatchObject({ balancePaise: 570n });
    }
    expect(await findings()).toEqual(["statement-date-wrong"]);
    expect(await ledgerCash()).toBe(570n);
    expect(
      await world.database.query(
        "SELECT id, at <= now() AS past, balance_paise FROM provider_transactions ORDER BY id",
      ),
    ).toEqual([
      { id: "txn_0", past: true, balance_paise: 500n },
      { id: "txn_1", past: true, balance_paise: null },
    ]);
  });
});

describe("a reading that does not succeed", () => {
  it.each(["GET /transactions", "GET /banking_balances"] as const)(
    "is red, stores nothing, and does not hide what was compared (%s)",
    async (on) => {
      await world.payout();
      await world.run();
      world.sandbox.addFaults({ on, status: 503, times: -1 });
      const { verdict, report } = await read();
      expect(verdict).toMatchObject({ kind: "failed", code: "gateway-down" });
      expect(report).toMatchObject({ read: 1, same: 1 });
      expect(await days()).toEqual([]);
    },
  );

  it("names the account when the provider lists no balance of it", async () => {
    const without = (gateway: PayoutProvider): PayoutProvider => ({
      ...gateway,
      balances: async (...call) => {
        const answer = await gateway.balances(...call);
        return answer.kind === "accepted" ? { ...answer, value: [] } : answer;
      },
    });
    await expect(read({ wrapGateway: without })).rejects.toMatchObject({
      code: "ACCOUNT_NOT_LISTED",
    });
  });
});

describe("what was read and closed", () => {
  it.each([
    ["provider_transactions", "credit_paise = credit_paise + 1"],
    ["provider_days", "transactions = 0"],
  ])("never changes and is never deleted: %s", async (table, change) => {
    world.sandbox.changeBalance({ addPaise: 100 });
    await read();
    const refused = { constraint: `${table}_append_only` };
    await expect(world.database.query(`UPDATE ${table} SET ${change}`)).rejects.toMatchObject(
      refused,
    );
    await expect(world.database.query(`DELETE FROM ${table}`)).rejects.toMatchObject(refused);
  });

  it("adds up by the database's own check", async () => {
    await expect(
      world.database.query("INSERT INTO provider_days VALUES ('2020-01-01', 100, 5, 0, 104, 1)"),
    ).rejects.toMatchObject({ constraint: "provider_days_proven" });
    await expect(
      world.database.query(
        "INSERT INTO provider_transactions (id, credit_paise, debit_paise, at) VALUES ('t', 1, 1, now())",
      ),
    ).rejects.toMatchObject({ constraint: "provider_transactions_amounts" });
  });
});

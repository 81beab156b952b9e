import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedWallet } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { seedPayee, type SeededPayee } from "../support/payout-world.ts";
import { createLogins, type Logins } from "../support/roles.ts";

/** A stolen login of the jobs tries these statements; it has every right that the jobs have. */
let database: TestDatabase;
let logins: Logins;
let client: pg.Client;
/** Has an earning of ₹1,000.00, of which ₹900.00 are to pay, that no payout holds. */
let payee: SeededPayee;
let earning: string;
/** Has an approved payout. */
let approved: SeededPayee;
let walletId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  logins = await createLogins(database);
  payee = await seedPayee(database);
  earning = payee.payouts[0]?.earningIds[0] ?? "";
  await database.query("UPDATE payouts SET status = 'REJECTED'");
  await database.query("UPDATE payout_items SET released_at = now()");
  await database.query("UPDATE earnings SET status = 'READY'");
  approved = await seedPayee(database);
  walletId = (await seedWallet(database, { balancePaise: 5_000n })).walletId;
  client = new pg.Client({ connectionString: (await logins.login("afterhours_jobs")).url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await logins.drop();
  await database.drop();
});

const NEW = "00000000-0000-4000-8000-00000000000a";
const RUN = "00000000-0000-4000-8000-000000000001";

/** The rule that refuses these statements of one transaction, at the latest when it commits; `nothing` if none does. */
async function refusedBy(...statements: readonly string[]): Promise<string> {
  await client.query("BEGIN");
  try {
    for (const statement of statements) await client.query(statement);
    await client.query("SET CONSTRAINTS ALL IMMEDIATE");
    return "nothing";
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return error.constraint ?? error.message;
  } finally {
    await client.query("ROLLBACK");
  }
}

const makePayout = (gross = 100_000, amount = 90_000): string =>
  `INSERT INTO payouts (id, consultant_id, gross_paise, amount_paise, status, approved_at)
   VALUES ('${NEW}', '${payee.consultantId}', ${gross}, ${amount}, 'APPROVED', now())`;
const makeItem = (gross = 100_000, amount = 90_000): string =>
  `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
   VALUES ('${NEW}', '${earning}', ${gross}, ${amount})`;
const approvedId = (): string => approved.payouts[0]?.id ?? "";
const claim = (tax = 0): string =>
  `UPDATE payouts SET status = 'PROCESSING', claimed_by = '${RUN}', claimed_at = now(),
          tax_paise = ${tax}, net_paise = amount_paise - ${tax} WHERE id = '${approvedId()}'`;
const attempt = (amount: number): string =>
  `INSERT INTO payout_attempts (id, payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id,
          mode, amount_paise, request_hash, request_body)
   VALUES ('${NEW}', '${approvedId()}', 1, '${approved.payoutAccountId ?? ""}', '${RUN}', gen_random_uuid(),
           gen_random_uuid(), 'IMPS', ${amount}, repeat('0', 64), '{}')`;
const deduction = (gross: number, tax = 100): string =>
  `INSERT INTO tax_deductions (consultant_id, payout_id, earning_id, fiscal_year, credited_on, gross_paise, tax_paise,
          rate_bps, section, code, reason)
   SELECT consultant_id, '${approvedId()}', id,
          extract(year FROM credited_on - interval '3 months'), credited_on, ${gross}, ${tax}, 10, '194-O', '94O',
          'standard-rate'
   FROM earnings WHERE id = '${approved.payouts[0]?.earningIds[0] ?? ""}'`;

describe("a payout", () => {
  it("is made of what its earning leaves", async () => {
    expect(await refusedBy(makePayout(), makeItem())).toBe("nothing");
  });

  it.each([
    [
      "of more than its earning, copied into its item",
      50_000_000,
      45_000_000,
      50_000_000,
      45_000_000,
    ],
    ["of less", 100_000, 80_000, 100_000, 80_000],
    ["taxed on less", 95_000, 90_000, 95_000, 90_000],
  ])("%s is refused", async (_, gross, amount, itemGross, itemAmount) => {
    expect(await refusedBy(makePayout(gross, amount), makeItem(itemGross, itemAmount))).toBe(
      "payout_items_of_earning",
    );
  });

  it("that says more than its item is refused, and one without an item", async () => {
    expect(await refusedBy(makePayout(50_000_000, 45_000_000), makeItem())).toBe(
      "payouts_items_sum",
    );
    expect(await refusedBy(makePayout())).toBe("payouts_items_sum");
  });

  it("gets no item later", async () => {
    const add = `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
      SELECT '${approvedId()}', id, gross_paise, amount_paise FROM earnings WHERE consultant_id = '${approved.consultantId}'
      AND id <> '${approved.payouts[0]?.earningIds[0] ?? ""}'`;
    await database.query(
      `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
       VALUES ($1, 'BK-later', '2026-06-15', 100000, 10000, 90000)`,
      [approved.consultantId],
    );
    expect(await refusedBy(add)).toBe("payouts_items_sum");
  });

  it("holds nothing that is not due yet", async () => {
    await database.query("UPDATE earnings SET hold_until = india_today() + 1 WHERE id = $1", [
      earning,
    ]);
    expect(await refusedBy(makePayout(), makeItem())).toBe("payout_items_of_earning");
    await database.query("UPDATE earnings SET hold_until = NULL WHERE id = $1", [earning]);
  });

  it("keeps its earnings until it will not be sent", async () => {
    const release = `UPDATE payout_items SET released_at = now() WHERE payout_id = '${approvedId()}'`;
    expect(await refusedBy(release)).toBe("payout_items_released_after");
    expect(await refusedBy(claim(), release)).toBe("payout_items_released_after");
    const failed = `UPDATE payouts SET status = 'FAILED' WHERE id = '${approvedId()}'`;
    expect(await refusedBy(claim(), failed, release)).toBe("nothing");
  });

  it("takes an earning back only as it left", async () => {
    const back = `UPDATE payout_items SET released_at = NULL WHERE earning_id = '${earning}'`;
    const refund = `INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise)
      VALUES ('${earning}', 'rfnd_1', 100, 90)`;
    expect(await refusedBy(back)).toBe("nothing");
    expect(await refusedBy(refund, back)).toBe("payout_items_of_earning");
  });

  it("is completed only when an attempt paid it", async () => {
    const completed = `UPDATE payouts SET status = 'COMPLETED' WHERE id = '${approvedId()}'`;
    const paid = `UPDATE payout_attempts SET state = 'PROCESSED', provider_payout_id = 'pout_1'`;
    expect(await refusedBy(claim(), completed)).toBe("payouts_completed_when_paid");
    expect(await refusedBy(claim(), attempt(90_000), completed)).toBe(
      "payouts_completed_when_paid",
    );
    expect(await refusedBy(claim(), attempt(90_000), paid, completed)).toBe("nothing");
    // Tax that took all of it would be in its deductions.
    expect(await refusedBy(claim(90_000), completed)).toBe("payouts_completed_when_paid");
  });
});

describe("what leaves", () => {
  it("is what the earnings say less what the deductions say", async () => {
    expect(await refusedBy(claim(100), deduction(100_000), attempt(89_900))).toBe("nothing");
    expect(await refusedBy(claim(0), deduction(100_000), attempt(90_000))).toBe(
      "payout_attempts_of_earnings",
    );
    expect(await refusedBy(claim(100), attempt(89_900))).toBe("payout_attempts_of_earnings");
  });

  it("is taxed on the gross of the sale that the payout holds", async () => {
    expect(await refusedBy(claim(), deduction(99_999))).toBe("tax_deductions_of_item");
  });
});

describe("a posting", () => {
  const post = (
    kind: string,
    key: string,
    entries: readonly (readonly [account: string, paise: number])[],
    columns: Record<string, string> = {},
  ): string[] => [
    `INSERT INTO ledger_accounts (code) VALUES ('PLATFORM_CLEARING'), ('BANK'), ('TAX_PAYABLE') ON CONFLICT DO NOTHING`,
    `INSERT INTO ledger_transactions (${["id", "key", "kind", ...Object.keys(columns)].join(", ")})
     VALUES (${[NEW, key, kind, ...Object.values(columns)].map((value) => `'${value}'`).join(", ")})`,
    `INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
     SELECT '${NEW}', account.id, entry.paise
     FROM (VALUES ${entries.map(([name, paise]) => `('${name}', ${paise}::bigint)`).join(", ")}) AS entry (name, paise)
     JOIN ledger_accounts AS account
       ON COALESCE(account.consultant_id, account.wallet_id)::text = entry.name OR account.code::text = entry.name`,
  ];

  it("that covers a payout which is too high is refused", async () => {
    const cover = [
      ["PLATFORM_CLEARING", 44_100_000],
      [payee.consultantId, -44_100_000],
    ] as const;
    for (const [kind, key] of [
      ["provider-funding", "provider-transaction:txn_1"],
      ["provider-opening", "provider-opening"],
      ["earning-released", `earning-released:${earning}`],
      ["payout-reversed", `payout-reversed:${approvedId()}`],
      ["wallet-refunded", `wallet-refunded:${NEW}`],
      ["tax-deposited", "tax-deposited:not-an-id"],
    ] as const)
      expect([kind, await refusedBy(...post(kind, key, cover))]).toEqual([
        kind,
        // Each earning is released already, so that its key is taken.
        kind === "earning-released"
          ? "ledger_transactions_key_key"
          : "ledger_transactions_of_source",
      ]);
    expect(await refusedBy(...post("manual", "manual", cover))).toBe("ledger_transactions_kind");
  });

  it("of a real source has the amount of that source", async () => {
    const funding = (paise: number): string[] => [
      `INSERT INTO provider_transactions (id, credit_paise, debit_paise, source_entity, at)
       VALUES ('txn_2', 700, 0, 'bank_transfer', now())`,
      ...post("provider-funding", "provider-transaction:txn_2", [
        ["BANK", paise],
        ["PLATFORM_CLEARING", -paise],
      ]),
    ];
    expect(await refusedBy(...funding(700))).toBe("nothing");
    expect(await refusedBy(...funding(701))).toBe("ledger_transactions_of_source");
  });

  it("of a payout is the payout's own, once it is paid", async () => {
    const completed = (amount: number): string[] =>
      post(
        "payout-completed",
        `payout-completed:${approvedId()}`,
        [
          [approved.consultantId, amount],
          ["BANK", -amount],
        ],
        { payout_id: approvedId() },
      );
    const paid = [
      claim(),
      attempt(90_000),
      "UPDATE payout_attempts SET state = 'PROCESSED', provider_payout_id = 'pout_1'",
      `UPDATE payouts SET status = 'COMPLETED' WHERE id = '${approvedId()}'`,
    ];
    expect(await refusedBy(...paid, ...completed(90_000))).toBe("nothing");
    expect(await refusedBy(...paid, ...completed(90_001))).toBe("ledger_transactions_of_source");
    expect(await refusedBy(...completed(90_000))).toBe("ledger_transactions_of_source");
  });

  it("of the marketplace is not the jobs' to make", async () => {
    const funded = post("wallet-funded", `wallet-funded:${NEW}`, [
      [walletId, -900],
      ["PLATFORM_CLEARING", 900],
    ]);
    expect(await refusedBy(...funded)).toBe("ledger_transactions_of_marketplace");
  });
});

describe("a wallet", () => {
  it("holds what the books say", async () => {
    const raise = `UPDATE wallet_accounts SET balance_paise = balance_paise + 1 WHERE id = '${walletId}'`;
    expect(await refusedBy(raise)).toBe("wallet_accounts_booked");
  });
});

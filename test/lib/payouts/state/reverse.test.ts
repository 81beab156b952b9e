import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../../lib/db/client.ts";
import { openGateway } from "../../../../lib/razorpay/open-gateway.ts";
import { reversePayout, type Reversal } from "../../../../lib/payouts/state/reverse.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { settingsFor, type SeededPayout } from "../../../support/payout-world.ts";
import { useWorld } from "../world.ts";
import type { ProviderPayout } from "../../../../lib/provider/index.ts";

const world = useWorld();
const clients: Db[] = [];

// Before the world's own: its database is dropped once nobody is connected.
afterEach(() => Promise.all(clients.splice(0).map((db) => db.close())));

function client(): Db {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "reversal test",
    readOnly: false,
    connections: 1,
  });
  clients.push(db);
  return db;
}

/** Pays a payout, then lets the bank give the money back. */
async function returned(payout: SeededPayout): Promise<Reversal> {
  await world.run();
  const [attempt] = await world.database.query<{ id: string; providerPayoutId: string }>(
    `SELECT id, provider_payout_id AS "providerPayoutId" FROM payout_attempts WHERE payout_id = $1`,
    [payout.id],
  );
  if (!attempt) throw new Error("nothing was sent");
  world.sandbox.movePayout(attempt.providerPayoutId, {
    status: "reversed",
    reason: "bank_account_closed",
  });
  return {
    payoutId: payout.id,
    attemptId: attempt.id,
    provider: await fetched(attempt.providerPayoutId),
    actor: "job:test",
  };
}

async function fetched(id: string): Promise<ProviderPayout> {
  const gateway = openGateway(settingsFor(world).razorpayX, {
    clock: systemClock,
    random: () => 0,
    log: silentLog(),
    dryRun: false,
  });
  const answer = await gateway.fetchPayout(id);
  if (answer.kind !== "accepted") throw new Error(`the sandbox answered ${answer.kind}`);
  return answer.value;
}

async function ledger(payoutId: string): Promise<unknown[]> {
  return world.database.query(
    `SELECT booking.kind, account.code::text AS code, entry.amount_paise AS paise
     FROM ledger_transactions AS booking JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
     JOIN ledger_accounts AS account ON account.id = entry.account_id
     WHERE booking.payout_id = $1 ORDER BY booking.kind, account.code`,
    [payoutId],
  );
}

describe("a completed payout whose money came back", () => {
  it("is REVERSED, its earnings are READY, and the books have the exact inverse", async () => {
    const payout = await world.payout({ panStatus: "missing" });
    const reversal = await returned(payout);

    expect(await reversePayout(client(), reversal)).toBe(true);

    expect(
      await world.database.query(
        `SELECT payouts.status::text AS payout, attempt.state::text AS attempt,
                attempt.provider_status AS provider, payouts.failure_code AS code
         FROM payouts JOIN payout_attempts AS attempt ON attempt.payout_id = payouts.id`,
      ),
    ).toEqual([
      {
        payout: "REVERSED",
        attempt: "REVERSED",
        provider: "reversed",
        code: "bank_account_closed",
      },
    ]);
    expect(
      await world.database.query("SELECT DISTINCT status::text AS status FROM earnings"),
    ).toEqual([{ status: "READY" }]);
    const entries = (await ledger(payout.id)) as { kind: string; code: string; paise: bigint }[];
    const booked = entries.filter(({ kind }) => kind === "payout-completed");
    expect(booked.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["BANK", "CONSULTANT_PAYABLE", "TAX_PAYABLE", "PROVIDER_FEES"]),
    );
    expect(entries.filter(({ kind }) => kind === "payout-reversed")).toEqual(
      booked.map(({ code, paise }) => ({ kind: "payout-reversed", code, paise: -paise })),
    );
    expect(
      await world.database.query(
        "SELECT actor, action, reason FROM audit_log WHERE action = 'reversed'",
      ),
    ).toEqual([{ actor: "job:test", action: "reversed", reason: "bank_account_closed" }]);
  });

  it("takes the year's tax back by negative rows", async () => {
    const reversal = await returned(await world.payout({ panStatus: "missing" }));
    await reversePayout(client(), reversal);
    expect(
      await world.database.query(
        `SELECT count(*) AS rows, sum(tax_paise)::bigint AS tax, sum(gross_paise)::bigint AS gross,
                bool_or(tax_paise < 0) AS negative, array_agg(DISTINCT status::text) AS status
         FROM tax_deductions`,
      ),
    ).toEqual([{ rows: 2n, tax: 0n, gross: 0n, negative: true, status: ["FINAL"] }]);
  });

  it("is booked back once, however often and by however many", async () => {
    const reversal = await returned(await world.payout());
    const done = await Promise.all([
      reversePayout(client(), reversal),
      reversePayout(client(), reversal),
    ]);
    expect(done.sort()).toEqual([false, true]);
    expect(await reversePayout(client(), reversal)).toBe(false);
  });
});

describe("what is not reversed", () => {
  it("is a payout that is still in processing", async () => {
    world.sandbox.addFaults({ on: "POST /payouts", endState: "processing" });
    const payout = await world.payout();
    await world.run();
    const [attempt] = await world.database.query<{ id: string; providerId: string }>(
      `SELECT id, provider_payout_id AS "providerId" FROM payout_attempts`,
    );
    const provider = await fetched(attempt?.providerId ?? "");
    await expect(
      reversePayout(client(), {
        payoutId: payout.id,
        attemptId: attempt?.id ?? "",
        provider,
        actor: "job:test",
      }),
    ).rejects.toThrow("no longer held");
  });

  it("is a payout because of another attempt or another payout at the provider", async () => {
    const reversal = await returned(await world.payout());
    const other = { ...reversal.provider, id: "pout_another" };
    const db = client();
    await expect(reversePayout(db, { ...reversal, provider: other })).rejects.toThrow();
    await expect(reversePayout(db, { ...reversal, attemptId: randomUUID() })).rejects.toThrow();
    expect(await world.database.query("SELECT status::text AS status FROM payouts")).toEqual([
      { status: "COMPLETED" },
    ]);
    await reversePayout(db, reversal);
  });

  it("is one whose completion is not in the books: nothing at all is changed", async () => {
    const reversal = await returned(await world.payout());
    await world.database.query(`ALTER TABLE ledger_transactions DISABLE TRIGGER USER`);
    await world.database.query(
      "UPDATE ledger_transactions SET key = 'moved' WHERE kind = 'payout-completed'",
    );
    await expect(reversePayout(client(), reversal)).rejects.toThrow("can not be posted");
    expect(await world.database.query("SELECT status::text AS status FROM payouts")).toEqual([
      { status: "COMPLETED" },
    ]);
    expect(
      await world.database.query("SELECT DISTINCT status::text AS status FROM earnings"),
    ).toEqual([{ status: "PAID" }]);
    await world.database.query(
      "UPDATE ledger_transactions SET key = 'payout-completed:' || payout_id WHERE key = 'moved'",
    );
    await reversePayout(client(), reversal);
  });
});

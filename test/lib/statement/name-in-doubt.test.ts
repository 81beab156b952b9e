import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { nameInDoubt } from "../../../lib/statement/name-in-doubt.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { seedPayee } from "../../support/payout-world.ts";
import { withDb } from "../payouts/sessions.ts";
import type { ProviderPayout, PayoutProvider, Transaction } from "../../../lib/provider/index.ts";

let database: TestDatabase;
beforeEach(async () => void (database = await createTestDatabase()));
afterEach(() => database.drop());

describe("a debit of a payout that no attempt is known by", () => {
  it.each(["PREPARED", "UNKNOWN"])("names an attempt that is %s", async (state) => {
    const reference = await attempt({ state });
    expect(await look({ reference })).toEqual(["pout_1"]);
    expect(await namesOf()).toEqual([{ state, name: "pout_1" }]);
  });

  it("is asked about, although other attempts have their names", async () => {
    await attempt({ state: "ACCEPTED", name: "pout_0" });
    const reference = await attempt({ state: "UNKNOWN" });
    expect(await look({ reference })).toEqual(["pout_1"]);
    expect(await namesOf()).toEqual([
      { state: "ACCEPTED", name: "pout_0" },
      { state: "UNKNOWN", name: "pout_1" },
    ]);
  });

  it("changes nothing of an attempt that the provider has turned down", async () => {
    await attempt({ state: "UNKNOWN" });
    const reference = await attempt({ state: "REFUSED" });
    await look({ reference });
    expect(await namesOf()).toEqual([
      { state: "REFUSED", name: null },
      { state: "UNKNOWN", name: null },
    ]);
  });

  it("changes nothing of an attempt that has another name", async () => {
    await attempt({ state: "UNKNOWN" });
    const reference = await attempt({ state: "UNKNOWN", name: "pout_0" });
    await look({ reference });
    expect(await namesOf()).toEqual([
      { state: "UNKNOWN", name: "pout_0" },
      { state: "UNKNOWN", name: null },
    ]);
  });
});

describe("the provider is not asked", () => {
  it("about a debit whose attempt is known", async () => {
    const reference = await attempt({ state: "ACCEPTED", name: "pout_1" });
    await attempt({ state: "UNKNOWN" });
    expect(await look({ reference })).toEqual([]);
  });

  it.each([
    ["there is no attempt", []],
    ["each attempt has its name", [{ state: "UNKNOWN", name: "pout_0" }]],
    ["what has no name was turned down", [{ state: "REFUSED" }]],
  ])("while %s", async (_, attempts: { state: string; name?: string }[]) => {
    for (const each of attempts) await attempt(each);
    expect(await look({ reference: "another" })).toEqual([]);
  });
});

/** One debit of `pout_1`, which the provider says has this reference. Returns what it was asked about. */
async function look({ reference }: { reference: string }): Promise<string[]> {
  const asked: string[] = [];
  const gateway = {
    fetchPayout: (id: string) => {
      asked.push(id);
      const value = { id, referenceId: reference } as ProviderPayout;
      return Promise.resolve({ kind: "accepted", value, httpStatus: 200, body: null });
    },
  } as unknown as PayoutProvider;
  const debit = { payoutId: "pout_1", debitPaise: 100n } as Transaction;
  const { signal } = new AbortController();
  await withDb(database, (db) => nameInDoubt({ db, gateway, signal }, [debit]));
  return asked;
}

/** Of a payout of its own. Returns its reference. */
async function attempt({ state, name }: { state: string; name?: string }): Promise<string> {
  const { payouts, payoutAccountId } = await seedPayee(database);
  const [payout] = payouts;
  const runId = randomUUID();
  const reference = `${payout?.id ?? ""}-1`;
  await database.query(
    `UPDATE payouts SET status = 'PROCESSING', claimed_by = $2, claimed_at = now(), tax_paise = 0,
            net_paise = amount_paise WHERE id = $1`,
    [payout?.id, runId],
  );
  await database.query(
    `INSERT INTO payout_attempts (payout_id, attempt_no, payout_account_id, run_id, idempotency_key,
       reference_id, mode, amount_paise, request_hash, request_body)
     VALUES ($1, 1, $2, $3, $4, $4, 'IMPS', $5, repeat('0', 64), '{}')`,
    [payout?.id, payoutAccountId, runId, reference, payout?.amountPaise],
  );
  await database.query(
    "UPDATE payout_attempts SET state = $2::attempt_state, provider_payout_id = $3 WHERE reference_id = $1",
    [reference, state, name ?? null],
  );
  return reference;
}

function namesOf(): Promise<unknown[]> {
  return database.query(
    `SELECT state::text AS state, provider_payout_id AS name FROM payout_attempts
     ORDER BY state::text, provider_payout_id NULLS LAST`,
  );
}

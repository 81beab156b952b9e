import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { postEarningsReleased } from "../../../lib/ledger/post-earnings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { inSession } from "../payouts/sessions.ts";

let database: TestDatabase;
beforeEach(async () => void (database = await createTestDatabase()));
afterEach(() => database.drop());

describe("earnings that are released", () => {
  it("are owed from then on: clearing is debited, each consultant's payable credited", async () => {
    const ids = await earnings(["C-1", 900n], ["C-2", 500n], ["C-1", 100n]);
    expect(await post(ids)).toBe(3);
    expect(await balances()).toEqual([
      { code: "CONSULTANT_PAYABLE", consultant: "C-1", paise: -1_000n },
      { code: "CONSULTANT_PAYABLE", consultant: "C-2", paise: -500n },
      { code: "PLATFORM_CLEARING", consultant: null, paise: 1_500n },
    ]);
  });

  it("are posted once, also when they come again beside others", async () => {
    const first = await earnings(["C-1", 900n]);
    await post(first);
    const more = await earnings(["C-1", 100n]);
    const posted = await post([...first, ...more, ...first]);
    expect(posted).toBe(1);
    expect(await balances()).toContainEqual({
      code: "CONSULTANT_PAYABLE",
      consultant: "C-1",
      paise: -1_000n,
    });
  });

  it("by several at once are posted once", async () => {
    const ids = await earnings(["C-1", 900n], ["C-2", 500n]);
    const posted = await Promise.all([ids, ids.toReversed(), ids].map(post));
    expect(posted.reduce((sum, count) => sum + count, 0)).toBe(2);
  });

  it("may be none, and unknown ones are nobody's", async () => {
    const none = await post([]);
    const stranger = await post(["00000000-0000-4000-8000-000000000000"]);
    expect([none, stranger]).toEqual([0, 0]);
  });
});

/** In a transaction of its own, as an import does it. */
function post(earningIds: readonly string[]): Promise<number> {
  return inSession(database, async (client) => {
    await client.query("BEGIN");
    const count = await postEarningsReleased(client, earningIds);
    await client.query("COMMIT");
    return count;
  });
}

async function earnings(...rows: [consultant: string, amountPaise: bigint][]): Promise<string[]> {
  const ids: string[] = [];
  for (const [consultant, amountPaise] of rows) {
    await database.query(
      "INSERT INTO consultants (external_ref, name) VALUES ($1, 'Example') ON CONFLICT DO NOTHING",
      [consultant],
    );
    const [row] = await database.query<{ id: string }>(
      `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
       SELECT id, gen_random_uuid(), '2026-06-15', $2::bigint + 10, 10, $2 FROM consultants WHERE external_ref = $1
       RETURNING id`,
      [consultant, amountPaise],
    );
    if (row) ids.push(row.id);
  }
  return ids;
}

function balances(): Promise<{ code: string; consultant: string | null; paise: bigint }[]> {
  return database.query(
    `SELECT account.code::text AS code, external_ref AS consultant, sum(amount_paise)::bigint AS paise
     FROM ledger_entries JOIN ledger_accounts AS account ON account.id = account_id
     LEFT JOIN consultants ON consultants.id = account.consultant_id
     GROUP BY 1, 2 ORDER BY 1, 2`,
  );
}

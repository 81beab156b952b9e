import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { inTransaction, openDatabase, type Db } from "../../../../lib/db/client.ts";
import { applyRecoveries } from "../../../../lib/earnings/recoveries.ts";
import { refundEarning } from "../../../../lib/earnings/refund.ts";
import { createPayoutBatch } from "../../../../lib/payouts/batch/create-batch.ts";
import { readStatement, StatementDisagreesError } from "../../../../lib/payouts/operate/index.ts";
import { noLease } from "../../../../lib/support/lease.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { noProgress } from "../../../../lib/support/progress.ts";
import { chanceOf, type Chance } from "../../../simulation/chance.ts";
import { passingTime } from "../../../support/passing-time.ts";
import { seedPayees } from "../../../support/payout-world.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { seedEarning } from "../../../support/refund-run.ts";
import { statementBreaches } from "../../../support/statements.ts";
import { useWorld } from "../world.ts";

const time = passingTime();
const world = useWorld({ clock: time.clock });
beforeEach(() => time.restart());

async function onDb<T>(work: (db: Db) => Promise<T>): Promise<T> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "statements under test",
    readOnly: false,
    connections: 1,
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

const DAYS = [3, 16, 31] as const;

/** One stretch of a story: new earnings, refunds, debts, a payday, and money that comes back. */
async function liveOn(db: Db, chance: Chance, payees: readonly string[]): Promise<void> {
  for (const consultantId of payees) {
    for (let sale = chance.between(0, 3); sale > 0; sale--) {
      const grossPaise = BigInt(chance.between(60_000, 6_000_001));
      const reference = `BK-${chance.uuid()}`;
      await seedEarning(world.database, { consultantId, reference, grossPaise });
    }
  }
  await refundSome(db, chance);
  await oweSome(chance);
  for (const consultantId of payees)
    await inTransaction(db, (tx) =>
      applyRecoveries(tx, { consultantId, actor: "a test", acrossYears: "any-year" }),
    );
  await payday(db);
  await time.pass(world.database, chance.between(1, 3));
  const paid = world.sandbox.payouts().filter(({ status }) => status === "processed");
  for (const { id } of paid) {
    if (chance.happens(0.2)) world.sandbox.movePayout(id, { status: "reversed" });
  }
  const { database, sandbox } = world;
  await runReconcile({ database, sandbox, wrapGateway: time.wrapGateway });
  await time.pass(world.database, chance.pick(DAYS));
}

async function refundSome(db: Db, chance: Chance): Promise<void> {
  const ready = await world.database.query<{ id: string; paise: bigint }>(
    `SELECT earning_id AS id, amount_paise AS paise FROM earnings_net
     WHERE status = 'READY' AND amount_paise > 100 ORDER BY earning_id`,
  );
  for (const { id: earningId, paise } of ready) {
    if (!chance.happens(0.3)) continue;
    const amountPaise = chance.happens(0.5) ? paise : BigInt(chance.between(1, Number(paise)));
    const refund = { earningId, key: chance.uuid(), grossPaise: amountPaise, amountPaise };
    expect(await refundEarning(db, refund)).toEqual({ kind: "refunded" });
  }
}

/** A buyer of a sale that was paid gets money back: the payee owes it. */
async function oweSome(chance: Chance): Promise<void> {
  const paid = await world.database.query<{ id: string; owner: string }>(
    `SELECT id, consultant_id AS owner FROM earnings WHERE status = 'PAID'
       AND NOT EXISTS (SELECT FROM earning_recoveries WHERE earning_id = earnings.id) ORDER BY id`,
  );
  for (const { id, owner } of paid) {
    if (!chance.happens(0.3)) continue;
    await world.database.query(
      `INSERT INTO earning_recoveries (consultant_id, earning_id, key, gross_paise, amount_paise)
       VALUES ($1, $2, $3, 60000, 50000)`,
      [owner, id, chance.uuid()],
    );
  }
}

async function payday(db: Db): Promise<void> {
  await createPayoutBatch({
    runId: randomUUID(),
    dryRun: false,
    limit: undefined,
    settings: {
      minimumPaise: 50_000n,
      autoApprovePaise: 10_000_000n,
      settlementDays: 4,
      smallAfterDays: 90,
    },
    db,
    lease: noLease,
    log: silentLog(),
    progress: noProgress,
    signal: new AbortController().signal,
  });
  await world.run({ wrapGateway: time.wrapGateway });
}

describe("the statement of a payee and month", () => {
  it.each([1, 2, 3])("adds up to the ledger for every payee and month, seed %i", async (seed) => {
    const chance = chanceOf(seed);
    const seeded = await seedPayees(world.database, [
      { payouts: [] },
      { payouts: [], panStatus: "missing" },
      { payouts: [], category: "company" },
      { payouts: [], organization: true },
    ]);
    const payees = seeded.map(({ consultantId }) => consultantId);
    await onDb(async (db) => {
      for (let stretch = 0; stretch < 7; stretch++) await liveOn(db, chance, payees);
    });

    expect(await statementBreaches(world.database)).toEqual([]);
    const [seen] = await world.database.query(
      `SELECT count(DISTINCT to_char(posted_at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM')) > 2 AS months,
              bool_or(kind = 'payout-reversed') AS reversed, bool_or(key LIKE 'earning-refunded:recovery:%') AS recovered,
              bool_or(organization_id IS NOT NULL OR payout_id IN (SELECT id FROM payouts WHERE organization_id IS NOT NULL))
                AS organization
       FROM ledger_transactions`,
    );
    expect(seen).toEqual({ months: true, reversed: true, recovered: true, organization: true });
  });

  it("is refused where the books and a booking differ by a paisa", async () => {
    const { consultantId, earningIds } = await world.payout();
    const [now] = await world.database.query<{ month: string }>(
      "SELECT to_char(india_today(), 'YYYY-MM') AS month",
    );
    const month = now?.month ?? "";
    const read = (): ReturnType<typeof readStatement> =>
      onDb((db) => readStatement(db, { consultantId, month }));
    const [line] = (await read()).lines;
    expect(line).toMatchObject({ kind: "earned", grossPaise: 100_000n, owedPaise: 90_000n });

    const change = (by: string): Promise<unknown> =>
      world.database.query(
        `SET session_replication_role = replica;
         UPDATE earnings SET amount_paise = amount_paise ${by}, gross_paise = gross_paise ${by} WHERE id = '${earningIds[0] ?? ""}';
         SET session_replication_role = DEFAULT`,
      );
    await change("+ 1");
    await expect(read()).rejects.toThrow(StatementDisagreesError);
    await expect(read()).rejects.toThrow("is ₹900.00 in the books and ₹900.01 by its bookings");
    await change("- 1");

    // A posting that no statement knows is no reason to leave it out.
    await world.database.query(
      `SET session_replication_role = replica;
       UPDATE ledger_transactions SET kind = 'wallet-released';
       SET session_replication_role = DEFAULT`,
    );
    await expect(read()).rejects.toThrow("(wallet-released) has no booking");
    await world.database.query(
      `SET session_replication_role = replica;
       UPDATE ledger_transactions SET kind = 'earning-released';
       SET session_replication_role = DEFAULT`,
    );
  });
});

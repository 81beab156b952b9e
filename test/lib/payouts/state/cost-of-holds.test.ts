import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { openDatabase } from "../../../../lib/db/client.ts";
import { claimPayouts } from "../../../../lib/payouts/state/claim.ts";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import { seedPayees } from "../../../support/payout-world.ts";
import { EXPLAIN_EVERYTHING, nodesOf, openPlanReader } from "../../../scale/plans-on-the-wire.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

const PAYOUTS = 20;
const OTHER_PAYEES = 20_000;

it("of a claim does not grow with the accounts of other payees", async () => {
  const payees = await seedPayees(
    world.database,
    Array.from({ length: PAYOUTS }, () => ({ payouts: [{}] })),
  );
  await world.database.query(
    `WITH other AS (
       INSERT INTO consultants (external_ref, name)
       SELECT 'OTHER-' || number, 'Another Payee' FROM generate_series(1, $1::int) AS number
       RETURNING id
     )
     INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number)
     SELECT id, 'bank_account', 'HDFC0001220', lpad((row_number() OVER ())::text, 12, '9') FROM other`,
    [OTHER_PAYEES],
  );
  await world.database.query("ANALYZE");
  for (const setting of EXPLAIN_EVERYTHING) {
    await world.database.query(`ALTER DATABASE ${world.database.name} SET ${setting}`);
  }
  const reader = await openPlanReader(world.database.url);
  const db = openDatabase({
    url: reader.url,
    applicationName: "cost of holds",
    readOnly: false,
    connections: 1,
  });
  try {
    const claims = await claimPayouts(db, {
      payoutIds: payees.map(({ payouts }) => payouts[0]?.id ?? ""),
      claimant: { runId: randomUUID(), fence: null },
      tax: defaultTaxPolicy,
    });
    expect(claims.map(({ kind }) => kind)).toEqual(claims.map(() => "claimed"));
  } finally {
    await db.close();
    await reader.close();
  }
  const read = reader.plans.flatMap(({ sql, plan }) =>
    [...nodesOf(plan)]
      .filter((node) => node["Relation Name"] === "payout_accounts")
      .map((node) => {
        const rows = (node["Actual Rows"] ?? 0) + (node["Rows Removed by Filter"] ?? 0);
        return { sql, rows: rows * (node["Actual Loops"] ?? 1) };
      }),
  );
  expect(read.length).toBeGreaterThan(0);
  expect(read.filter(({ rows }) => rows >= OTHER_PAYEES)).toEqual([]);
});

import { describe, expect, it, onTestFinished } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { seedPayee } from "../support/payout-seed.ts";

const RUN = "00000000-0000-4000-8000-000000000001";
const STATES = [
  "PENDING",
  "APPROVED",
  "PROCESSING",
  "COMPLETED",
  "FAILED",
  "REVERSED",
  "REJECTED",
] as const;
const GRAPH = new Set([
  "PENDING>REJECTED",
  "PENDING>PROCESSING",
  "PROCESSING>PENDING",
  "PROCESSING>COMPLETED",
  "PROCESSING>FAILED",
  "FAILED>PENDING",
]);
/** On the graph of everybody, and refused by the check, since nobody approves an organization's. */
const TO_APPROVED = new Set(["PENDING>APPROVED", "PROCESSING>APPROVED", "FAILED>APPROVED"]);

interface Given {
  database: TestDatabase;
  payeeId: string;
  organizationId: string;
}

async function given(): Promise<Given> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  // The payouts here hold no earnings, for the graph alone is asked.
  await database.query("ALTER TABLE payouts DISABLE TRIGGER payouts_items_sum");
  const { consultantId, organizationId } = await seedPayee(database, {
    organization: true,
    payouts: [],
  });
  return { database, payeeId: consultantId, organizationId: organizationId ?? "" };
}

/** Returns the id. */
async function insert(
  { database }: Given,
  { payee, organization, status }: { payee: string; organization: string | null; status: string },
): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    `INSERT INTO payouts (consultant_id, organization_id, gross_paise, amount_paise, status, approved_at,
       claimed_by, claimed_at, tax_paise, net_paise)
     VALUES ($1, $2, 100, 100, $3::payout_status, now(), $4, now(), 0, 100) RETURNING id`,
    [payee, organization, status, RUN],
  );
  return row?.id ?? "";
}

async function violated(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing";
  } catch (error) {
    return (error as { constraint?: string }).constraint ?? String(error);
  }
}

describe("an organization's payout", () => {
  it("moves along its graph, each of the 49 pairs, and is never APPROVED", async () => {
    const world = await given();
    const { database, payeeId, organizationId } = world;
    const seen: Record<string, string> = {};
    for (const from of STATES) {
      const birth = insert(world, { payee: payeeId, organization: organizationId, status: from });
      const born = await violated(birth);
      for (const to of STATES) {
        if (born !== "nothing") {
          seen[`${from}>${to}`] = born;
          continue;
        }
        const id = await insert(world, {
          payee: payeeId,
          organization: organizationId,
          status: from,
        });
        seen[`${from}>${to}`] = await violated(
          database.query("UPDATE payouts SET status = $2::payout_status WHERE id = $1", [id, to]),
        );
      }
    }
    const expected = Object.fromEntries(
      STATES.flatMap((from) =>
        STATES.map((to): [string, string] => {
          const pair = `${from}>${to}`;
          if (from === "APPROVED" || TO_APPROVED.has(pair)) {
            return [pair, "payouts_organization_unapproved"];
          }
          if (pair === "PROCESSING>COMPLETED") return [pair, "payouts_completed_when_paid"];
          if (pair === "COMPLETED>REVERSED") return [pair, "payouts_reversed_by_provider"];
          return [pair, from === to || GRAPH.has(pair) ? "nothing" : "payouts_status_graph"];
        }),
      ),
    );
    expect(Object.keys(seen)).toHaveLength(49);
    expect(seen).toEqual(expected);
  });

  it("goes to the organization's payee and to nobody else, then and for good", async () => {
    const world = await given();
    const { database, payeeId, organizationId } = world;
    const { consultantId: another } = await seedPayee(database, { payouts: [] });

    expect(
      await violated(
        insert(world, { payee: another, organization: organizationId, status: "PENDING" }),
      ),
    ).toBe("payouts_payee");
    // Nor does the payee get a payout that is not the organization's.
    expect(
      await violated(insert(world, { payee: payeeId, organization: null, status: "APPROVED" })),
    ).toBe("payouts_payee");
    const theirs = await insert(world, {
      payee: payeeId,
      organization: organizationId,
      status: "PENDING",
    });
    const own = await insert(world, { payee: another, organization: null, status: "PENDING" });
    for (const [id, change] of [
      [theirs, "organization_id = NULL"],
      [theirs, `consultant_id = '${another}'`],
      [own, `organization_id = '${organizationId}'`],
    ] as const) {
      const update = database.query(`UPDATE payouts SET ${change} WHERE id = $1`, [id]);
      expect([change, await violated(update)]).toEqual([change, "payouts_payee"]);
    }
  });

  it("is what takes PENDING to PROCESSING: a consultant's needs an approval", async () => {
    const world = await given();
    const { consultantId } = await seedPayee(world.database, { payouts: [] });
    const id = await insert(world, { payee: consultantId, organization: null, status: "PENDING" });
    expect(
      await violated(
        world.database.query("UPDATE payouts SET status = 'PROCESSING' WHERE id = $1", [id]),
      ),
    ).toBe("payouts_status_graph");
  });
});

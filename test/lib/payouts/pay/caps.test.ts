import { describe, expect, it } from "vitest";
import { createCapGuard, exceededRunCap } from "../../../../lib/payouts/pay/caps.ts";
import { seedApprovedPayouts, seedPayees } from "../../../support/payout-world.ts";
import { countByStatus, digestOf, givenBack, untouched, viewOf } from "../rows.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

describe("what is due above a cap", () => {
  it.each([
    ["single", { singlePaise: 1n }, /^Payout [0-9a-f-]{36} of .*PAYOUTS_MAX_SINGLE_RUPEES/],
    ["run amount", { runPaise: 360_539n }, /PAYOUTS_MAX_RUN_RUPEES/],
    ["run count", { runCount: 3 }, /^4 payouts are due, .*PAYOUTS_MAX_RUN_COUNT/],
  ])(
    "(%s) stops the run by that cap's name: nothing claimed, nothing sent",
    async (_cap, caps, message) => {
      await seedApprovedPayouts(world.database, { count: 4 });
      const before = await digestOf(world.database);

      const { verdict, report } = await world.run({ caps });

      expect(verdict).toMatchObject({ kind: "failed", code: "cap-exceeded" });
      if (verdict.kind === "failed") expect(verdict.message).toMatch(message);
      expect(report).toMatchObject({ found: 4, processed: 0, succeeded: 0 });
      expect(await digestOf(world.database)).toEqual(before);
      expect(world.sandbox.callCount()).toBe(0);
    },
  );

  it.each([
    ["single", { singlePaise: 90_270n }],
    ["run amount", { runPaise: 360_540n }],
    ["run count", { runCount: 4 }],
  ])("exactly at the cap (%s) is paid", async (_cap, caps) => {
    await seedApprovedPayouts(world.database, { count: 4 });
    const { verdict } = await world.run({ caps });
    expect(verdict).toEqual({ kind: "completed" });
  });

  it("of one payout stops that one alone, names it, and pays the others; a second run says it again", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: 4 });
    const large = payouts[3]?.id ?? "";
    const caps = { singlePaise: 90_269n };

    const planned = await world.run({ caps, dryRun: true });
    expect(planned.verdict).toMatchObject({ kind: "partial", reason: "cap-exceeded" });
    expect(planned.report).toMatchObject({ found: 4, planned: 3, aboveCap: 1 });

    const { verdict, report } = await world.run({ caps });
    expect(verdict).toMatchObject({ kind: "partial", reason: "cap-exceeded" });
    if (verdict.kind === "partial") {
      expect(verdict.message).toContain(large);
      expect(verdict.message).toContain("₹902.70, is above the largest single payout, ₹902.69");
    }
    expect(report).toMatchObject({ found: 4, succeeded: 3, skipped: 1, aboveCap: 1 });
    expect(await viewOf(world.database, large)).toEqual(untouched);
    expect(world.callsTo("POST /payouts")).toBe(3);

    const again = await world.run({ caps });
    expect(again.verdict).toMatchObject({ kind: "failed", code: "cap-exceeded" });
    expect(world.callsTo("POST /payouts")).toBe(3);
    expect((await world.run()).verdict).toEqual({ kind: "completed" });
  });

  it("of one payout does not count for the caps of the run, nor for its limit", async () => {
    await seedApprovedPayouts(world.database, {
      count: 4,
      grossPaise: (index) => (index === 0 ? 100_000_00n : 1_000_00n),
    });
    const caps = { singlePaise: 900_00n, runPaise: 2_700_00n, runCount: 3 };

    const first = await world.run({ caps, limit: 1 });
    expect(first.verdict).toMatchObject({ kind: "partial", reason: "cap-exceeded" });
    expect(first.report).toMatchObject({ succeeded: 1, aboveCap: 1 });
    const rest = await world.run({ caps });
    expect(rest.report).toMatchObject({ succeeded: 2, aboveCap: 1 });
  });

  it("is named beside payouts that failed", async () => {
    await seedPayees(world.database, [
      { account: null },
      {},
      { payouts: [{ earnings: [{ grossPaise: 50_000_00n }] }] },
    ]);

    const { verdict } = await world.run({ caps: { singlePaise: 1_000_00n } });

    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    if (verdict.kind === "partial") expect(verdict.message).toContain("PAYOUTS_MAX_SINGLE_RUPEES");
  });

  it("that a dead run has claimed already is given back and not sent", async () => {
    const [payout] = await seedApprovedPayouts(world.database, { count: 1 });
    await world.database.query(
      `UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = '2026-01-01',
              tax_paise = 0, net_paise = amount_paise`,
    );

    const { verdict } = await world.run({ caps: { singlePaise: 1n } });

    expect(verdict).toMatchObject({ kind: "failed", code: "cap-exceeded" });
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual(untouched);
    expect(world.callsTo("POST /payouts")).toBe(0);
  });

  it("does not stop a run that is limited to less", async () => {
    await seedApprovedPayouts(world.database, { count: 4 });
    const { verdict, report } = await world.run({ caps: { runCount: 2 }, limit: 2 });
    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 2, succeeded: 2 });
  });

  it("stops a dry run as well", async () => {
    await seedApprovedPayouts(world.database, { count: 4 });
    const { verdict } = await world.run({ caps: { runCount: 3 }, dryRun: true });
    expect(verdict).toMatchObject({ kind: "failed", code: "cap-exceeded" });
  });

  it("counts a payout that a dead run left behind", async () => {
    await seedApprovedPayouts(world.database, { count: 4 });
    await world.database.query(
      `UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = '2026-01-01',
              tax_paise = 0, net_paise = amount_paise
       WHERE id = (SELECT id FROM payouts ORDER BY approved_at LIMIT 1)`,
    );
    const { verdict } = await world.run({ caps: { runCount: 3 } });
    expect(verdict).toMatchObject({ kind: "failed", code: "cap-exceeded" });
    await world.database.query(
      "UPDATE payouts SET status = 'APPROVED', tax_paise = NULL, net_paise = NULL WHERE status = 'PROCESSING'",
    );
  });
});

describe("an amount that changes during the run", () => {
  it("is stopped by the guard once it is claimed: given back, and what was sent stands", async () => {
    const [first, second] = await seedPayees(world.database, [{}, {}]);
    const changed = second?.payouts[0]?.id ?? "";

    const { verdict, report } = await world.run({
      caps: { singlePaise: 1_000_00n },
      razorpayX: { requestsPerSecond: 1 },
      wrapGateway: (gateway) => ({
        ...gateway,
        createContact: async (input, options) => {
          await raise(changed, 50_000n);
          return gateway.createContact(input, options);
        },
      }),
    });

    expect(verdict).toMatchObject({ kind: "partial", reason: "cap-exceeded" });
    expect(report).toMatchObject({ found: 2, succeeded: 1, skipped: 1 });
    expect(report.items).toMatchObject([{ payoutId: changed, code: "ABOVE_SINGLE_CAP" }]);
    expect((await viewOf(world.database, first?.payouts[0]?.id ?? "")).status).toBe("COMPLETED");
    expect(await viewOf(world.database, changed)).toEqual(givenBack);
    expect(world.callsTo("POST /payouts")).toBe(1);
  });

  it("stops the run by the sum as well, and nothing more is claimed", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: 3 });
    const ids = payouts.map(({ id }) => id);
    const { verdict } = await world.run({
      caps: { runPaise: 300_000n },
      razorpayX: { requestsPerSecond: 1 },
      wrapGateway: (gateway) => ({
        ...gateway,
        createContact: async (input, options) => {
          await raise(ids[1] ?? "", 200_000n);
          return gateway.createContact(input, options);
        },
      }),
    });
    expect(verdict).toMatchObject({ kind: "failed", code: "cap-exceeded" });
    expect(await countByStatus(world.database)).toEqual({ APPROVED: 2, COMPLETED: 1 });
    expect(await viewOf(world.database, ids[2] ?? "")).toEqual(untouched);
  });
});

describe("the caps by themselves", () => {
  const caps = { singlePaise: 100n, runPaise: 250n, runCount: 3 };
  const payout = (amountPaise: bigint) => ({ id: "p", amountPaise });

  it("let through nothing at all", () => {
    expect(exceededRunCap({ count: 0, totalPaise: 0n }, caps)).toBeUndefined();
  });

  it("count only what the guard let through", () => {
    const guard = createCapGuard(caps);
    expect(guard(payout(100n))).toBeUndefined();
    expect(guard(payout(101n))).toMatchObject({ stops: "payout" });
    expect(guard(payout(100n))).toBeUndefined();
    expect(guard(payout(51n))).toMatchObject({ stops: "run", fault: { code: "cap-exceeded" } });
    expect(guard(payout(50n))).toBeUndefined();
    expect(createCapGuard({ ...caps, runCount: 0 })(payout(1n))).toMatchObject({ stops: "run" });
  });
});

describe("caps that are others than in the run before", () => {
  const entries = () =>
    world.database.query(
      `SELECT actor, action, detail -> 'before' ->> 'runCount' AS before, detail -> 'after' ->> 'runCount' AS after
       FROM audit_log WHERE category = 'caps' ORDER BY id`,
    );

  it("are in the audit log once, and again when they are set back", async () => {
    const one = () => seedApprovedPayouts(world.database, { count: 1 });
    const usual = { singlePaise: 1_000_000_00n, runPaise: 50_000_000_00n, runCount: 10_000 };
    const raised = { ...usual, runCount: 20_000 };
    for (const caps of [usual, raised, raised, usual]) {
      await one();
      await world.run({ caps, dryRun: true });
      await world.run({ caps });
    }

    const actor = "job:payouts/process-payouts";
    expect(await entries()).toEqual([
      { actor, action: "changed", before: "10000", after: "20000" },
      { actor, action: "changed", before: "20000", after: "10000" },
    ]);
  });
});

/** Payout and earning alike, as a person does who corrects a booking. */
async function raise(payoutId: string, byPaise: bigint): Promise<void> {
  const { database } = world;
  for (const sql of [
    "UPDATE payouts SET amount_paise = amount_paise + $2, gross_paise = gross_paise + $2 WHERE id = $1",
    "UPDATE payout_items SET amount_paise = amount_paise + $2, gross_paise = gross_paise + $2 WHERE payout_id = $1",
    `UPDATE earnings SET amount_paise = amount_paise + $2, gross_paise = gross_paise + $2
     WHERE id IN (SELECT earning_id FROM payout_items WHERE payout_id = $1)`,
  ]) {
    await database.query(sql, [payoutId, byPaise]);
  }
  // The books have no posting of this kind: only without triggers is there one.
  await database.query(`
    SET session_replication_role = replica;
    WITH posted AS (
      INSERT INTO ledger_transactions (key, kind) VALUES ('wallet-correction:${payoutId}', 'wallet-correction') RETURNING id)
    INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
    SELECT posted.id, account.id, CASE account.code WHEN 'PLATFORM_CLEARING' THEN ${byPaise} ELSE -${byPaise} END
    FROM posted, ledger_accounts AS account
    WHERE account.code = 'PLATFORM_CLEARING'
       OR account.consultant_id = (SELECT consultant_id FROM payouts WHERE id = '${payoutId}');
    SET session_replication_role = DEFAULT`);
}

import { describe, expect, it } from "vitest";
import { payoutTables } from "../../../../lib/payouts/pay/index.ts";
import { createPayoutCycle } from "../../../support/payout-cycle.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { runScript } from "../../../support/run-script.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

/** Five payouts of one amount, the oldest first; the balance pays for `payable` of them and half of another. */
async function given(payable: number): Promise<{ totalPaise: bigint; balancePaise: bigint }> {
  await seedApprovedPayouts(world.database, { count: 5 });
  const rows = await world.database.query<{ id: string; amount: bigint }>(
    "SELECT id, amount_paise AS amount FROM payouts WHERE status = 'APPROVED' ORDER BY approved_at, id",
  );
  const balancePaise = rows
    .slice(0, payable)
    .reduce((sum, { amount }) => sum + amount, (rows[payable]?.amount ?? 0n) / 2n);
  world.sandbox.changeBalance({ balancePaise: Number(balancePaise) });
  return { totalPaise: rows.reduce((sum, { amount }) => sum + amount, 0n), balancePaise };
}

const statuses = async (): Promise<string[]> => {
  const rows = await world.database.query<{ status: string }>(
    "SELECT status::text AS status FROM payouts ORDER BY approved_at, id",
  );
  return rows.map(({ status }) => status);
};

describe("an account that holds too little for all that is due", () => {
  it("pays the oldest, says how much is missing, and sends nothing that it can not pay", async () => {
    const { totalPaise, balancePaise } = await given(2);

    const { verdict, report } = await world.run();

    expect(verdict).toMatchObject({
      kind: "failed",
      code: "insufficient-balance",
      message: expect.stringMatching(/lacks ₹[\d,.]+: 5 payouts are due/) as string,
    });
    expect(report).toMatchObject({ found: 5, succeeded: 2, failed: 0 });
    // The rest waits for money: no other run has it.
    expect(report).toMatchObject({ skipped: 0, reasons: {}, items: [] });
    expect(report.funds).toMatchObject({
      duePaise: totalPaise,
      balancePaise,
    });
    expect(await statuses()).toEqual([
      "COMPLETED",
      "COMPLETED",
      "APPROVED",
      "APPROVED",
      "APPROVED",
    ]);
    expect(world.callsTo("POST /payouts")).toBe(2);
    const table = payoutTables(report).find(({ title }) => title === "Money at the provider");
    expect(table?.rows.map(([label]) => label)).toEqual([
      "Due for 5 payouts, before tax",
      "Expected fees",
      "Balance",
      "Short",
    ]);
  });

  it("stops before the first payout where it is told to, and pays all once the money is there", async () => {
    await given(4);
    const stopped = await world.run({ whenShort: "stop" });
    expect(stopped.verdict).toMatchObject({ kind: "failed", code: "insufficient-balance" });
    expect(await statuses()).toEqual(Array(5).fill("APPROVED"));
    expect(world.callsTo("POST /payouts")).toBe(0);

    world.sandbox.changeBalance({ addPaise: 1_00_00_000_00 });
    const { verdict, report } = await world.run({ whenShort: "stop" });
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 5 });
  });

  it("is told by a dry run, which plans what the run would pay", async () => {
    await given(2);
    const dry = await world.run({ dryRun: true });
    const real = await world.run();
    expect(dry.verdict).toEqual(real.verdict);
    expect(dry.report.planned).toBe(real.report.succeeded);
  });

  it("counts the fees of earlier payouts for those that are due", async () => {
    await seedApprovedPayouts(world.database, { count: 1 });
    await world.run();
    const { totalPaise } = await given(5);
    const { report } = await world.run({ dryRun: true });
    const [paid] = await world.database.query<{ fees: bigint }>(
      "SELECT max(fees_paise) AS fees FROM payout_attempts",
    );
    expect(paid?.fees).toBeGreaterThan(0n);
    expect(report.funds).toMatchObject({ feePaise: paid?.fees, duePaise: totalPaise });
  });

  it("is no reason to stop where the balance can not be read", async () => {
    await given(5);
    world.sandbox.changeBalance({ addPaise: 1_000_00 });
    world.sandbox.addFaults({
      on: "GET /banking_balances",
      status: 400,
      error: {
        code: "BAD_REQUEST_ERROR",
        description: "You do not have permission to access this feature.",
      },
    });
    const { verdict, report } = await world.run();
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 5, funds: { balancePaise: null } });
  });
});

it("is compared before anybody approves: by the batch and by the list, with the balance last read", async () => {
  const cycle = await createPayoutCycle();
  const asha = await cycle.consultant("C-1");
  await cycle.earning(asha, { gross: 9_000_00n });
  await cycle.query(
    `INSERT INTO provider_days (day, opening_paise, credits_paise, debits_paise, closing_paise, transactions)
     VALUES (india_today() - 1, 100000, 0, 0, 100000, 0)`,
  );
  const planned = await cycle.batch({ dryRun: true });
  expect(planned.verdict).toMatchObject({
    kind: "completed",
    warning: expect.stringMatching(/^The account lacks ₹/) as string,
  });
  const { verdict, report } = await cycle.batch();
  expect(verdict).toEqual(planned.verdict);
  expect(report.funds).toMatchObject({ count: 1, balancePaise: 1_000_00n });

  const list = await runScript("scripts/cli/payouts.ts", {
    args: ["list"],
    env: { DATABASE_URL: cycle.url },
  });
  expect(list, list.stderr).toMatchObject({ exitCode: 0 });
  expect(list.stdout).toMatch(/Money at the provider/);
  expect(list.stdout).toMatch(/Balance +₹1,000\.00/);
  expect(list.stdout).toMatch(/Short +₹/);
});

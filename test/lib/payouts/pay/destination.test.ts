import { describe, expect, it } from "vitest";
import { runBatch } from "../../../support/batch-run.ts";
import {
  seedPayee,
  seedPayees,
  type AccountSeed,
  type PayeeSeed,
} from "../../../support/payout-world.ts";
import { viewOf } from "../rows.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();

const vpa: AccountSeed = { kind: "vpa", vpa: "asha@examplebank" };
/** A payout that pays out exactly this: below the threshold there is no tax. */
const exactly = (paise: bigint): PayeeSeed => ({
  category: "individual",
  payouts: [{ earnings: [{ grossPaise: paise, platformFeePaise: 0n }] }],
});

describe("the mode of a payout, stored with its attempt", () => {
  it.each([
    ["a VPA", "UPI", { ...exactly(1_000_00n), account: vpa }],
    ["a VPA at its limit of ₹1,00,000", "UPI", { ...exactly(1_00_000_00n), account: vpa }],
    ["a bank account", "IMPS", exactly(1_00n)],
    ["₹5,00,000 to a bank account", "IMPS", exactly(5_00_000_00n)],
  ])("%s goes by %s", async (_title, mode, seed) => {
    const payout = await world.payout(seed);
    await world.run();
    expect(await modesOf(payout.id)).toEqual([mode]);
    expect(world.sandbox.payouts()).toMatchObject([{ mode, status: "processed" }]);
  });

  it("more than ₹5,00,000 after tax goes by RTGS, and what tax takes below that by IMPS", async () => {
    const above = await world.payout(exactly(5_00_600_00n));
    const below = await world.payout(exactly(5_00_400_00n));
    await world.run();
    expect(await modesOf(above.id)).toEqual(["RTGS"]);
    expect(await modesOf(below.id)).toEqual(["IMPS"]);
    // Both are in hand at once, so either may arrive first.
    const amounts = world.sandbox.payouts().map(({ amount }) => amount);
    expect(amounts.sort((a, b) => b - a)).toEqual([5_00_600_00 - 501_00, 5_00_400_00 - 500_00]);
  });

  it("more than ₹1,00,000 to a VPA is refused with the reason, and nothing is sent", async () => {
    const payout = await world.payout({ ...exactly(1_00_000_01n), account: vpa });
    const { report } = await world.run();
    expect(report.items).toEqual([
      {
        payoutId: payout.id,
        outcome: "failed",
        code: "AMOUNT_ABOVE_UPI_LIMIT",
        message: expect.stringContaining("1,00,000.01") as string,
        payee: expect.any(String) as string,
      },
    ]);
    expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "FAILED", tries: 1 });
    expect(world.sandbox.calls().some(({ mutating }) => mutating)).toBe(false);
  });
});

describe("an account without IMPS", () => {
  const notAllowed = everyPayout({ status: 400, error: { reason: "imps_not_allowed" } });

  it("is paid by NEFT, also after a NEFT payout failed with a reason that names IMPS", async () => {
    const { consultantId } = await world.payout(exactly(7_742_50n));
    world.sandbox.addFaults(notAllowed);
    await world.run();
    await runBatch(world.database);
    await world.run();
    world.sandbox.clearFaults();
    await runBatch(world.database);
    const { verdict } = await world.run();

    expect(verdict).toEqual({ kind: "completed" });
    expect(await attemptsFor(consultantId)).toEqual([
      { mode: "IMPS", state: "REFUSED" },
      { mode: "NEFT", state: "REFUSED" },
      { mode: "NEFT", state: "PROCESSED" },
    ]);
  });

  it("gets nothing more by UPI, and the report asks for a bank account", async () => {
    const { consultantId } = await world.payout({ ...exactly(1_000_00n), account: vpa });
    world.sandbox.addFaults(notAllowed);
    await world.run();
    world.sandbox.clearFaults();
    await runBatch(world.database);
    const { report } = await world.run();

    expect(report.items).toMatchObject([
      {
        outcome: "failed",
        code: "NO_MODE_LEFT",
        message: expect.stringContaining("the payee needs a bank account") as string,
      },
    ]);
    expect(await attemptsFor(consultantId)).toEqual([{ mode: "UPI", state: "REFUSED" }]);
  });
});

describe("contact and fund account", () => {
  it("are made once for a consultant, also when two payouts are in one run", async () => {
    const payee = await seedPayee(world.database, { payouts: [{}, {}, {}] });
    await world.run({ limit: 2 });
    expect(world.callsTo("POST /contacts")).toBe(1);
    expect(world.callsTo("POST /fund_accounts")).toBe(1);
    await world.run();
    expect(world.callsTo("POST /contacts")).toBe(1);
    expect(world.callsTo("POST /fund_accounts")).toBe(1);
    expect(world.callsTo("POST /payouts")).toBe(3);
    const [kept] = await world.database.query(
      `SELECT provider_contact_id ~ '^cont_' AS contact, provider_fund_account_id AS fund
       FROM consultants JOIN payout_accounts AS account ON account.consultant_id = consultants.id
       WHERE consultants.id = $1`,
      [payee.consultantId],
    );
    const [first] = world.sandbox.payouts();
    expect(kept).toEqual({ contact: true, fund: first?.fund_account_id });
  });

  it("of a changed account: a new fund account under the same contact", async () => {
    const payee = await seedPayee(world.database, { payouts: [{}, {}] });
    await world.run({ limit: 1 });
    await world.database.query("UPDATE payout_accounts SET active = false");
    await world.database.query(
      `INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number)
       VALUES ($1, 'bank_account', 'ICIC0000001', '998877665544')`,
      [payee.consultantId],
    );
    await world.run();
    expect(world.callsTo("POST /contacts")).toBe(1);
    expect(world.callsTo("POST /fund_accounts")).toBe(2);
    const funds = world.sandbox.payouts().map((payout) => payout.fund_account_id);
    expect(new Set(funds).size).toBe(2);
    const accounts = await world.database.query(
      "SELECT count(DISTINCT payout_account_id) AS count FROM payout_attempts",
    );
    expect(accounts).toEqual([{ count: 2n }]);
  });

  it("that were made although the answer was lost are found again, not made twice", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults([
      { on: "POST /contacts", dropAfter: true, times: 2 },
      { on: "POST /fund_accounts", malformed: true },
      { on: "POST /fund_accounts", dropAfter: true },
    ]);
    for (let runs = 0; runs < 2; runs++) await world.run();
    expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "COMPLETED" });
    expect(world.callsTo("POST /contacts")).toBe(3);
  });

  it("are made for names that the provider does not take as they are", async () => {
    await seedPayees(world.database, [
      { name: "आशा" },
      { name: "Jo" },
      { name: "Consultancy of Examples ".repeat(8) },
      { name: "O’Brien & Söhne, GmbH!" },
    ]);
    const { verdict, report } = await world.run();
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.completed).toBe(4);
  });

  it("that is switched off at the provider is a refusal", async () => {
    const payout = await world.payout();
    const { report } = await world.run({
      wrapGateway: (gateway) => ({
        ...gateway,
        createFundAccount: async (input, options) => {
          const answer = await gateway.createFundAccount(input, options);
          return answer.kind === "accepted"
            ? { ...answer, value: { ...answer.value, active: false } }
            : answer;
        },
      }),
    });
    expect(report.items).toMatchObject([{ code: "FUND_ACCOUNT_INACTIVE", outcome: "failed" }]);
    expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "FAILED" });
    expect(world.callsTo("POST /payouts")).toBe(0);
  });
});

async function modesOf(payoutId: string): Promise<string[]> {
  const rows = await world.database.query<{ mode: string }>(
    "SELECT mode FROM payout_attempts WHERE payout_id = $1 ORDER BY attempt_no",
    [payoutId],
  );
  return rows.map(({ mode }) => mode);
}

/** Every attempt for a consultant, oldest first. */
async function attemptsFor(consultantId: string): Promise<{ mode: string; state: string }[]> {
  return world.database.query<{ mode: string; state: string }>(
    `SELECT attempt.mode, attempt.state::text FROM payout_attempts AS attempt
     JOIN payouts AS payout ON payout.id = attempt.payout_id
     WHERE payout.consultant_id = $1 ORDER BY attempt.created_at, attempt.id`,
    [consultantId],
  );
}

import { describe, expect, it, onTestFinished } from "vitest";
import { openDatabase, type Db } from "../../../../lib/db/client.ts";
import {
  approvePayout,
  listPayouts,
  retryPayout,
  type PayoutChange,
} from "../../../../lib/payouts/operate/index.ts";
import type { Group } from "../../../../scripts/cli/schema/roles.ts";
import { createPayoutCycle, type PayoutCycle } from "../../../support/payout-cycle.ts";
import { createLogins } from "../../../support/roles.ts";

interface Given {
  cycle: PayoutCycle;
  consultantId: string;
  payoutId: string;
}

/** A payout of ₹8,999.99 that waits. Until somebody is said to have made them, rows are of before logins were kept. */
async function given(): Promise<Given> {
  const cycle = await createPayoutCycle();
  const consultantId = await cycle.consultant("C-1");
  await cycle.earning(consultantId, { gross: 900_000n, fee: 1n });
  await cycle.batch();
  await cycle.query("UPDATE earnings SET created_login = NULL");
  await cycle.query("UPDATE payout_accounts SET placed_login = NULL");
  const [payout] = await cycle.query<{ id: string }>("SELECT id FROM payouts");
  return { cycle, consultantId, payoutId: payout?.id ?? "" };
}

/** As an import leaves it: an entry with the time of the rows, and the login in both. */
async function madeBy(
  { cycle, consultantId }: Given,
  what: { category: "import" | "account"; actor: string; login?: string },
): Promise<void> {
  const [table, column] =
    what.category === "import"
      ? (["earnings", "created_login"] as const)
      : (["payout_accounts", "placed_login"] as const);
  await cycle.query(
    `INSERT INTO audit_log (at, actor, category, action, subject_type, subject_id, login)
     SELECT created_at, $2, $3, 'x', 'consultant', consultant_id::text, $4 FROM ${table} WHERE consultant_id = $1`,
    [consultantId, what.actor, what.category, what.login ?? null],
  );
  await cycle.query(`UPDATE ${table} SET ${column} = $1`, [what.login ?? null]);
}

/** A session of an approver who is no superuser, and one of an operator, who has that right as well. */
async function people({ cycle }: Given): Promise<{ approver: Person; operator: Person }> {
  const logins = await createLogins(cycle);
  const open = async (group: Group): Promise<Person> => {
    const { name, url } = await logins.login(group);
    const applicationName = "approval test";
    return { name, db: openDatabase({ url, applicationName, readOnly: false, connections: 1 }) };
  };
  const approver = await open("afterhours_approvers");
  const operator = await open("afterhours_operators");
  onTestFinished(async () => {
    await Promise.all([approver.db.close(), operator.db.close()]);
    await logins.drop();
  });
  return { approver, operator };
}

interface Person {
  /** Of the login. */
  name: string;
  db: Db;
}

const codes = (change: PayoutChange): string[] =>
  change.done ? [] : change.refusals.map(({ code }) => code);
const messages = (change: PayoutChange): string =>
  change.done ? "" : change.refusals.map(({ message }) => message).join();

describe("four eyes", () => {
  const approve = (
    { payoutId }: Given,
    db: Db,
    by: string,
    policy: "one-person" | "four-eyes" = "four-eyes",
  ): Promise<PayoutChange> =>
    approvePayout(db, { payoutId, operator: { by, reason: null }, policy });

  it.each(["import", "account"] as const)(
    "keep the login that made an entry of category %s from approving, whatever name is given",
    async (category) => {
      const world = await given();
      const { approver, operator } = await people(world);
      await madeBy(world, { category, actor: "Asha", login: operator.name });

      const change = await approve(world, operator.db, "Binu");
      expect(codes(change)).toEqual(["FOUR_EYES"]);
      expect(messages(change)).toContain(
        `login ${operator.name}, which you use, ${category === "import" ? "imported its earnings" : "placed its account"}`,
      );
      expect((await approve(world, approver.db, "Binu")).done).toBe(true);
    },
  );

  it("see the login of rows that were written past the commands, without an entry in the audit log", async () => {
    const world = await given();
    const { operator } = await people(world);
    await world.cycle.query("UPDATE earnings SET created_login = $1", [operator.name]);
    expect(codes(await approve(world, operator.db, "Binu"))).toEqual(["FOUR_EYES"]);
  });

  it("let nobody approve where all use one login, and say so", async () => {
    const world = await given();
    const { approver } = await people(world);
    await madeBy(world, { category: "import", actor: "Asha", login: approver.name });
    const change = await approve(world, approver.db, "Binu");
    if (change.done) throw new Error("approved");
    expect(change.refusals[0]?.remedy).toContain("with one login for all nobody can");
  });

  it("keep the same name from approving by another login, however it is typed", async () => {
    const world = await given();
    const { approver, operator } = await people(world);
    await madeBy(world, { category: "import", actor: "Asha Rao", login: operator.name });
    for (const by of ["Asha Rao", " asha  rao", "ASHA RAO"]) {
      const change = await approve(world, approver.db, by);
      expect(codes(change)).toEqual(["FOUR_EYES"]);
      expect(messages(change)).toContain("imported its earnings");
    }
    expect((await approve(world, approver.db, "Binu")).done).toBe(true);
  });

  it("go by the name alone for what was imported before logins were kept", async () => {
    const world = await given();
    const { approver } = await people(world);
    await madeBy(world, { category: "account", actor: "Chitra" });
    expect(codes(await approve(world, approver.db, "Chitra"))).toEqual(["FOUR_EYES"]);
    expect((await approve(world, approver.db, "Asha")).done).toBe(true);
  });

  it("are not asked for by default, and a job is nobody", async () => {
    const world = await given();
    const { approver } = await people(world);
    await madeBy(world, { category: "import", actor: "Asha" });
    expect(codes(await approve(world, approver.db, "job:payouts/create-payout-batch"))).toEqual([]);
    const other = await given();
    await madeBy(other, { category: "import", actor: "Asha" });
    expect((await approve(other, other.cycle.client(), "Asha", "one-person")).done).toBe(true);
  });

  it("look at a retry as at an approval", async () => {
    const world = await given();
    const { approver, operator } = await people(world);
    await madeBy(world, { category: "account", actor: "Asha", login: operator.name });
    await approve(world, approver.db, "Binu");
    await world.cycle.fail(world.payoutId);
    const retry = (db: Db): Promise<PayoutChange> =>
      retryPayout(db, {
        payoutId: world.payoutId,
        operator: { by: "Binu", reason: null },
        policy: "four-eyes",
      });
    expect(codes(await retry(operator.db))).toEqual(["FOUR_EYES"]);
    expect(codes(await retry(approver.db))).toEqual([]);
  });
});

describe("what changed after it was shown", () => {
  async function shownOf({ cycle }: Given) {
    const { payouts } = await listPayouts(cycle.client(), { limit: 1 });
    const [payout] = payouts;
    if (!payout) throw new Error("no payout");
    const { amountPaise, sales, accountId } = payout;
    return { amountPaise, sales, accountId };
  }

  it("is approved when nothing did", async () => {
    const world = await given();
    const shown = await shownOf(world);
    const operator = { by: "Asha", reason: null };
    const { payoutId, cycle } = world;
    expect((await approvePayout(cycle.client(), { payoutId, operator, shown })).done).toBe(true);
  });

  it("is refused when the account is another one", async () => {
    const world = await given();
    const shown = await shownOf(world);
    await moveAccount(world);
    const { payoutId, cycle } = world;
    const operator = { by: "Asha", reason: null };
    const change = await approvePayout(cycle.client(), { payoutId, operator, shown });
    expect(codes(change)).toEqual(["CHANGED_SINCE_SHOWN"]);
    if (!change.done) expect(change.refusals[0]?.message).not.toMatch(/[0-9]{6}/);
  });

  it("is refused when the amount or the number of sales is another one", async () => {
    const world = await given();
    const shown = await shownOf(world);
    const { payoutId, cycle } = world;
    const operator = { by: "Asha", reason: null };
    for (const wrong of [{ amountPaise: 1n }, { sales: 2 }]) {
      const change = await approvePayout(cycle.client(), {
        payoutId,
        operator,
        shown: { ...shown, ...wrong },
      });
      expect(codes(change)).toEqual(["CHANGED_SINCE_SHOWN"]);
    }
  });
});

async function moveAccount({ cycle, consultantId }: Given): Promise<void> {
  await cycle.query("UPDATE payout_accounts SET active = false WHERE consultant_id = $1", [
    consultantId,
  ]);
  await cycle.query(
    `INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number)
     VALUES ($1, 'bank_account', 'SBIN0002655', '30123456789')`,
    [consultantId],
  );
}

describe("the list", () => {
  const notes = async (world: Given): Promise<readonly string[]> =>
    (await listPayouts(world.cycle.client(), { status: undefined, limit: 9 })).payouts.at(-1)
      ?.accountNotes ?? [];

  it("tells a first payout, and an account that changed since the payee was last paid or since approval", async () => {
    const world = await given();
    expect(await notes(world)).toEqual(["never-paid"]);

    await approvePayout(world.cycle.client(), {
      payoutId: world.payoutId,
      operator: { by: "Asha", reason: null },
    });
    await world.cycle.attempt(world.payoutId, "PROCESSED");
    await world.cycle.query("UPDATE payouts SET status = 'COMPLETED', completed_at = now()");
    await world.cycle.query("UPDATE earnings SET status = 'PAID'").catch(() => undefined);
    await world.cycle.earning(world.consultantId, { gross: 900_000n, fee: 1n });
    await world.cycle.batch();
    expect(await notes(world)).toEqual([]);

    const [waiting] = await world.cycle.query<{ id: string }>(
      "SELECT id FROM payouts WHERE status = 'PENDING'",
    );
    await approvePayout(world.cycle.client(), {
      payoutId: waiting?.id ?? "",
      operator: { by: "Asha", reason: null },
    });
    await moveAccount(world);
    expect(await notes(world)).toEqual(["changed-since-last-paid", "changed-since-approval"]);
  });

  it("narrows by amount and day", async () => {
    const { cycle } = await given();
    const count = async (filter: object): Promise<number> =>
      (await listPayouts(cycle.client(), { limit: 9, ...filter })).payouts.length;
    expect(await count({ leastPaise: 899_999n, mostPaise: 899_999n })).toBe(1);
    expect(await count({ leastPaise: 900_000n })).toBe(0);
    expect(await count({ mostPaise: 899_998n })).toBe(0);
    expect(await count({ createdFrom: "2020-01-01", createdTo: "2999-01-01" })).toBe(1);
    expect(await count({ createdTo: "2020-01-01" })).toBe(0);
  });
});

describe("a retry that must fail again", () => {
  it("is refused with limit and cure while the payee has a VPA that takes less, and writes nothing", async () => {
    const cycle = await createPayoutCycle();
    const consultantId = await cycle.consultant("C-1");
    await cycle.earning(consultantId, { gross: 30_000_000n, fee: 100n });
    const { verdict } = await cycle.batch();
    expect(verdict).toEqual({
      kind: "completed",
      warning: expect.stringMatching(
        /^1 payout \(₹2,99,999\.00\) needs approval and is not sent before it\./,
      ) as string,
    });
    const [payout] = await cycle.query<{ id: string }>("SELECT id FROM payouts");
    const payoutId = payout?.id ?? "";
    const operator = { by: "Asha", reason: null };
    await approvePayout(cycle.client(), { payoutId, operator });
    await cycle.fail(payoutId);
    await cycle.query("UPDATE payout_accounts SET active = false WHERE consultant_id = $1", [
      consultantId,
    ]);
    await cycle.query(
      "INSERT INTO payout_accounts (consultant_id, kind, vpa) VALUES ($1, 'vpa', 'asha@demobank')",
      [consultantId],
    );
    const state = () =>
      cycle.query(
        "SELECT p.status, p.tries, e.status AS earning, (SELECT count(*)::int FROM audit_log) AS entries FROM payouts p, earnings e",
      );
    const before = await state();

    const refused = await retryPayout(cycle.client(), { payoutId, operator });

    expect(codes(refused)).toEqual(["WOULD_FAIL_AGAIN"]);
    if (!refused.done) {
      expect(refused.refusals[0]?.message).toContain("₹1,00,000.00");
      expect(refused.refusals[0]?.remedy).toContain("bank account");
    }
    expect(await state()).toEqual(before);

    await cycle.query("UPDATE payout_accounts SET active = false WHERE kind = 'vpa'");
    await cycle.query("UPDATE payout_accounts SET active = true WHERE kind = 'bank_account'");
    expect((await retryPayout(cycle.client(), { payoutId, operator })).done).toBe(true);
  });

  it("is warned of by the batch, by the consultant's code", async () => {
    const cycle = await createPayoutCycle();
    const consultantId = await cycle.consultant("C-1");
    await cycle.earning(consultantId, { gross: 30_000_000n, fee: 100n });
    await cycle.query(
      "UPDATE payout_accounts SET kind = 'vpa', vpa = 'asha@demobank', ifsc = NULL, account_number = NULL",
    );
    const planned = await cycle.batch({ dryRun: true });
    const { verdict, report } = await cycle.batch();
    for (const each of [planned.verdict, verdict]) {
      expect(each.kind).toBe("completed");
      if (each.kind === "completed") expect(each.warning).toContain("(C-1)");
    }
    expect(report).toMatchObject({
      created: 1,
      aboveUpiLimit: 1,
      aboveUpi: [{ consultantRef: "C-1", amountPaise: 29_999_900n }],
    });
    const { payouts } = await listPayouts(cycle.client(), { limit: 1 });
    expect(payouts[0]?.accountNotes).toContain("above-upi-limit");
  });
});

import { describe, expect, it } from "vitest";
import { seedApprovedPayouts, type RunResult } from "../../../support/payout-world.ts";
import { letClaimsAge } from "../../../support/claims-age.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { countByStatus, givenBack, inFlight, paid, untouched, viewOf } from "../rows.ts";
import { impatient, inSession } from "../sessions.ts";
import { useWorld } from "../world.ts";
import type { PayoutProvider } from "../../../../lib/provider/index.ts";

const world = useWorld();

interface Refusal {
  table: "payouts" | "payout_attempts";
  on: "INSERT" | "UPDATE";
  /** Of the row, in SQL. */
  when: string;
  sqlState?: string;
  atCommit?: boolean;
}

/** A trigger that is not ours. Its words are nobody's business but the log's. */
async function refuse({ table, on, when, sqlState = "P0001", atCommit }: Refusal): Promise<void> {
  await world.database.query(
    `CREATE OR REPLACE FUNCTION foreign_rule() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN RAISE EXCEPTION 'the secret of somebody' USING ERRCODE = '${sqlState}'; END $$`,
  );
  await world.database.query(
    atCommit === true
      ? `CREATE CONSTRAINT TRIGGER a_foreign_rule AFTER ${on} ON ${table} DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION foreign_rule()`
      : `CREATE TRIGGER a_foreign_rule BEFORE ${on} ON ${table}
         FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION foreign_rule()`,
  );
}

async function mend(table: Refusal["table"]): Promise<void> {
  await world.database.query(`DROP TRIGGER a_foreign_rule ON ${table}`);
}

/** Twelve that are due, and the one that the database will refuse. */
async function twelve(): Promise<{ id: string; others: string[] }> {
  const ids = (await seedApprovedPayouts(world.database, { count: 12 })).map(({ id }) => id);
  const [id = "", ...others] = ids.toSpliced(0, 1, ids[5] ?? "").toSpliced(5, 1, ids[0] ?? "");
  return { id, others };
}

/** Every payout that was found is in one of the counts, and every one that was claimed too. */
function expectToAddUp({ report }: RunResult): void {
  const { found, processed, succeeded, failed, unknown, skipped } = report;
  expect(processed).toBe(succeeded + failed + unknown);
  expect(found).toBe(processed + skipped);
  const counted = Object.values(report.reasons).reduce((sum, count) => sum + count, 0);
  expect(counted).toBe(failed + unknown + skipped + report.unrecorded);
}

async function expectAllPaid(ids: readonly string[]): Promise<void> {
  for (const id of ids) expect(await viewOf(world.database, id)).toEqual(paid);
}

describe("one row at which the database raises what is no rule of ours", () => {
  it("at its claim: it stays as it was, named with the trigger, and the others are paid", async () => {
    const { id, others } = await twelve();
    await refuse({ table: "payouts", on: "UPDATE", when: `OLD.id = '${id}'` });
    const result = await world.run();
    expect(result.verdict).toMatchObject({
      kind: "partial",
      reason: "payouts-failed",
      message: "11 of 12 payouts were sent; 1 failed.",
      remedy: expect.stringContaining("still due themselves") as string,
    });
    expect(result.report).toMatchObject({ claimed: 11, failed: 1, completed: 11 });
    expectToAddUp(result);
    const [item] = result.report.items;
    expect(item).toMatchObject({ payoutId: id, outcome: "failed", code: "DATABASE_REFUSED" });
    expect(item?.message).toContain("SQLSTATE P0001, function foreign_rule");
    expect(item?.message).not.toContain("secret");
    expect(await viewOf(world.database, id)).toEqual(untouched);
    await expectAllPaid(others);
  });

  it("at its attempt: it is due again, named with the constraint, and the others are paid", async () => {
    const { id, others } = await twelve();
    await world.database.query(
      `ALTER TABLE payout_attempts ADD CONSTRAINT foreign_rule CHECK (payout_id <> '${id}')`,
    );
    const result = await world.run();
    expect(result.verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(result.report).toMatchObject({ claimed: 12, failed: 1, completed: 11 });
    expectToAddUp(result);
    expect(result.report.items).toMatchObject([{ payoutId: id, code: "DATABASE_REFUSED" }]);
    expect(result.report.items[0]?.message).toContain(
      "SQLSTATE 23514, table payout_attempts, constraint foreign_rule",
    );
    expect(await viewOf(world.database, id)).toEqual(givenBack);
    await expectAllPaid(others);
    await world.database.query("ALTER TABLE payout_attempts DROP CONSTRAINT foreign_rule");
    expect((await world.run()).report).toMatchObject({ found: 1, completed: 1 });
  });

  it("at its attempt and when it is given back: it waits in processing, and is not forgotten", async () => {
    const { id, others } = await twelve();
    await world.database.query(
      `ALTER TABLE payout_attempts ADD CONSTRAINT foreign_rule CHECK (payout_id <> '${id}')`,
    );
    await refuse({
      table: "payouts",
      on: "UPDATE",
      when: `OLD.id = '${id}' AND NEW.status = 'APPROVED'`,
    });
    const result = await world.run();
    expect(result.report).toMatchObject({ claimed: 12, failed: 1, completed: 11 });
    expectToAddUp(result);
    expect(result.report.items[0]?.message).toContain("it stays in processing");
    expect(await viewOf(world.database, id)).toMatchObject({ status: "PROCESSING", attempts: [] });
    await expectAllPaid(others);

    await letClaimsAge(world.database);
    await mend("payouts");
    expect((await runStuck(world)).report).toMatchObject({ returned: 1 });
    expect(await viewOf(world.database, id)).toEqual(givenBack);
  });

  it("at its answer: it is in doubt, the others are paid, and no other in doubt waits for it", async () => {
    const { id, others } = await twelve();
    await refuse({ table: "payout_attempts", on: "UPDATE", when: `OLD.payout_id = '${id}'` });
    const result = await world.run();
    expect(result.verdict).toMatchObject({ kind: "partial", reason: "outcome-unknown" });
    expect(result.report).toMatchObject({ claimed: 12, unknown: 1, completed: 11 });
    expectToAddUp(result);
    expect(result.report.items).toMatchObject([{ payoutId: id, code: "ANSWER_NOT_RECORDED" }]);
    await expectAllPaid(others);

    const { id: younger } = await world.payout();
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    await world.run();
    const stuck = await runStuck(world);
    expect(stuck.report).toMatchObject({ found: 2, settled: 1, notRecorded: 1 });
    expect(stuck.verdict).toMatchObject({ kind: "partial", reason: "not-recorded" });
    expect(await viewOf(world.database, younger)).toEqual(paid);

    await mend("payout_attempts");
    expect((await runStuck(world)).report).toMatchObject({ found: 1, settled: 1 });
    await expectAllPaid([id]);
    expect(world.callsTo("POST /payouts")).toBe(13);
  });
});

describe("one row", () => {
  it("at which a trigger reaches a third server in vain is that row's; ours is not away", async () => {
    const { id, others } = await twelve();
    await refuse({
      table: "payouts",
      on: "UPDATE",
      when: `OLD.id = '${id}'`,
      sqlState: "08001",
    });
    const { verdict, report } = await world.run();
    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(report.items).toMatchObject([{ payoutId: id, code: "DATABASE_REFUSED" }]);
    await expectAllPaid(others);
  });

  it("that a trigger keeps as it was without a word still waits: the run is not green", async () => {
    const { id, others } = await twelve();
    await world.database.query(`
      CREATE FUNCTION foreign_rule() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`);
    await world.database.query(`
      CREATE TRIGGER a_foreign_rule BEFORE UPDATE ON payouts
      FOR EACH ROW WHEN (OLD.id = '${id}') EXECUTE FUNCTION foreign_rule()`);
    const result = await world.run();
    expect(result.verdict).toMatchObject({
      kind: "partial",
      reason: "payouts-left",
      message: "11 of 12 payouts were sent; 1 waits for the next run.",
    });
    expect(result.report.reasons).toEqual({ "skipped CLAIMED_ELSEWHERE": 1 });
    expectToAddUp(result);
    expect(await viewOf(world.database, id)).toEqual(untouched);
    await expectAllPaid(others);
  });
});

describe("an error that meets every row", () => {
  it("ends the run soon, as what it is, and all that was claimed is due again", async () => {
    await seedApprovedPayouts(world.database, { count: 60 });
    await refuse({ table: "payout_attempts", on: "INSERT", when: "true", sqlState: "53100" });
    const { verdict, report } = await world.run();
    expect(verdict).toMatchObject({
      kind: "failed",
      code: "db-refuses-rows",
      message: expect.stringContaining("SQLSTATE 53100") as string,
    });
    expect(report.failed).toBeGreaterThanOrEqual(5);
    // Sixteen are in hand, whose claims passed, and an error lets no other in: ten of the last twenty steps.
    expect(report.processed + report.skipped).toBeLessThanOrEqual(10 + 15);
    expect(await countByStatus(world.database)).toEqual({ APPROVED: 60 });
    expect(world.callsTo("POST /payouts")).toBe(0);
  });

  it("that is a missing right ends it at the first row, and every claim is counted", async () => {
    await seedApprovedPayouts(world.database, { count: 60 });
    await refuse({ table: "payout_attempts", on: "INSERT", when: "true", sqlState: "42501" });
    const { verdict, report } = await world.run();
    expect(verdict.kind).toBe("broken");
    expect(report.claimed).toBeGreaterThan(0);
    expect(report).toMatchObject({ processed: 0, skipped: report.claimed, left: report.claimed });
    expect(report.reasons).toEqual({ "skipped RUN_ENDED": report.claimed });
    const { PROCESSING } = await countByStatus(world.database);
    expect(PROCESSING).toBe(report.claimed);
  });

  it.each([
    ["at their claims", { table: "payouts", on: "UPDATE", column: "OLD.id" }, { failed: 5 }],
    [
      "at their answers",
      { table: "payout_attempts", on: "UPDATE", column: "OLD.payout_id" },
      { unknown: 5 },
    ],
  ] as const)("is not made of five rows of one batch, %s", async (_, { column, ...at }, counts) => {
    const payouts = await seedApprovedPayouts(world.database, { count: 120 });
    const bad = [1, 4, 7, 10, 13].map((index) => `'${payouts[index]?.id ?? ""}'`);
    await refuse({ ...at, when: `${column} IN (${bad.join()})` });
    const result = await world.run();
    expect(result.verdict).toMatchObject({ kind: "partial" });
    expect(result.report).toMatchObject({ completed: 115, ...counts });
    expectToAddUp(result);
  });

  it("is not made of single rows that it meets between good ones", async () => {
    const payouts = await seedApprovedPayouts(world.database, { count: 60 });
    const bad = payouts.filter((_, index) => index % 6 === 0).map(({ id }) => `'${id}'`);
    await refuse({
      table: "payout_attempts",
      on: "INSERT",
      when: `NEW.payout_id IN (${bad.join()})`,
    });
    const result = await world.run({ inHand: 1 });
    expect(result.verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(result.report).toMatchObject({ completed: 50, failed: 10 });
    expectToAddUp(result);
  });
});

describe("a final state at the end of the run that the database does not take", () => {
  it("at the commit: accepted stays accepted, the others are completed, and the run is red", async () => {
    const { id, others } = await twelve();
    const when = `NEW.id = '${id}' AND NEW.status = 'COMPLETED'`;
    await refuse({ table: "payouts", on: "UPDATE", when, atCommit: true });
    const result = await world.run();
    expect(result.verdict).toMatchObject({
      kind: "partial",
      reason: "final-state-not-recorded",
      message: expect.stringMatching(/^1 payout .*SQLSTATE P0001/) as string,
    });
    expect(result.report).toMatchObject({ succeeded: 12, completed: 11, unrecorded: 1, failed: 0 });
    expectToAddUp(result);
    expect(result.report.items).toMatchObject([
      { payoutId: id, outcome: "succeeded", code: "FINAL_STATE_NOT_RECORDED" },
    ]);
    expect(await viewOf(world.database, id)).toEqual(inFlight);
    await expectAllPaid(others);

    await mend("payouts");
    expect((await runStuck(world)).report).toMatchObject({ found: 1, settled: 1 });
    await expectAllPaid([id]);
  });

  it("because another session holds the row: the run is green, and says so", async () => {
    const { id } = await twelve();
    const { verdict, report } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      return world.run({
        database: impatient(world.database),
        wrapGateway: beforeSecondList(() =>
          client.query("SELECT 1 FROM payouts WHERE id = $1 FOR UPDATE", [id]),
        ),
      });
    });
    expect(report).toMatchObject({ succeeded: 12, completed: 11, unrecorded: 1 });
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringMatching(/^1 payout was sent and is final/) as string,
    });
    expect(await viewOf(world.database, id)).toEqual(inFlight);
  });
});

/** The first list is the question whether the provider is there, the second what became of the payouts. */
function beforeSecondList(what: () => unknown): (gateway: PayoutProvider) => PayoutProvider {
  let lists = 0;
  return (gateway) => ({
    ...gateway,
    listPayouts: async (query, options) => {
      if (++lists === 2) await what();
      return gateway.listPayouts(query, options);
    },
  });
}

import { describe, expect, it } from "vitest";
import { readAudit } from "../../../../lib/audit/audit-log.ts";
import { inTransaction } from "../../../../lib/db/client.ts";
import { countUnsent } from "../../../../lib/payouts/state/due.ts";
import { failPayouts } from "../../../../lib/payouts/state/release.ts";
import { LeaseLostError } from "../../../../lib/support/lease.ts";
import { newUuid } from "../../../../lib/support/random.ts";
import type { PayeeSeed } from "../../../support/payout-world.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { claimOne } from "../one.ts";
import { digestOf, givenBack, paid, viewOf } from "../rows.ts";
import { inSession, untilBlocked, withDb } from "../sessions.ts";
import { useWorld } from "../world.ts";
import { takeOverUnsent } from "../../../../lib/payouts/state/take-over.ts";

const world = useWorld();
const stuck = (options: Partial<Parameters<typeof runStuck>[0]> = {}) =>
  runStuck({ database: world.database, sandbox: world.sandbox, ...options });

/** What a run without locks leaves that is killed between its claim and its attempt. */
async function claimOfDeadRun(
  seed: PayeeSeed = {},
  { age = "46 minutes", fence = null }: { age?: string; fence?: bigint | null } = {},
): Promise<{ id: string; runId: string }> {
  const { id } = await world.payout(seed);
  const runId = newUuid();
  await withDb(world.database, (db) => claimOne(db, id, { runId, fence }));
  await world.database.query("UPDATE payouts SET claimed_at = now() - $2::interval WHERE id = $1", [
    id,
    age,
  ]);
  return { id, runId };
}

describe("a claim that a dead run never sent", () => {
  it.each([
    ["a consultant's", {}, givenBack],
    ["an organization's", { organization: true }, { ...givenBack, status: "PENDING" }],
  ])("(%s) is due again without a question to the provider, and audited", async (_, seed, end) => {
    const { id, runId } = await claimOfDeadRun(seed);
    const { report, verdict, runId: stuckRun } = await stuck();
    expect(report).toMatchObject({ found: 1, returned: 1, settled: 0, unsent: 0 });
    expect(verdict).toMatchObject({
      kind: "completed",
      warning: expect.stringMatching(/^1 payout is due again/) as string,
    });
    expect(await viewOf(world.database, id)).toEqual(end);
    expect(world.sandbox.callCount()).toBe(0);
    const audited = await withDb(world.database, (db) =>
      readAudit(db, { subjectType: "payout", subjectId: id }),
    );
    expect(audited.filter(({ action }) => action === "returned")).toMatchObject([
      {
        actor: "job:payouts/handle-stuck-payouts",
        reason: "ABANDONED_CLAIM",
        detail: { runId: stuckRun, takenOverFrom: runId },
      },
    ]);

    expect((await world.run()).report).toMatchObject(
      "organization" in seed ? { organizations: { completed: 1 } } : { completed: 1 },
    );
    expect((await viewOf(world.database, id)).status).toBe("COMPLETED");
  });

  it("counts no try, however often it happens: the payout is not to blame", async () => {
    const { id } = await claimOfDeadRun({ payouts: [{ tries: 2 }] });
    await stuck();
    expect(await viewOf(world.database, id)).toEqual({ ...givenBack, tries: 2 });
    expect((await world.run()).report).toMatchObject({ found: 1, completed: 1 });
  });

  it("is given back also when the provider is away", async () => {
    const { id } = await claimOfDeadRun();
    world.sandbox.addFaults({ on: "GET /payouts", times: -1, status: 503 });
    await stuck();
    expect(await viewOf(world.database, id)).toEqual(givenBack);
  });

  it("is left to its run under whatever fence: this job's is that of another lock", async () => {
    const { id } = await claimOfDeadRun({}, { age: "44 minutes", fence: 1n });
    const lease = { fence: 99n, assertTrusted: () => undefined };
    expect((await stuck({ lease })).report).toMatchObject({ returned: 0, unsent: 1 });
    expect(await viewOf(world.database, id)).toMatchObject({ status: "PROCESSING" });
  });

  it("is left to its run for 45 minutes, and both jobs say that it waits", async () => {
    await claimOfDeadRun({}, { age: "44 minutes" });
    const before = await digestOf(world.database);
    const warning = expect.stringContaining("1 payout is claimed by another run") as string;
    const looked = await stuck();
    expect(looked.report).toMatchObject({ found: 0, returned: 0, unsent: 1 });
    expect(looked.verdict).toEqual({ kind: "completed", warning });
    const { report, verdict } = await world.run();
    expect(report).toMatchObject({ found: 0, unsentBefore: 1 });
    expect(verdict).toEqual({ kind: "completed", warning });
    expect(await digestOf(world.database)).toEqual(before);
  });

  it("is given back once by several runs at once", async () => {
    const claims = [await claimOfDeadRun(), await claimOfDeadRun({ organization: true })];
    const reports = await Promise.all([stuck(), stuck(), stuck()]);
    expect(reports.reduce((sum, { report }) => sum + report.returned, 0)).toBe(2);
    for (const { id } of claims) {
      expect((await viewOf(world.database, id)).deductions).toEqual(givenBack.deductions);
    }
    const before = await digestOf(world.database);
    expect((await stuck()).report.found).toBe(0);
    expect(await digestOf(world.database)).toEqual(before);
  });

  it("is only planned in a dry run", async () => {
    await claimOfDeadRun();
    const before = await digestOf(world.database);
    const { report, verdict } = await stuck({ dryRun: true });
    expect(report).toMatchObject({ found: 1, returned: 1 });
    expect(verdict).toMatchObject({ warning: expect.stringContaining("would be due") as string });
    expect(await digestOf(world.database)).toEqual(before);
  });

  it("counts against the limit, before what is in doubt", async () => {
    await claimOfDeadRun();
    await claimOfDeadRun();
    expect((await stuck({ limit: 1 })).report).toMatchObject({ found: 1, returned: 1 });
  });

  it("is not touched by a run that has lost its lease", async () => {
    const { id } = await claimOfDeadRun();
    const assertTrusted = (): void => {
      throw new LeaseLostError("test");
    };
    await expect(stuck({ lease: { fence: 7n, assertTrusted } })).rejects.toThrow(LeaseLostError);
    expect(await viewOf(world.database, id)).toMatchObject({ status: "PROCESSING" });
  });

  it("that the database does not let go makes the run red, and stops no other", async () => {
    const refused = await claimOfDeadRun();
    const other = await claimOfDeadRun();
    await world.database.query(
      `CREATE FUNCTION refuse_it() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'the secret of somebody'; END $$`,
    );
    await world.database.query(
      `CREATE TRIGGER a_refusal BEFORE UPDATE ON payouts FOR EACH ROW
       WHEN (OLD.id = '${refused.id}') EXECUTE FUNCTION refuse_it()`,
    );
    const { report, verdict } = await stuck();
    expect(verdict).toMatchObject({ kind: "partial", reason: "not-recorded" });
    expect(report).toMatchObject({ found: 2, returned: 1, notRecorded: 1 });
    const left = report.items.find(({ outcome }) => outcome === "not-recorded");
    expect(left).toMatchObject({ payoutId: refused.id, code: "DATABASE_REFUSED" });
    expect(left?.message).toContain("SQLSTATE P0001, function refuse_it");
    expect(left?.message).not.toContain("secret");
    expect(await viewOf(world.database, other.id)).toEqual(givenBack);
  });
});

describe("what counts as claimed and not sent", () => {
  const unsent = (of: { runId?: string; fence?: bigint | null } = {}) =>
    withDb(world.database, (db) => countUnsent(db, { runId: newUuid(), fence: null, ...of }));

  it("is another run's claim that is young and under no older fence", async () => {
    const { id, runId } = await claimOfDeadRun({}, { age: "44 minutes", fence: 7n });
    expect(await unsent()).toBe(1);
    expect(await unsent({ runId })).toBe(0);
    expect(await unsent({ fence: 7n })).toBe(1);
    expect(await unsent({ fence: 8n })).toBe(0);
    await world.database.query(
      "UPDATE payouts SET claimed_at = now() - interval '46 minutes' WHERE id = $1",
      [id],
    );
    expect(await unsent()).toBe(0);
  });

  it("is nothing that has failed, and nothing that has an attempt", async () => {
    const failing = await claimOfDeadRun({}, { age: "1 minute" });
    await withDb(world.database, (db) =>
      inTransaction(db, (tx) =>
        failPayouts(tx, { runId: failing.runId }, [
          { payoutId: failing.id, code: "X", message: "x" },
        ]),
      ),
    );
    await world.payout();
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    expect((await world.run()).report).toMatchObject({ unknown: 1 });
    expect(await unsent()).toBe(0);
  });
});

describe("a run that is alive after all", () => {
  it("finds its claim lost before its attempt, and the payout is paid once", async () => {
    const { id } = await world.payout();
    const { report } = await world.run({
      wrapGateway: (gateway) => ({
        ...gateway,
        createFundAccount: async (input, options) => {
          await world.database.query("UPDATE payouts SET claimed_at = now() - interval '1 hour'");
          expect((await stuck()).report.returned).toBe(1);
          return gateway.createFundAccount(input, options);
        },
      }),
    });
    expect(report).toMatchObject({ found: 1, claimed: 1, succeeded: 0, skipped: 1 });
    expect(report.items).toMatchObject([{ code: "CLAIMED_ELSEWHERE" }]);
    expect(await viewOf(world.database, id)).toEqual(givenBack);
    expect(world.callsTo("POST /payouts")).toBe(0);
    await world.run();
    expect(world.callsTo("POST /payouts")).toBe(1);
  });

  it("keeps its payout when its attempt comes first", async () => {
    const { id } = await world.payout();
    const { report } = await world.run({
      wrapGateway: (gateway) => ({
        ...gateway,
        createPayout: async (request, options) => {
          await world.database.query("UPDATE payouts SET claimed_at = now() - interval '1 hour'");
          expect((await stuck()).report).toMatchObject({ returned: 0, waiting: 1 });
          return gateway.createPayout(request, options);
        },
      }),
    });
    expect(report).toMatchObject({ succeeded: 1, completed: 1 });
    expect(await viewOf(world.database, id)).toEqual(paid);
  });

  it("wins when its attempt and the giving back meet", async () => {
    const { id, runId } = await claimOfDeadRun();
    const taken = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payouts WHERE id = $1 FOR UPDATE", [id]);
      const result = withDb(world.database, (db) =>
        inTransaction(db, (tx) =>
          takeOverUnsent(tx, { payoutId: id, claimedBy: runId }, { runId: newUuid(), fence: null }),
        ),
      );
      await untilBlocked(world.database);
      await client.query(
        `INSERT INTO payout_attempts (payout_id, attempt_no, payout_account_id, run_id, idempotency_key,
           reference_id, mode, amount_paise, request_hash, request_body)
         SELECT $1, 1, id, $2, 'key-1', 'reference-1', 'IMPS',
                (SELECT net_paise FROM payouts WHERE id = $1), repeat('0', 64), '{}' FROM payout_accounts`,
        [id, runId],
      );
      await client.query("COMMIT");
      return result;
    });
    expect(taken).toBe(false);
    expect((await viewOf(world.database, id)).attempts).toEqual(["PREPARED"]);
  });
});

describe("claims that the database takes none back of", () => {
  it("keep no payout in doubt from being asked for", async () => {
    const { id: inDoubt } = await world.payout();
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    await world.run();

    const claims = await Promise.all(Array.from({ length: 6 }, () => claimOfDeadRun()));
    await world.database.query(`
      CREATE FUNCTION foreign_rule() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'no'; END $$`);
    const ids = claims.map(({ id }) => `'${id}'`).join();
    await world.database.query(`
      CREATE TRIGGER a_foreign_rule BEFORE UPDATE ON payouts
      FOR EACH ROW WHEN (OLD.id IN (${ids})) EXECUTE FUNCTION foreign_rule()`);
    const { report, verdict } = await stuck();
    expect(verdict).toMatchObject({ kind: "failed", code: "db-refuses-rows" });
    expect(report).toMatchObject({ settled: 1, notRecorded: 5 });
    expect(await viewOf(world.database, inDoubt)).toEqual(paid);
  });
});

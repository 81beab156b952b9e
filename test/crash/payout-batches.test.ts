import { describe, expect, it, onTestFinished } from "vitest";
import type { Verdict } from "../../lib/support/verdict.ts";
import { newUuid } from "../../lib/support/random.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { letClaimsAge } from "../support/claims-age.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { runPayouts, seedApprovedPayouts } from "../support/payout-world.ts";
import { runStuck } from "../support/stuck-run.ts";
import { startProcess, type Naming, type Side } from "./matrix/process.ts";
import type { Statement } from "./matrix/wire.ts";

/** All in hand at once, so that each step is taken for several together. */
const PAYOUTS = 12;

/** Twelve payouts take a second or two; on a busy machine ten times as long. */
const TIMEOUT_MS = 120_000;

/** The moments of a batch. Commits are those of several payouts; a request is the n-th that is sent. */
const MOMENTS = [
  "commit of claims",
  "commit of attempts",
  "send 1",
  "send 6",
  "send 12",
  "commit of answers",
] as const;

describe("a batch of payouts, whose run is stopped dead", { timeout: TIMEOUT_MS }, () => {
  it.each(
    MOMENTS.flatMap((step) => (["before", "after"] as const).map((side) => [side, step] as const)),
  )("%s %s: each is paid once all the same", async (side, step) => {
    const world = await openWorld();
    const runId = await stopAt(world, { step, side });
    await checkMoneyInvariants(world.database, world.sandbox);
    await expectNothingSentWithoutItsAttempt(world);
    const open = await inDoubt(world, runId);

    await settleAndPayTheRest(world);

    const payouts = world.sandbox.payouts();
    expect(payouts.map(({ status }) => status)).toEqual(Array(PAYOUTS).fill("processed"));
    const ends = await world.database.query<{ status: string; closed: number }>(`
      SELECT payouts.status::text AS status, max(attempt_no) - 1 AS closed
      FROM payouts JOIN payout_attempts ON payout_id = payouts.id GROUP BY payouts.id`);
    expect(ends.map(({ status }) => status)).toEqual(Array(PAYOUTS).fill("COMPLETED"));
    // Only where the stopped run had committed an attempt and could not send it any more.
    expect(ends.filter(({ closed }) => closed > 0).length).toBeLessThanOrEqual(open);
  });
});

describe(
  "a batch whose run is stopped dead between claim and attempt, without locks",
  {
    timeout: TIMEOUT_MS,
  },
  () => {
    it.each([
      ["after", "commit of claims"],
      ["before", "commit of attempts"],
    ] as const)(
      "%s %s: handle-stuck-payouts says that they wait, and once the run must be dead makes them due",
      async (side, step) => {
        const world = await openWorld();
        await stopAt(world, { step, side });
        const claimed = await inProcessing(world);
        expect(claimed).toBeGreaterThan(0);

        const young = await runStuck(world);
        expect(young.report).toMatchObject({ found: 0, returned: 0, unsent: claimed });
        expect(young.verdict).toMatchObject({
          kind: "completed",
          warning: expect.stringContaining(`${claimed} payouts are claimed`) as string,
        });
        expect(await inProcessing(world)).toBe(claimed);

        await letClaimsAge(world.database);
        const [one, other] = await Promise.all([runStuck(world), runStuck(world)]);
        expect(one.report.returned + other.report.returned).toBe(claimed);
        expect(await inProcessing(world)).toBe(0);
        await checkMoneyInvariants(world.database, world.sandbox);
        const again = await runStuck(world);
        expect(again.verdict).toEqual({ kind: "completed" });
        expect(again.report).toMatchObject({ found: 0, unsent: 0 });

        const { report } = await runPayouts({ ...world, razorpayX: { timeoutMs: 30_000 } });
        expect(report).toMatchObject({ found: PAYOUTS, completed: PAYOUTS });
        await checkMoneyInvariants(world.database, world.sandbox);
      },
    );
  },
);

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
}

/** Payees whom the provider knows, as it does from the second week on: nothing but payouts is sent. */
async function openWorld(): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  sandbox.addFaults({ on: "POST /payouts", times: -1, initialState: "processed" });
  const payouts = await seedApprovedPayouts(database, { count: PAYOUTS });
  for (const [index, { consultantId, accountNumber = "" }] of payouts.entries()) {
    const name = `Example Payee ${index + 1}`;
    const { contactId, fundAccountId } = sandbox.registerPayee({ name, accountNumber });
    await database.query("UPDATE consultants SET provider_contact_id = $2 WHERE id = $1", [
      consultantId,
      contactId,
    ]);
    await database.query(
      "UPDATE payout_accounts SET provider_fund_account_id = $2 WHERE consultant_id = $1",
      [consultantId, fundAccountId],
    );
  }
  return { database, sandbox };
}

/** Runs until the moment, and returns the run that died there. */
async function stopAt(
  { database, sandbox }: World,
  stop: { step: string; side: Side },
): Promise<string> {
  const runId = newUuid();
  let hasStopped = false;
  const process = await startProcess(database, {
    naming: createNaming(),
    watch: (step, side) => {
      const stops = !hasStopped && step === stop.step && side === stop.side;
      if (stops) hasStopped = true;
      return stops;
    },
  });
  const running = runPayouts({
    runId,
    database: process.database,
    sandbox,
    razorpayX: { timeoutMs: 30_000 },
    wrapGateway: (gateway) => process.wrapGateway(gateway),
  });
  // Once it is dead nobody listens to it any more.
  running.catch(() => undefined);
  const end = await Promise.race([
    running.then(({ verdict }) => verdict),
    process.stopped.then((): "stopped" => "stopped"),
  ]);
  expect(end).toBe("stopped");
  await process.arrived();
  await process.close();
  await database.query(`
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`);
  return runId;
}

/** Only what is done for several together has a name: what is done for one is in the matrix. */
function createNaming(): Naming {
  let sent = 0;
  return {
    commit: (statements) => {
      const what = [
        ["claims", /UPDATE payouts SET status = 'PROCESSING'/],
        ["attempts", /INSERT INTO payout_attempts/],
        ["answers", /UPDATE payout_attempts SET state/],
      ] as const;
      const found = what.find(([, pattern]) => statements.some(({ sql }) => pattern.test(sql)));
      return found && payoutsIn(statements) > 1 ? `commit of ${found[0]}` : undefined;
    },
    write: () => undefined,
    call: (method) => (method === "createPayout" ? `send ${++sent}` : method),
  };
}

/** The most that one statement names. */
function payoutsIn(statements: readonly Statement[]): number {
  const counts = statements.map(({ values: [first = ""] }) => first.match(UUID)?.length ?? 0);
  return Math.max(...counts);
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

async function expectNothingSentWithoutItsAttempt({ database, sandbox }: World): Promise<void> {
  const attempts = await database.query<{ key: string }>(
    "SELECT idempotency_key AS key FROM payout_attempts",
  );
  const committed = new Set(attempts.map(({ key }) => key));
  const sent = sandbox.calls().flatMap(({ idempotency_key: key }) => key ?? []);
  expect(sent.filter((key) => !committed.has(key))).toEqual([]);
  expect(new Set(sent).size).toBe(sent.length);
}

async function inDoubt({ database }: World, runId: string): Promise<number> {
  const rows = await database.query(
    "SELECT 1 FROM payout_attempts WHERE run_id = $1 AND state = 'PREPARED'",
    [runId],
  );
  return rows.length;
}

async function inProcessing({ database }: World): Promise<number> {
  return (await database.query("SELECT 1 FROM payouts WHERE status = 'PROCESSING'")).length;
}

/** The jobs of the week, as often as there is something to do, with hours in between. */
async function settleAndPayTheRest({ database, sandbox }: World): Promise<void> {
  const said: Verdict[] = [];
  for (let round = 1; round <= 3; round++) {
    await letClaimsAge(database);
    said.push((await runStuck({ database, sandbox })).verdict);
    const { verdict } = await runPayouts({ database, sandbox, razorpayX: { timeoutMs: 30_000 } });
    said.push(verdict);
  }
  expect(said.filter(({ kind }) => kind !== "completed")).toEqual([]);
  await checkMoneyInvariants(database, sandbox);
}

import { randomInt } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  startSandbox,
  type CallRecord,
  type Fault,
  type Sandbox,
} from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, startJob } from "../support/job-process.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { jobEnv, seedApprovedPayouts, type SeededPayout } from "../support/payout-world.ts";
import { chooseMoment, generator, watchSteps, type Dice } from "./moments.ts";

const KILLS = 20;
const PAYOUTS = 1200;
const PAYEES = 300;
const REFUSED_PAYEES = 4;
/** Every so many kills a run without any lock; the last ones have one. */
const UNLOCKED_EVERY = 4;

/** Set CRASH_SEED to see the same moments again. */
const SEED = Number(process.env["CRASH_SEED"] ?? randomInt(1_000_000));

describe("the payout job, killed twenty times in a row and run again", () => {
  it("pays nobody twice, loses nobody, and keeps the books at every moment", async () => {
    const world = await openWorld(generator(SEED));
    const happened: string[] = [];
    try {
      await killAgainAndAgain(world, happened);
      await runToTheEnd(world);
    } catch (error) {
      const story = [...happened, String(error)].join("\n  ");
      throw new Error(`with CRASH_SEED=${SEED}:\n  ${story}`, { cause: error });
    }
  });
});

async function killAgainAndAgain(world: World, happened: string[]): Promise<void> {
  const { database, sandbox, dice, steps } = world;
  let claimsLeftBehind = 0n;
  let attemptsLeftOpen = 0n;
  for (let kill = 1; kill <= KILLS; kill++) {
    const lockStore =
      kill % UNLOCKED_EVERY === 0 && kill < KILLS - UNLOCKED_EVERY ? "off" : "postgres";
    const moment = chooseMoment(dice);
    happened.push(`kill ${kill}, lock ${lockStore}: ${moment.step} ${moment.count}`);

    const job = startJob({ env: envOf(world, lockStore) });
    steps.when(moment, () => job.kill("SIGKILL"));
    const end = await job.ended;
    expect(end, end.stdout).toMatchObject({ exitCode: null, signal: "SIGKILL" });

    await checkMoneyInvariants(database, sandbox);
    const left = await leftBehind(database);
    claimsLeftBehind += left.claims;
    attemptsLeftOpen += left.attempts;
    await letTimePass(database);
  }
  // Otherwise the moments were not where it hurts.
  expect(claimsLeftBehind).toBeGreaterThan(0n);
  expect(attemptsLeftOpen).toBeGreaterThan(0n);
}

async function runToTheEnd(world: World): Promise<void> {
  const { database, sandbox } = world;
  const last = await runJob({ env: envOf(world, "postgres") });
  expect([last.signal, last.outputs["outcome"]], last.stdout).toEqual([
    null,
    expect.stringMatching(/^(completed|partial)$/),
  ]);
  await checkMoneyInvariants(database, sandbox);
  await expectEveryPayoutAccountedFor(world);
  await expectInDoubtExactlyWhereTheAnswerWasLost(world);

  const accepted = sandbox.payouts();
  const again = await runJob({ env: envOf(world, "postgres") });
  expect(again).toMatchObject({ exitCode: 0, outputs: { outcome: "completed", found: "0" } });
  expect(sandbox.payouts().map(({ id }) => id)).toEqual(accepted.map(({ id }) => id));
}

/** Nobody is left approved but for an account on hold, and nothing is in processing that the provider was not asked for. */
async function expectEveryPayoutAccountedFor({ database, seeded }: World): Promise<void> {
  const rows = await database.query<{ id: string; status: string; accountNumber: string }>(`
    SELECT payouts.id, status::text, account_number AS "accountNumber"
    FROM payouts JOIN payout_accounts USING (consultant_id)`);
  expect(rows).toHaveLength(seeded.length);
  const statuses = new Set(rows.map(({ status }) => status));
  expect([...statuses].toSorted()).toEqual(["APPROVED", "COMPLETED", "FAILED", "PROCESSING"]);
  const refused = new Set(refusedAccounts(seeded));
  const held = await database.query<{ accountNumber: string }>(`
    SELECT account_number AS "accountNumber" FROM payout_account_holds AS hold
    JOIN payout_accounts AS account ON account.id = hold.payout_account_id
    WHERE hold.released_at IS NULL ORDER BY account_number`);
  // One hold for each account, however many runs were killed after it.
  expect(held.map(({ accountNumber }) => accountNumber)).toEqual([...refused].toSorted());
  expect(
    rows.filter(
      ({ status, accountNumber }) => status === "APPROVED" && !refused.has(accountNumber),
    ),
  ).toEqual([]);
  expect(
    rows.filter(({ status, accountNumber }) => status === "FAILED" && !refused.has(accountNumber)),
  ).toEqual([]);
  expect(
    rows.filter(
      ({ status, accountNumber }) => status === "COMPLETED" && refused.has(accountNumber),
    ),
  ).toEqual([]);
  expect(
    await database.query(`
      SELECT id FROM payouts WHERE status = 'PROCESSING' AND NOT EXISTS (
        SELECT 1 FROM payout_attempts
        WHERE payout_id = payouts.id AND state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED'))`),
  ).toEqual([]);
}

/**
 * An attempt is in doubt exactly when no usable answer came back, or when the run was killed before it
 * could write the answer down. And no request ever left twice.
 */
async function expectInDoubtExactlyWhereTheAnswerWasLost({
  database,
  sandbox,
}: World): Promise<void> {
  const attempts = await database.query<{ key: string; state: string; runKilled: boolean }>(`
    SELECT attempt.idempotency_key AS key, attempt.state::text AS state,
           run.outcome IS NULL AS "runKilled"
    FROM payout_attempts AS attempt JOIN job_runs AS run ON run.id = attempt.run_id`);
  const calls = new Map<string, CallRecord[]>();
  for (const call of sandbox.calls()) {
    const key = call.idempotency_key;
    if (key !== null) calls.set(key, [...(calls.get(key) ?? []), call]);
  }
  const violations: string[] = [];
  for (const { key, state, runKilled } of attempts) {
    const sent = calls.get(key) ?? [];
    if (sent.length > 1) violations.push(`${key} was sent ${sent.length} times`);
    const status = sent[0]?.status;
    const expected = statesAfter(status);
    if (expected.includes(state) || (state === "PREPARED" && runKilled)) continue;
    violations.push(`${key} is ${state}, and the provider answered ${status ?? "nothing"}`);
  }
  expect(violations).toEqual([]);
  const keys = new Set(attempts.map(({ key }) => key));
  expect([...calls.keys()].filter((key) => !keys.has(key))).toEqual([]);
}

/** The states of an attempt whose run lived to see this status. */
function statesAfter(status: CallRecord["status"] | undefined): string[] {
  if (status === 200) return ["ACCEPTED", "PROCESSED"];
  if (status === 400) return ["REFUSED"];
  return ["UNKNOWN"];
}

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  seeded: readonly SeededPayout[];
  dice: Dice;
  steps: Awaited<ReturnType<typeof watchSteps>>;
}

async function openWorld(dice: Dice): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const steps = await watchSteps(database);
  onTestFinished(steps.close);
  const sandbox = await startSandbox({ onCall: () => steps.saw("provider answered") });
  onTestFinished(() => sandbox.close());
  const seeded = await seedApprovedPayouts(database, { count: PAYOUTS, payees: PAYEES });
  sandbox.addFaults(mixedFaults(seeded, dice));
  return { database, sandbox, seeded, dice, steps };
}

/** Some payees are always refused; now and then an answer is lost, before or after acceptance. */
function mixedFaults(seeded: readonly SeededPayout[], dice: Dice): Fault[] {
  const on = "POST /payouts";
  const refusals = refusedAccounts(seeded).map((account_number): Fault => ({
    on,
    match: { account_number },
    times: -1,
    status: 400,
    error: { reason: "bank_account_invalid" },
  }));
  const lost: Omit<Fault, "on">[] = [
    { dropAfter: true },
    { dropBefore: true },
    { hang: true, accept: true },
    { hang: true },
    { status: 503, accept: true },
    { status: 503 },
  ];
  const losses = Array.from({ length: 18 }, (_, index): Fault => ({
    on,
    skip: 12 * index + Math.floor(dice() * 8),
    ...lost[index % lost.length],
  }));
  // The answer is a moment behind the acceptance, so that kills fall in between as well.
  return [...refusals, ...losses, { on, times: -1, delayMs: 5 }];
}

function refusedAccounts(seeded: readonly SeededPayout[]): string[] {
  return seeded
    .slice(0, PAYEES)
    .filter((_, index) => index % Math.floor(PAYEES / REFUSED_PAYEES) === 0)
    .flatMap(({ accountNumber }) => accountNumber ?? []);
}

function envOf(
  { database, sandbox }: World,
  lockStore: "postgres" | "off",
): Record<string, string> {
  return { ...jobEnv({ database, sandbox, lockStore }), RAZORPAY_TIMEOUT_MS: "1000" };
}

async function leftBehind(database: TestDatabase): Promise<{ claims: bigint; attempts: bigint }> {
  const [row] = await database.query<{ claims: bigint; attempts: bigint }>(`
    SELECT count(*) FILTER (WHERE attempt.id IS NULL) AS claims,
           count(*) FILTER (WHERE attempt.state = 'PREPARED') AS attempts
    FROM payouts LEFT JOIN payout_attempts AS attempt
      ON attempt.payout_id = payouts.id AND attempt.state <> 'REFUSED'
    WHERE payouts.status = 'PROCESSING'`);
  return row ?? { claims: 0n, attempts: 0n };
}

/**
 * The lease of a killed run ends. Its claims are known by their older fence; those of a run without a
 * lock have none, and are given up after 45 minutes.
 */
async function letTimePass(database: TestDatabase): Promise<void> {
  await database.query(
    "UPDATE job_leases SET expires_at = now() - interval '1 second' WHERE owner IS NOT NULL",
  );
  await database.query(`
    UPDATE payouts SET claimed_at = claimed_at - interval '46 minutes'
    WHERE status = 'PROCESSING' AND claim_fence IS NULL`);
}

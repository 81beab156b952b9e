import { statementBreaches } from "../support/statements.ts";
import { checkInvariants, type Memory } from "./invariants.ts";
import { runTogether, type FinishedRun } from "./moments.ts";
import { approveAll, releaseAll } from "./operator.ts";
import { payEverything } from "./provider.ts";
import type { JobName } from "./jobs.ts";
import { deliverUnderWay, letTimePass, type World } from "./world.ts";

/** Rounds of all jobs after which a world without faults is quiet: what fails for good fails anew in each. */
const ROUNDS = 2;

/** Above the least payout of a batch; less than that is carried to the next one. */
const LEAST_PAYOUT_PAISE = 50_000n;

/**
 * Everything is mended: no fault any more, holds are released, a person approves what waits, the provider pays
 * what it has. After a few rounds of all jobs nobody may be silently not paid, and the books must agree.
 */
export async function comeToAnEnd(world: World, memory: Memory): Promise<void> {
  const { arena, story } = world;
  world.faultRate = 0;
  world.reconcileAwaySteps = 0;
  story.push("everything is mended");
  await deliverUnderWay(world);
  await arena.database.query("UPDATE earnings SET hold_until = NULL WHERE hold_until IS NOT NULL");
  const run = async (job: JobName): Promise<FinishedRun> => {
    const runs = await runTogether(world, [{ job }]);
    await checkInvariants(world, memory, runs);
    const [only] = runs;
    if (only === undefined) throw new Error("nothing was run");
    return only;
  };

  for (let round = 1; round <= ROUNDS; round++) {
    payEverything(world);
    await letTimePass(world, 120, { most: Infinity });
    await run("stuck");
    await run("reconcile");
    // What the provider says only now may put an account on hold.
    await releaseAll(world, arena.sessions.A);
    await run("batch");
    await approveAll(world, arena.sessions.A);
    await run("pay");
  }
  payEverything(world);
  const reconciled = await run("reconcile");
  const proven = await run("ledger");
  const violations = [
    ...notCompleted(reconciled),
    ...notCompleted(proven),
    ...(await openFindings(world)),
    ...(await unfinishedPayouts(world)),
    ...(await paidOnBothSides(world)),
    ...(await silentlyNotPaid(world)),
    ...(await statementBreaches(arena.database)),
  ];
  if (violations.length > 0) throw new Error(violations.join("\n"));
}

function notCompleted({ job, end }: FinishedRun): string[] {
  return end?.verdict?.kind === "completed" ? [] : [`end: ${job} is ${end?.said ?? "dead"}`];
}

async function openFindings({ arena }: World): Promise<string[]> {
  const rows = await arena.database.query<{ kind: string; details: string }>(
    "SELECT kind, details::text AS details FROM findings WHERE resolved_at IS NULL AND severity = 'critical'",
  );
  return rows.map(({ kind, details }) => `end: finding ${kind} ${details}`);
}

async function unfinishedPayouts({ arena }: World): Promise<string[]> {
  const rows = await arena.database.query<{ status: string; owner: string }>(
    `SELECT payout.status::text AS status, owner.external_ref AS owner
     FROM payouts AS payout JOIN consultants AS owner ON owner.id = payout.consultant_id
     WHERE payout.status IN ('PENDING', 'APPROVED', 'PROCESSING')
        OR (payout.status = 'FAILED' AND payout.failure_code IS NULL)`,
  );
  return rows.map(({ status, owner }) => `end: a payout of ${owner} is ${status}`);
}

/** COMPLETED here exactly when paid there; REVERSED here exactly when it came back after it was paid. */
async function paidOnBothSides({ arena }: World): Promise<string[]> {
  const rows = await arena.database.query<{ reference: string; status: string }>(
    `SELECT attempt.reference_id AS reference, payout.status::text AS status
     FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
     WHERE attempt.state IN ('PROCESSED', 'REVERSED')`,
  );
  const ours = new Map(rows.map(({ reference, status }) => [reference, status]));
  return arena.sandbox.payouts().flatMap(({ reference_id: reference, status }) => {
    const here = ours.get(reference ?? "");
    const expected =
      status === "processed" ? "COMPLETED" : here === undefined ? undefined : "REVERSED";
    return here === expected ? [] : [`end: ${status} at the provider, ${here ?? "not paid"} here`];
  });
}

/**
 * Who can be paid and is owed a payout's worth has been paid; who can't has a failed payout that says why. A VPA
 * that was refused its only mode counts as one that can't, when the last payout says so.
 */
async function silentlyNotPaid({ arena, people }: World): Promise<string[]> {
  const rows = await arena.database.query<{
    id: string;
    paise: bigint;
    failed: boolean;
    last: string | null;
  }>(
    `SELECT consultant_id AS id, sum(amount_paise)::bigint AS paise, EXISTS (
       SELECT 1 FROM payouts WHERE payouts.consultant_id = net.consultant_id AND status = 'FAILED'
         AND failure_code IS NOT NULL) AS failed,
       (SELECT failure_code FROM payouts WHERE payouts.consultant_id = net.consultant_id
        ORDER BY created_at DESC, id DESC LIMIT 1) AS last
     FROM earnings_net AS net WHERE status <> 'PAID' GROUP BY consultant_id`,
  );
  return rows
    .filter(({ paise }) => paise >= LEAST_PAYOUT_PAISE)
    .flatMap(({ id, paise, failed, last }) => {
      const person = people.find((each) => each.id === id);
      if (person?.flaw !== undefined && failed) return [];
      if (person?.hasVpa && last === "NO_MODE_LEFT") return [];
      return [
        `end: ${person?.name ?? "somebody"} is still owed ${paise} paise, and nobody says why`,
      ];
    });
}

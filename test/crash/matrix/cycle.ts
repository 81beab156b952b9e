import { defaultTaxPolicy } from "../../../lib/tds/index.ts";
import { reconcileLedger } from "../../../lib/ledger/reconcile/reconcile-ledger.ts";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import { createPayoutBatch } from "../../../lib/payouts/batch/create-batch.ts";
import { approvePayout } from "../../../lib/payouts/operate/index.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { noLease } from "../../../lib/support/lease.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { noProgress } from "../../../lib/support/progress.ts";
import { newUuid } from "../../../lib/support/random.ts";
import type { Verdict } from "../../../lib/support/verdict.ts";
import { runPayouts, type RunOptions } from "../../support/payout-world.ts";
import { runReconcile } from "../../support/reconcile-run.ts";
import { runStuck } from "../../support/stuck-run.ts";

/** What a run of a job is given: its line to the database, and its own view of the provider. */
export type JobOptions = Required<
  Pick<RunOptions, "database" | "sandbox" | "wrapGateway" | "runId">
> &
  Pick<RunOptions, "limit">;

export type JobName =
  | "create-payout-batch"
  | "operator"
  | "process-payouts"
  | "handle-stuck-payouts"
  | "reconcile-payout-status"
  | "reconcile-ledger";

/** A request that gets no answer is given up after so long; any other is answered in a few milliseconds. */
const GIVEN_UP_AFTER_MS = 500;

/** The jobs of the cycle, and the person who approves, in the order of a week. */
export const JOBS: Readonly<Record<JobName, (options: JobOptions) => Promise<Verdict>>> = {
  "create-payout-batch": createBatch,
  operator: approveBatch,
  "process-payouts": async (options) => {
    const razorpayX = { timeoutMs: GIVEN_UP_AFTER_MS };
    // One after the other, so that each commit is of one payee; several at once are in payout-batches.test.ts.
    // Other caps than the defaults, which the first run writes down.
    const caps = { runCount: 9_999 };
    return (await runPayouts({ inHand: 1, caps, ...options, razorpayX })).verdict;
  },
  "handle-stuck-payouts": async (options) => (await runStuck(options)).verdict,
  "reconcile-payout-status": async (options) => (await runReconcile(options)).verdict,
  "reconcile-ledger": async ({ database }) =>
    withDb(database, async (db) => {
      const { verdict } = await reconcileLedger({
        ...common(db),
        clock: systemClock,
        settings: { tax: defaultTaxPolicy },
      });
      return verdict;
    }),
};

/** Makes the payouts that are due; needs no provider. */
export async function createBatch({ database }: Pick<JobOptions, "database">): Promise<Verdict> {
  return withDb(database, async (db) => {
    const { verdict } = await createPayoutBatch({
      ...common(db),
      limit: undefined,
      settings: {
        minimumPaise: 500_00n,
        smallAfterDays: 0,
        autoApprovePaise: 5_000_00n,
        settlementDays: 0,
      },
      lease: noLease,
    });
    return verdict;
  });
}

/** Approves every payout that waits for a person. */
export async function approveBatch({ database }: Pick<JobOptions, "database">): Promise<Verdict> {
  return withDb(database, approveAll);
}

async function approveAll(db: Db): Promise<Verdict> {
  const waiting = await db.query<{ id: string }[]>`
    SELECT id FROM payouts WHERE status = 'PENDING' AND organization_id IS NULL ORDER BY consultant_id`;
  for (const { id: payoutId } of waiting) {
    const operator = { by: "Asha", reason: "looked at" };
    const { done } = await approvePayout(db, { payoutId, operator });
    if (!done) throw new Error(`payout ${payoutId} could not be approved`);
  }
  return { kind: "completed" };
}

function common(db: Db) {
  return {
    runId: newUuid(),
    dryRun: false,
    db,
    log: silentLog(),
    progress: noProgress,
    signal: new AbortController().signal,
  };
}

async function withDb<T>({ url }: { url: string }, work: (db: Db) => Promise<T>): Promise<T> {
  const db = openDatabase({
    url,
    applicationName: "job under test",
    readOnly: false,
    connections: 1,
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

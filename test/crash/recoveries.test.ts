import { describe, expect, it } from "vitest";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { runPayouts, seedPayee } from "../support/payout-world.ts";
import { drifts, runBatch, runRefunds, seedCaptured, seedEarning } from "../support/refund-run.ts";
import { createRefundWorld } from "../support/refund-world.ts";
import { startProcess, type Naming } from "./matrix/process.ts";

const TIMEOUT_MS = 300_000;

interface Played {
  steps: readonly string[];
  end: unknown;
}

describe("create-payout-batch, stopped dead while it takes what consultants owe", () => {
  it(
    "takes it once, before it pays the rest",
    async () => {
      const unstopped = await play();
      for (const step of ["recovery", "payout created"]) {
        expect(unstopped.steps.filter((each) => each === `before commit of ${step}`).length).toBe(
          2,
        );
      }
      for (const [index, step] of unstopped.steps.entries()) {
        expect((await play(index)).end, `stopped ${step}`).toEqual(unstopped.end);
      }
    },
    TIMEOUT_MS,
  );
});

/** Two consultants owe half of a sale that was paid out, and have earned something since. */
async function play(stopAt?: number): Promise<Played> {
  const world = await createRefundWorld();
  const sandbox = await startSandbox();
  try {
    const { database } = world;
    const owing: string[] = [];
    for (let count = 0; count < 2; count++) {
      const { consultantId } = await seedPayee(database, { payouts: [] });
      const sale = await seedCaptured({ database, sandbox }, { consultantId });
      await seedEarning(database, { consultantId, reference: sale.reference });
      owing.push(sale.paymentId);
      await runBatch(database);
      await runPayouts({ database, sandbox });
    }
    for (const paymentId of owing) await world.request({ paymentId, amountPaise: 50_000n });
    for (let round = 1; round <= 2; round++) await runRefunds({ database, sandbox });
    const consultants = await database.query<{ id: string }>(
      "SELECT consultant_id AS id FROM earning_recoveries ORDER BY created_at",
    );
    expect(consultants.length).toBe(2);
    for (const { id: consultantId } of consultants)
      await seedEarning(database, { consultantId, reference: `later ${consultantId}` });

    const steps: string[] = [];
    const process = await startProcess(database, {
      naming,
      watch: (step, side) => steps.push(`${side} ${step}`) - 1 === stopAt,
    });
    const running = runBatch(process.database);
    // Once it is dead nobody listens to it any more.
    running.catch(() => undefined);
    await Promise.race([running, process.stopped]);
    await process.close();
    await database.query(`
      SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'batch under test'`);
    await runBatch(database);
    const end = {
      owed: await database.query(
        "SELECT amount_paise, recovered_amount_paise FROM earning_recoveries ORDER BY created_at",
      ),
      payouts: await database.query(
        "SELECT status::text AS status, amount_paise, gross_paise FROM payouts ORDER BY created_at",
      ),
      taken: await database.query(
        "SELECT amount_paise, gross_paise FROM earning_refunds WHERE key LIKE 'recovery:%' ORDER BY amount_paise",
      ),
      audited: await database.query(
        "SELECT count(*)::int AS times FROM audit_log WHERE action = 'RECOVERED'",
      ),
      drifts: await drifts(database),
    };
    return { steps, end };
  } finally {
    await sandbox.close();
    await world.end();
  }
}

const naming: Naming = {
  commit: (statements) => {
    const says = (pattern: RegExp): boolean => statements.some(({ sql }) => pattern.test(sql));
    if (says(/UPDATE earning_recoveries/)) return "commit of recovery";
    if (says(/INSERT INTO payouts/)) return "commit of payout created";
    if (says(/\b(INSERT INTO|UPDATE|DELETE FROM)\b/))
      throw new Error(`a step without a name:\n${statements.map(({ sql }) => sql).join("\n")}`);
    return undefined;
  },
  write: ({ sql }) => {
    if (!/\b(INSERT INTO|UPDATE|DELETE FROM)\b/.test(sql)) return undefined;
    throw new Error(`a step without a name: ${sql}`);
  },
  call: (method) => {
    throw new Error(`${method} is not called by this job`);
  },
};

import { expect, it, onTestFinished } from "vitest";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase } from "../support/database.ts";
import { runEvents } from "../support/payment-events-run.ts";
import { seedCaptured, seedEarning } from "../support/refund-run.ts";
import { startProcess, type Naming } from "./matrix/process.ts";
import type { Statement } from "./matrix/wire.ts";

/** A world for each of some twenty stops, on however slow a machine. */
const TIMEOUT_MS = 400_000;

/** Before and after each commit that writes, and each call of the provider. */
it(
  "reconcile-payments, stopped dead anywhere and run again: books each once, and charges each once",
  { timeout: TIMEOUT_MS },
  async () => {
    const met: string[] = [];
    const unstopped = await endOf((step) => {
      met.push(step);
      return false;
    });
    for (const step of [/commit.*INSERT INTO refunds/, /commit.*disputes/, /listAllRefunds/]) {
      expect(met.filter((name) => step.test(name)).length, String(step)).toBeGreaterThanOrEqual(2);
    }
    for (const [index, step] of met.entries()) {
      let count = 0;
      const stopped = await endOf(() => count++ === index);
      expect(stopped, `stopped ${step}`).toEqual(unstopped);
    }
  },
);

const writesOf = ({ sql }: Statement): string[] =>
  [...sql.matchAll(/\b(INSERT INTO|UPDATE|DELETE FROM) (\w+)/g)].map(([write]) => write);

const naming: Naming = {
  commit: (statements) => {
    const writes = statements.flatMap(writesOf);
    return writes.length === 0 ? undefined : `commit of ${writes.join(", ")}`;
  },
  write: (statement) => {
    const writes = writesOf(statement);
    return writes.length === 0 ? undefined : `write of ${writes.join(", ")}`;
  },
  call: (method) => method,
};

/** A half that was refunded in the dashboard, and a dispute that is lost. */
async function endOf(watch: (step: string) => boolean): Promise<unknown> {
  const database = await createTestDatabase();
  const sandbox = await startSandbox();
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await sandbox.close();
    await database.drop();
  };
  onTestFinished(close);
  const world = { database, sandbox };
  for (const fate of ["refunded", "disputed"]) {
    const { reference, plan, providerPaymentId = "" } = await seedCaptured(world);
    await seedEarning(database, { consultantId: plan.consultantId, reference });
    if (fate === "refunded") {
      sandbox.refundInDashboard({ paymentId: providerPaymentId, amountPaise: 50_000 });
    } else {
      const { id } = sandbox.createDispute({ paymentId: providerPaymentId });
      sandbox.moveDispute(id, { status: "lost" });
    }
  }
  // Not the first run: one slice instead of the sixty of half a year.
  await database.query(
    "INSERT INTO provider_lists (name, read_until) VALUES ('refunds', now()), ('disputes', now())",
  );
  const process = await startProcess(database, {
    naming,
    watch: (step, side) => watch(`${side} ${step}`),
  });
  try {
    const first = runEvents({
      database: process.database,
      sandbox,
      wrapGateway: (gateway) => process.wrapPayments(gateway),
    });
    await Promise.race([first.catch(() => undefined), process.stopped]);
    await process.arrived();
    await process.close();
    await runEvents(world);
    await runEvents(world);
    return {
      refunds: await database.query(
        "SELECT split_part(key, ':', 1) AS key, status::text, amount_paise FROM refunds ORDER BY 1",
      ),
      charged: await database.query(
        `SELECT split_part(key, ':', 1) AS key, amount_paise FROM earning_refunds
         UNION ALL SELECT key, amount_paise FROM earning_recoveries ORDER BY 1`,
      ),
      payments: await database.query("SELECT status::text FROM payments ORDER BY 1"),
      disputes: await database.query("SELECT status, ended_at IS NOT NULL AS ended FROM disputes"),
      unmatched: await database.query("SELECT 1 FROM provider_refunds WHERE matched_at IS NULL"),
      open: await database.query("SELECT 1 FROM consultant_holds WHERE released_at IS NULL"),
      findings: await database.query("SELECT kind FROM findings ORDER BY kind"),
    };
  } finally {
    await close();
  }
}

import { beforeAll, describe, expect, it } from "vitest";
import { newUuid } from "../../lib/support/random.ts";
import { startSandbox, type Fault, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { runPayouts, seedPayee } from "../support/payout-world.ts";
import {
  drifts,
  letTimePass,
  runBatch,
  runRefunds,
  seedCaptured,
  seedEarning,
} from "../support/refund-run.ts";
import { createRefundWorld, type PaidSeed, type RefundWorld } from "../support/refund-world.ts";
import { startProcess, type FakeProcess, type Naming, type Side } from "./matrix/process.ts";
import type { Statement } from "./matrix/wire.ts";

interface Stop {
  step: string;
  occurrence: number;
  side: Side;
}

interface Played {
  steps: ReadonlyMap<string, number>;
  end: unknown;
}

const MOST_ROUNDS = 12;
const TIMEOUT_MS = 120_000;

/** A sale of each fate, and whether it was paid out before it was refunded. */
const SALES: readonly { seed: PaidSeed; fault?: Omit<Fault, "on" | "match">; paidOut?: boolean }[] =
  [
    { seed: { cardPaise: 60_000n, walletPaise: 30_000n, creditPaise: 10_000n }, paidOut: true },
    { seed: {}, fault: { endState: "failed" } },
    { seed: {}, fault: { status: 400, error: { code: "BAD_REQUEST_ERROR" }, times: -1 } },
    { seed: {}, fault: { dropAfter: true } },
    { seed: {}, fault: { dropBefore: true } },
    { seed: {}, fault: { initialState: "processed" } },
    { seed: {} },
  ];

/** Every step of the job: a new commit or call must be named, and is then stopped at like all others. */
const STEPS: readonly string[] = [
  "ask for a refund",
  "ask for the refunds of a payment",
  "commit of answer, accepted",
  "commit of answer, due again",
  "commit of answer, failed",
  "commit of answer, processed",
  "commit of answer, unknown",
  "commit of credit",
  "commit of wallet",
  "send",
  "write of request",
  "write of take-over",
];

describe("the refund job, stopped dead at a step and run again", { timeout: TIMEOUT_MS }, () => {
  let unstopped: Played;
  beforeAll(async () => {
    unstopped = await play();
  }, TIMEOUT_MS);

  it("has a name for every step", () => {
    expect([...unstopped.steps.keys()].toSorted()).toEqual(STEPS);
  });

  it.each(STEPS.flatMap((step) => [["before", step] as const, ["after", step] as const]))(
    "comes to the same end, stopped %s: %s",
    async (side, step) => {
      const occurrence = Math.ceil((unstopped.steps.get(step) ?? 0) / 2);
      const stopped = await play({ step, side, occurrence });
      expect(stopped.end).toEqual(unstopped.end);
    },
  );
});

async function play(stop?: Stop): Promise<Played> {
  const world = await createRefundWorld();
  const sandbox = await startSandbox();
  const steps = new Map<string, number>();
  const after = new Map<string, number>();
  const dead: FakeProcess[] = [];
  let hasStopped = stop === undefined;
  try {
    await seed(world, sandbox);
    for (let round = 1; ; round++) {
      if (round > MOST_ROUNDS) throw new Error("the refunds do not come to rest");
      const process = await startProcess(world.database, {
        naming,
        watch: (step, side) => {
          const counts = side === "before" ? steps : after;
          const count = (counts.get(step) ?? 0) + 1;
          counts.set(step, count);
          if (stop?.step !== step || stop.side !== side || stop.occurrence !== count) return false;
          hasStopped = true;
          return true;
        },
      });
      const running = runRefunds({
        database: process.database,
        sandbox,
        runId: newUuid(),
        wrapPayments: (payments) => process.wrapPayments(payments),
      });
      // Once it is dead nobody listens to it any more.
      running.catch(() => undefined);
      const result = await Promise.race([running, process.stopped.then(() => "stopped" as const)]);
      if (result === "stopped") {
        dead.push(process);
        await process.arrived();
        await world.database.query(`
          SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'refund run under test'`);
      } else {
        await process.close();
        if (result.report.found === 0) break;
      }
      expectOneRefundEach(sandbox);
      await letTimePass(world.database, 2);
    }
    expect(hasStopped).toBe(true);
    return { steps, end: await readEnd(world, sandbox) };
  } finally {
    for (const process of dead) await process.close();
    await sandbox.close();
    await world.end();
  }
}

async function seed(world: RefundWorld, sandbox: Sandbox): Promise<void> {
  const { database } = world;
  const { consultantId } = await seedPayee(database, { payouts: [] });
  const paidOutFirst = SALES.toSorted((a, b) => Number(b.paidOut ?? 0) - Number(a.paidOut ?? 0));
  for (const { seed: paid, fault, paidOut } of paidOutFirst) {
    const sale = await seedCaptured({ database, sandbox }, { ...paid, consultantId });
    await seedEarning(database, { consultantId, reference: sale.reference });
    if (paidOut) {
      await runBatch(database);
      await runPayouts({ database, sandbox });
    }
    if (fault) {
      const match = { payment_id: sale.providerPaymentId ?? "" };
      sandbox.addFaults([{ on: "POST /payments/:id/refund", match, ...fault }]);
    }
    expect(await world.request({ paymentId: sale.paymentId })).toMatchObject({
      kind: "requested",
    });
  }
}

/** At every moment: for each receipt of ours at most one refund that the buyer has or may still get. */
function expectOneRefundEach(sandbox: Sandbox): void {
  const receipts = sandbox.refunds().map(({ receipt }) => receipt);
  expect(new Set(receipts).size).toBe(receipts.length);
}

/** Without ids and times: what became of each refund, wallet, credit and earning, oldest first. */
async function readEnd({ database }: RefundWorld, sandbox: Sandbox): Promise<unknown> {
  return {
    legs: await database.query(`
      SELECT leg.state::text AS state, paid.kind::text AS kind, leg.amount_paise, leg.claimed_by
      FROM refund_legs AS leg JOIN refunds ON refunds.id = leg.refund_id
      JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
      ORDER BY refunds.created_at, paid.kind`),
    refunds: await database.query(
      "SELECT status::text AS status, amount_paise FROM refunds ORDER BY created_at",
    ),
    money: await database.query(`
      SELECT (SELECT sum(balance_paise)::bigint FROM wallet_accounts) AS wallets,
             (SELECT sum(used_paise)::bigint FROM referral_credits) AS credits,
             (SELECT sum(amount_paise)::bigint FROM earnings_net WHERE status = 'READY') AS earnings,
             (SELECT sum(gross_paise)::bigint FROM earnings_net WHERE status = 'READY') AS gross,
             (SELECT sum(amount_paise - recovered_amount_paise)::bigint FROM earning_recoveries) AS owed,
             (SELECT count(*)::int FROM outbox_mails) AS mails,
             (SELECT count(*)::int FROM audit_log WHERE action = 'WALLET_REFUND') AS audited`),
    provider: sandbox
      .refunds()
      .map(({ status, amount }) => `${status} ${amount}`)
      .toSorted(),
    drifts: await drifts(database),
  };
}

const naming: Naming = {
  commit(statements) {
    const says = (pattern: RegExp): boolean => statements.some(({ sql }) => pattern.test(sql));
    if (says(/UPDATE wallet_accounts/)) return "commit of wallet";
    if (says(/UPDATE referral_credits/)) return "commit of credit";
    const answer = statements.find(({ sql }) => /UPDATE refund_legs SET state =/.test(sql));
    if (answer) return `commit of answer, ${newsIn(answer)}`;
    throw new Error(`a step without a name:\n${statements.map(({ sql }) => sql).join("\n")}`);
  },
  write({ sql }) {
    if (!/\b(INSERT INTO|UPDATE|DELETE FROM)\b/.test(sql)) return undefined;
    if (/SET state = 'PREPARED'/.test(sql)) return "write of request";
    if (/SET claimed_by/.test(sql)) return "write of take-over";
    throw new Error(`a step without a name: ${sql}`);
  },
  call: (method) => {
    throw new Error(`${method} is not called by this job`);
  },
  paymentsCall(method) {
    if (method === "createRefund") return "send";
    if (method === "fetchRefund") return "ask for a refund";
    if (method === "listRefunds") return "ask for the refunds of a payment";
    throw new Error(`${method} has no name as a step`);
  },
};

const NEWS: Readonly<Record<string, string>> = {
  ACCEPTED: "accepted",
  PROCESSED: "processed",
  FAILED: "failed",
  UNKNOWN: "unknown",
  DUE: "due again",
};

function newsIn({ values }: Statement): string {
  const name = NEWS[values[0] ?? ""];
  if (name === undefined) throw new Error(`an answer without a name: ${values.join(", ")}`);
  return name;
}

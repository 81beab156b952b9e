import { afterEach, beforeEach } from "vitest";
import {
  startSandbox,
  type Fault,
  type Sandbox,
  type SandboxOptions,
} from "../../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  checkMoneyInvariants,
  runPayouts,
  seedPayee,
  type PayeeSeed,
  type RunOptions,
  type RunResult,
  type SeededPayout,
} from "../../support/payout-world.ts";

export interface World {
  readonly database: TestDatabase;
  readonly sandbox: Sandbox;
  run(options?: Partial<RunOptions>): Promise<RunResult>;
  /** The payout of a payee that has one. */
  payout(seed?: PayeeSeed): Promise<SeededPayout>;
  /** How often a call was made, as `POST /payouts`. */
  callsTo(call: string): number;
}

/**
 * A database and a sandbox of its own for each test. After each test the invariants of money must hold,
 * however the test left things.
 */
export function useWorld(options: SandboxOptions = {}): World {
  let database: TestDatabase;
  let sandbox: Sandbox;

  beforeEach(async () => {
    [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox(options)]);
  });
  afterEach(async () => {
    try {
      await checkMoneyInvariants(database, sandbox);
    } finally {
      await sandbox.close();
      await database.drop();
    }
  });

  return {
    get database() {
      return database;
    },
    get sandbox() {
      return sandbox;
    },
    run: (changes) => runPayouts({ database, sandbox, ...changes }),
    payout: async (seed) => {
      const [payout] = (await seedPayee(database, seed)).payouts;
      if (!payout) throw new Error("the payee has no payout");
      return payout;
    },
    callsTo: (call) =>
      sandbox.calls().filter(({ method, path }) => `${method} ${path}` === call).length,
  };
}

/** Lets the first `skip` payouts through, then answers each as `fault` says. */
export function everyPayout(fault: Omit<Fault, "on" | "times">): Fault {
  return { on: "POST /payouts", times: -1, ...fault };
}

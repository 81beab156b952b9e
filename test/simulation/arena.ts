import pg from "pg";
import { openDatabase, type Db } from "../../lib/db/client.ts";
import type { RazorpayXSettings } from "../../lib/razorpay/index.ts";
import { openGateway } from "../../lib/razorpay/open-gateway.ts";
import { systemClock } from "../../lib/support/clock.ts";
import { silentLog } from "../../lib/support/log.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { openTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { clearingStatement, createTestDatabase, type TestDatabase } from "../support/database.ts";
import { settingsFor } from "../support/payout-world.ts";
import { openHistory } from "./history.ts";
import type { PayoutProvider } from "../../lib/provider/index.ts";

/** Processes that may run at the same time. */
export const SLOTS = ["A", "B", "C"] as const;
export type Slot = (typeof SLOTS)[number];

/**
 * What all seeds of one test file use, one after the other: a database that is emptied in between, which is
 * several times cheaper than a copy of the template for each, and a provider that is reset.
 */
export interface Arena {
  readonly database: TestDatabase;
  readonly sandbox: Sandbox;
  readonly razorpayX: RazorpayXSettings;
  /** The provider's client; in a dry run one that refuses to change anything. */
  readonly gateway: Readonly<Record<"real" | "dry", PayoutProvider>>;
  /** Where the simulated processes find the database. */
  readonly line: TcpProxy;
  /** The database sessions of a process; `dry` ones are read-only. */
  readonly sessions: Readonly<Record<Slot | "dry", Db>>;
  /** What jobs keep their locks in. */
  readonly control: pg.Pool;
  /** Ends a process's database session, or those of all processes. */
  endSessions(of: Slot | "everybody"): Promise<void>;
  /** As on the first day. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** Payouts stay in processing until the simulation moves them. */
const NEVER_BY_ITSELF_MS = 10 * 365 * 24 * 3_600_000;
const SESSION_NAME = "simulated process";

export async function openArena(): Promise<Arena> {
  const [database, sandbox] = await Promise.all([
    createTestDatabase(),
    startSandbox({ settleAfterMs: NEVER_BY_ITSELF_MS }),
  ]);
  await openHistory(database);
  await countIds(database);
  const line = await openTcpProxy(database.url);
  const { razorpayX } = settingsFor({ sandbox, razorpayX: { timeoutMs: 30_000 } });
  const ports = { clock: systemClock, random: () => 0, log: silentLog() };
  const session = (of: Slot | "dry"): Db =>
    openDatabase({
      url: line.through(database.url),
      applicationName: `${SESSION_NAME} ${of}`,
      readOnly: of === "dry",
      connections: 1,
    });
  const sessions = { A: session("A"), B: session("B"), C: session("C"), dry: session("dry") };
  const control = new pg.Pool({ connectionString: database.url, max: 1 });
  const clearing = await clearingStatement(control);

  return {
    database,
    sandbox,
    razorpayX,
    gateway: {
      real: openGateway(razorpayX, { ...ports, dryRun: false }),
      dry: openGateway(razorpayX, { ...ports, dryRun: true }),
    },
    line,
    sessions,
    control,
    endSessions: async (of) => {
      const name = of === "everybody" ? `${SESSION_NAME}%` : `${SESSION_NAME} ${of}`;
      await database.query(
        `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE $1`,
        [name],
      );
    },
    reset: async () => {
      sandbox.reset();
      await database.query(clearing);
    },
    close: async () => {
      await Promise.all(Object.values(sessions).map((db) => db.close()));
      await control.end();
      await line.close();
      await sandbox.close();
      await database.drop();
    },
  };
}

/**
 * Rows that the database names get ids that only grow, the same for the same story: a job that takes rows by
 * their ids takes them in the order in which they were made.
 */
async function countIds(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE SEQUENCE simulation.ids;
    CREATE FUNCTION simulation.next_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
      SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(nextval('simulation.ids')), 12, '0'))::uuid $$;
    DO $$
    DECLARE named record;
    BEGIN
      FOR named IN
        SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_default = 'gen_random_uuid()'
      LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT simulation.next_id()',
                       named.table_name, named.column_name);
      END LOOP;
    END $$`);
}

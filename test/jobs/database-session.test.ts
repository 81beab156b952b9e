import { connect, createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, type JobEnd } from "../support/job-process.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";
import { spoilSessions, startPgBouncer, type TestPooler } from "../support/pgbouncer.ts";
import { runScript, type ScriptResult } from "../support/run-script.ts";

const PAYOUTS = 2;

let database: TestDatabase;
let sandbox: Sandbox;
beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startSandbox();
});
afterAll(async () => {
  await sandbox.close();
  await database.drop();
});
beforeEach(async () => {
  await database.query(`ALTER DATABASE ${database.name} RESET ALL`);
});

const env = (url: string): Record<string, string> => ({
  ...jobEnv({ database, sandbox, lockStore: "postgres" }),
  DATABASE_URL: url,
});
const pay = (url: string, ...args: string[]): Promise<JobEnd> => runJob({ env: env(url), args });
const check = (url: string): Promise<ScriptResult> =>
  runScript("scripts/cli/jobs.ts", {
    args: ["check", "payouts/process-payouts", "--json"],
    env: env(url),
  });
const seed = (): Promise<unknown> =>
  seedApprovedPayouts(database, { count: PAYOUTS, creditedOn: "2026-11-20" });
const years = (): Promise<unknown[]> =>
  database.query("SELECT DISTINCT fiscal_year AS year FROM tax_deductions");

/** What the check says of the database. */
function ofDatabase({ stdout }: ScriptResult): { state: string; detail: string } {
  const findings = JSON.parse(stdout) as { part: string; state: string; detail: string }[];
  const found = findings.find(({ part }) => part === "database");
  if (found === undefined) throw new Error(`nothing about the database: ${stdout}`);
  return found;
}

describe("a job in a database with settings of its own", () => {
  it("pays and taxes as in any other", async () => {
    await seed();
    for (const setting of [
      "DateStyle = 'SQL, DMY'",
      "IntervalStyle = 'iso_8601'",
      "search_path = pg_catalog",
      "TimeZone = 'Asia/Kolkata'",
      "bytea_output = 'escape'",
      "standard_conforming_strings = off",
      "default_transaction_isolation = 'serializable'",
      "statement_timeout = '1ms'",
    ]) {
      await database.query(`ALTER DATABASE ${database.name} SET ${setting}`);
    }
    expect(ofDatabase(await check(database.url))).toMatchObject({ state: "ok" });
    const end = await pay(database.url);
    expect(end.outputs, end.stderr).toMatchObject({ outcome: "completed", completed: "2" });
    expect(await years()).toEqual([{ year: 2026 }]);
  });

  it("is misconfigured where a setting cannot be set, and the check says the same", async () => {
    await database.query(`ALTER DATABASE ${database.name} SET session_replication_role = replica`);
    const said = 'has session_replication_role = "replica", and "origin" is needed';
    for (const args of [[], ["--dry-run"]]) {
      const end = await pay(database.url, ...args);
      expect(end.exitCode, end.stderr).toBe(2);
      expect(end.outputs).toMatchObject({ outcome: "misconfigured" });
      expect(end.stdout + end.stderr).toContain("session_replication_role");
    }
    expect(ofDatabase(await check(database.url))).toMatchObject({
      state: "wrong",
      detail: expect.stringContaining(said) as string,
    });
  });
});

describe("a job whose address has settings of its own", () => {
  it("pays all the same, and its dry run stays one", async () => {
    const url = `${database.url}?options=-c%20search_path%3Dpg_catalog%20-c%20datestyle%3DSQL&statement_timeout=1`;
    await seed();
    const dry = await pay(url, "--dry-run");
    expect(dry.outputs, dry.stderr).toMatchObject({ outcome: "completed" });
    const end = await pay(url);
    expect(end.outputs, end.stderr).toMatchObject({ outcome: "completed", completed: "2" });
  });
});

describe("a job behind a pooler in transaction mode", () => {
  let pooler: TestPooler;
  beforeAll(
    async () => void (pooler = await startPgBouncer(database.url, { mode: "transaction" })),
  );
  afterAll(() => pooler.stop());

  it("pays once and taxes rightly, whatever others left in the sessions", async () => {
    await seed();
    await spoilSessions(
      pooler.url,
      "SET DateStyle = 'SQL, DMY'; SET search_path = pg_catalog; SET lock_timeout = '1h'",
    );
    expect(ofDatabase(await check(pooler.url))).toMatchObject({ state: "ok" });
    const before = sandbox.payouts().length;
    const dry = await pay(pooler.url, "--dry-run");
    expect(dry.outputs, dry.stderr).toMatchObject({ outcome: "completed" });
    expect(sandbox.payouts()).toHaveLength(before);

    const ends = await Promise.all([pay(pooler.url), pay(pooler.url)]);
    for (const end of ends) expect(end.exitCode, end.stdout + end.stderr).toBe(0);
    expect(sandbox.payouts()).toHaveLength(before + PAYOUTS);
    expect(await years()).toEqual([{ year: 2026 }]);
    const open = await database.query("SELECT FROM payouts WHERE status <> 'COMPLETED'");
    expect(open).toEqual([]);
  });
});

describe("a job behind a pooler that takes no startup options", () => {
  let pooler: TestPooler;
  beforeAll(
    async () =>
      void (pooler = await startPgBouncer(database.url, {
        mode: "transaction",
        ignores: ["extra_float_digits"],
      })),
  );
  afterAll(() => pooler.stop());

  it("is misconfigured in a sentence about poolers, and the check says the same", async () => {
    const said = /connection pooler at .*unsupported startup parameter/;
    const end = await pay(pooler.url, "--dry-run");
    expect(end.exitCode, end.stderr).toBe(2);
    expect(end.stdout + end.stderr).toMatch(said);
    expect(end.summary).toContain("direct address of the database");
    expect(ofDatabase(await check(pooler.url))).toMatchObject({
      state: "wrong",
      detail: expect.stringMatching(said) as string,
    });
  });
});

describe("a server that is too old", () => {
  it("is refused by the migrations, the check and the job before anything is written", async () => {
    const old = await olderServer(database.url);
    try {
      const said = "PostgreSQL 13.23, and PostgreSQL 14 or newer is needed";
      const migrated = await runScript("scripts/dev/migrate/main.ts", {
        args: ["apply"],
        env: { DATABASE_URL: old.url },
      });
      expect(migrated).toMatchObject({ exitCode: 2 });
      expect(migrated.stderr).toContain(said);
      expect(ofDatabase(await check(old.url)).detail).toContain(said);
      expect((await pay(old.url)).outputs).toMatchObject({ outcome: "misconfigured" });
    } finally {
      await old.stop();
    }
  });
});

/** The same server, which says that it is of another version: in each answer six digits are others. */
async function olderServer(url: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const [row] = await database.query<{ version: string }>(
    "SELECT current_setting('server_version_num') AS version",
  );
  const target = new URL(url);
  const sockets = new Set<{ destroy: () => void }>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.pipe(upstream);
    upstream.on("data", (data) => {
      const text = data.toString("latin1").replaceAll(row?.version ?? "", "130023");
      client.write(Buffer.from(text, "latin1"));
    });
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const changed = new URL(url);
  changed.port = String(address.port);
  return {
    url: changed.href,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

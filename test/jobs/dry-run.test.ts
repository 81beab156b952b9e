import { createServer, type Server } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob } from "../support/job-process.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { jobEnv, seedPayees, type PayeeSeed } from "../support/payout-world.ts";

const LAKH_PAISE = 1_00_000_00n;

describe("a dry run of the payout job", () => {
  it("writes nothing anywhere, asked for by a flag", () =>
    expectNoWrite({ args: ["--dry-run"], extra: {} }));

  it("writes nothing anywhere, asked for by the environment", () =>
    expectNoWrite({ args: [], extra: { DRY_RUN: "1" } }));

  it("says what the real run after it then does, to the paisa", async () => {
    const { database, sandbox, env, pings } = await openWorld();
    const planned = (await runJob({ args: ["--dry-run"], env })).outputs;
    const done = (await runJob({ env })).outputs;

    expect(amountsOf(done)).toEqual(amountsOf(planned));
    expect(done["succeeded"]).toBe(planned["planned"]);
    expect(done["outcome"]).toBe("partial");
    expect(BigInt(done["tax_paise"] ?? 0)).toBeGreaterThan(0n);
    const sent = sandbox.payouts().reduce((sum, { amount }) => sum + BigInt(amount), 0n);
    expect(sent).toBe(BigInt(planned["net_paise"] ?? 0));
    await checkMoneyInvariants(database, sandbox);

    // The instruments of the test above do see a run that writes.
    const written = (await writes(database)).map(({ table }) => table);
    expect(written).toEqual(expect.arrayContaining(["job_leases", "job_runs", "payouts"]));
    expect(pings()).toEqual([
      expect.stringMatching(/^\/job\/start\?rid=/),
      expect.stringMatching(/^\/job\/fail\?rid=/),
    ]);
  });

  it("plans no more than --limit, the oldest first", async () => {
    const { env } = await openWorld();
    const args = ["--limit", "2"];
    const planned = (await runJob({ args: ["--dry-run", ...args], env })).outputs;
    const done = (await runJob({ args, env })).outputs;
    expect(planned).toMatchObject({ found: "2", planned: "2" });
    expect(done).toMatchObject({ found: "2", succeeded: "2" });
    expect(amountsOf(done)).toEqual(amountsOf(planned));
  });
});

async function expectNoWrite({
  args,
  extra,
}: {
  args: string[];
  extra: Record<string, string>;
}): Promise<void> {
  const { database, sandbox, env, pings } = await openWorld();
  const before = await contents(database);
  const end = await runJob({ args, env: { ...env, ...extra } });

  expect(end, end.stdout).toMatchObject({
    exitCode: 0,
    outputs: { outcome: "completed", dry_run: "true", succeeded: "0" },
  });
  expect(Number(end.outputs["planned"])).toBeGreaterThan(0);
  expect(await writes(database)).toEqual([]);
  expect(await contents(database)).toEqual(before);
  // It reads at the provider what the real run reads first, and changes nothing there.
  expect(sandbox.calls().map(({ method, path }) => `${method} ${path}`)).toEqual([
    "GET /payouts",
    "GET /banking_balances",
  ]);
  expect(pings()).toEqual([]);
}

/** Outputs that a plan and its execution share. */
function amountsOf(outputs: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const shared = [
    "found",
    "failed",
    "gross_paise",
    "tax_paise",
    "net_paise",
    "tax_base_paise",
    "out_of_tries",
  ];
  return Object.fromEntries(shared.map((name) => [name, outputs[name]]));
}

/** Every way in which a payout is taxed, and every way in which it is refused by our own rules. */
const PAYEES: readonly PayeeSeed[] = [
  { payouts: [{}, {}] },
  // Crosses the yearly threshold with its second payout.
  { payouts: [3n, 3n, 1n].map((lakh) => ({ earnings: [{ grossPaise: lakh * LAKH_PAISE }] })) },
  { category: "company", payouts: [{ earnings: [{ grossPaise: LAKH_PAISE + 1n }] }] },
  { panStatus: "missing", payouts: [{ earnings: [{}, { grossPaise: 12_345_67n }] }] },
  {
    panStatus: "valid",
    category: "firm",
    certificates: [
      { rateBps: 5, from: "2026-04-01", to: "2027-03-31", ceilingPaise: 10n * LAKH_PAISE },
    ],
    payouts: [{ earnings: [{ grossPaise: 7n * LAKH_PAISE }] }],
  },
  { account: { kind: "vpa", vpa: "example.payee@examplebank" } },
  {
    account: { kind: "vpa", vpa: "example.large@examplebank" },
    payouts: [{ earnings: [{ grossPaise: 2n * LAKH_PAISE }] }],
  },
  { payouts: [{ earnings: [{ grossPaise: 1_00n, platformFeePaise: 50n }] }] },
  { resident: false },
  { taxProfile: false },
  { account: null },
  { payouts: [{ currency: "USD" }, { status: "PENDING" }, { tries: 3 }] },
];

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  env: Record<string, string>;
  /** What the monitor was told. */
  pings: () => readonly string[];
}

async function openWorld(): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  const monitor = await startMonitor();
  await seedPayees(database, PAYEES);
  await recordWrites(database);
  const env = {
    ...jobEnv({ database, sandbox, lockStore: "postgres" }),
    HEARTBEAT_URL: `${monitor.url}/job`,
  };
  return { database, sandbox, env, pings: () => monitor.pings };
}

async function startMonitor(): Promise<{ url: string; pings: string[] }> {
  const pings: string[] = [];
  const server: Server = createServer((request, response) => {
    pings.push(request.url ?? "");
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the monitor has no port");
  return { url: `http://127.0.0.1:${address.port}`, pings };
}

/** Notes every statement that writes, also one that hits no row. */
async function recordWrites(database: TestDatabase): Promise<void> {
  const tables = await tablesOf(database);
  await database.query(
    "CREATE UNLOGGED TABLE writes (name text NOT NULL, operation text NOT NULL)",
  );
  await database.query(`
    CREATE FUNCTION record_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO writes VALUES (TG_TABLE_NAME, TG_OP); RETURN NULL; END $$`);
  for (const table of tables) {
    await database.query(`
      CREATE TRIGGER record_write AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "${table}"
      FOR EACH STATEMENT EXECUTE FUNCTION record_write()`);
  }
}

async function writes(database: TestDatabase): Promise<{ table: string; operation: string }[]> {
  return database.query(
    `SELECT DISTINCT name AS "table", operation FROM writes ORDER BY name, operation`,
  );
}

/** Rows and checksum of every table, and where every sequence stands. */
async function contents(database: TestDatabase): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of await tablesOf(database)) {
    const [row] = await database.query(`
      SELECT count(*) AS rows, md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS checksum
      FROM "${table}" AS t`);
    found[table] = row;
  }
  found["sequences"] = await database.query(
    "SELECT sequencename, last_value FROM pg_sequences ORDER BY sequencename",
  );
  return found;
}

async function tablesOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
  );
  return rows.map(({ name }) => name);
}

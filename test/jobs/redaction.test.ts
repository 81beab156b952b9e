import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { startSandbox, type Fault, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, type JobEnd } from "../support/job-process.ts";
import { jobEnv, seedPayees, type PayeeSeed } from "../support/payout-world.ts";

/** Made up, and each unlike anything that may be shown. */
const PAYEES = [
  { name: "Zubeida Quillfeather", account: "50100999888701", pan: "ZQXPQ1234K" },
  { name: "Yorick Plumwhistle", account: "50100999888702", pan: "ZQXPW2345L" },
  { name: "Wilhelmina Oakenrest", account: "50100999888703", pan: "ZQXPE3456M" },
  { name: "Thaddeus Marrowfield", account: "50100999888704", pan: "ZQXPR4567N" },
  { name: "Ottoline Brambleshade", account: "50100999888705", pan: "ZQXPT5678P" },
  { name: "Ignatius Copperwing", account: "50100999888706", pan: "ZQXPY6789Q" },
] as const;
const VPA_PAYEES = [
  { name: "Philomena Duskwater", vpa: "philomena.duskwater@examplebank", pan: "ZQXPU7890R" },
  { name: "Barnaby Thistledown", vpa: "9876501234@exampleupi", pan: "ZQXPI8901S" },
] as const;
const CONTACT_DETAILS = ["quillfeather@mail.example", "+919876543210", "98765 43210"];
const OWN = {
  keyId: "rzp_test_plantedkeyid01",
  keySecret: "planted_key_secret_5d3b",
  accountNumber: "4564560007778889",
};
const MONITOR_TOKEN = "planted-monitor-token-e21c";

/** What the provider says about each, with the details that it was told. */
const FAULTS: readonly Fault[] = [
  {
    on: "POST /payouts",
    match: { account_number: PAYEES[1].account },
    status: 400,
    error: {
      reason: "bank_account_invalid",
      description: `Account number ${PAYEES[1].account} is invalid.\n::error::Account ${PAYEES[1].account}`,
    },
  },
  {
    on: "POST /payouts",
    match: { account_number: PAYEES[2].account },
    status: 400,
    error: {
      reason: `account_${PAYEES[2].account}_blocked`,
      field: PAYEES[2].account,
      description: `PAN ${PAYEES[2].pan}, ${CONTACT_DETAILS.join(", ")}`,
    },
  },
  {
    on: "POST /payouts",
    match: { account_number: PAYEES[3].account },
    status: 503,
    error: { description: `Account 5010 0999 8887 04 of ${PAYEES[3].pan} timed out` },
  },
  { on: "POST /payouts", match: { account_number: PAYEES[4].account }, malformed: true },
  {
    on: "POST /fund_accounts",
    match: { account_number: PAYEES[5].account },
    status: 400,
    error: { description: `bank_account.account_number ${PAYEES[5].account} is not valid` },
  },
  {
    on: "POST /payouts",
    match: { vpa: VPA_PAYEES[1].vpa },
    status: 400,
    error: { reason: "invalid_vpa", description: `VPA ${VPA_PAYEES[1].vpa} does not exist` },
  },
];

const PERSONAL: readonly string[] = [
  ...PAYEES.flatMap(({ name, account, pan }) => [...name.split(" "), account, pan]),
  ...VPA_PAYEES.flatMap(({ name, vpa, pan }) => [...name.split(" "), vpa, pan]),
  ...CONTACT_DETAILS,
  "5010 0999 8887 04",
  "9876501234",
  MONITOR_TOKEN,
];

describe("a run of the payout job in GitHub Actions", () => {
  it("shows no personal data and no secret, whatever the provider repeats", async () => {
    const world = await openWorld();
    world.sandbox.addFaults(FAULTS);
    const end = await runJob({ env: world.env, args: ["--log-level", "trace"] });

    expect(end, end.stdout + end.stderr).toMatchObject({
      exitCode: 1,
      outputs: { outcome: "partial", succeeded: "2", failed: "4", unknown: "2" },
    });
    expect(world.sandbox.faults()).toEqual([]);
    await expectNothingPrivate(world, end);
    expect(commandsIn(end.stdout)).toEqual(["error"]);
  });

  it("leaves none in a finding about what the provider has and we have not", async () => {
    const world = await openWorld();
    await runJob({ env: world.env });
    const [ours] = world.sandbox.payouts();
    const foreign = {
      account_number: OWN.accountNumber,
      fund_account_id: ours?.fund_account_id,
      amount: 5_000,
      currency: "INR",
      mode: "IMPS",
      purpose: "payout",
      narration: "Quillfeather",
    };
    for (const reference_id of [PAYEES[0].account, VPA_PAYEES[0].vpa]) {
      const made = await fetch(`${world.sandbox.url}/v1/payouts`, {
        method: "POST",
        headers: {
          authorization: `Basic ${Buffer.from(`${OWN.keyId}:${OWN.keySecret}`).toString("base64")}`,
          "content-type": "application/json",
          "x-payout-idempotency": reference_id.replace(/\W/g, "-"),
        },
        body: JSON.stringify({ ...foreign, reference_id }),
      });
      expect(made.status, await made.clone().text()).toBe(200);
    }
    const end = await runJob({
      file: "jobs/payouts/reconcile-payout-status.ts",
      env: world.env,
      args: ["--log-level", "trace"],
    });
    expect(await world.database.query("SELECT kind FROM findings"), end.stdout).toEqual([
      { kind: "foreign-provider-payout" },
      { kind: "foreign-provider-payout" },
    ]);
    await expectNothingPrivate(world, end);
  });

  it("tells the runner to mask each secret before anything else is printed", async () => {
    const world = await openWorld();
    const { stdout } = await runJob({ env: world.env, args: ["--dry-run"] });
    const lines = stdout.split("\n");
    const masks = lines.filter((line) => line.startsWith("::add-mask::"));
    expect(lines.slice(0, masks.length)).toEqual(masks);
    expect(masks.map((line) => line.slice("::add-mask::".length))).toEqual(
      expect.arrayContaining(secretsOf(world)),
    );
  });

  it("shows nothing of a row that the database itself refuses", async () => {
    const world = await openWorld();
    // PostgreSQL quotes the whole row in the detail of this error.
    await world.database.query(
      "ALTER TABLE payout_accounts ADD CHECK (provider_fund_account_id IS NULL)",
    );
    const end = await runJob({ env: world.env, args: ["--log-level", "trace"] });
    expect(end, end.stdout + end.stderr).toMatchObject({
      exitCode: 1,
      outputs: { outcome: "failed", reason: "db-refuses-rows" },
    });
    await expectNothingPrivate(world, end);
  });
});

async function expectNothingPrivate(world: World, end: JobEnd): Promise<void> {
  const { database } = world;
  const shown: Record<string, string> = {
    stdout: end.stdout.replace(/^::add-mask::.*$/gm, ""),
    stderr: end.stderr,
    outputs: JSON.stringify(end.outputs),
    summary: end.summary,
    job_runs: await everyRow(database, "SELECT * FROM job_runs"),
    payout_attempts: await everyRow(database, "SELECT * FROM payout_attempts"),
    findings: await everyRow(database, "SELECT * FROM findings"),
    payouts: await everyRow(database, "SELECT failure_code, failure_message FROM payouts"),
  };
  const found = Object.entries(shown).flatMap(([where, text]) =>
    [...PERSONAL, ...secretsOf(world)]
      .filter((secret) => text.toLowerCase().includes(secret.toLowerCase()))
      .map((secret) => `${where}: ${secret}`),
  );
  expect(found).toEqual([]);
}

async function everyRow(database: TestDatabase, query: string): Promise<string> {
  const rows = await database.query<{ row: string }>(
    `SELECT to_jsonb(found)::text AS row FROM (${query}) AS found`,
  );
  return rows.map(({ row }) => row).join("\n");
}

/** Lines that the runner obeys, without those that mask. */
function commandsIn(stdout: string): string[] {
  return stdout
    .split("\n")
    .map((line) => /^\s*::([a-z-]+)/.exec(line)?.[1])
    .filter((command) => command !== undefined && command !== "add-mask")
    .map(String);
}

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  env: Record<string, string>;
}

async function openWorld(): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox(OWN);
  onTestFinished(() => sandbox.close());
  const seeds: PayeeSeed[] = [
    ...PAYEES.map(({ name, account: accountNumber }): PayeeSeed => ({
      name,
      account: { kind: "bank_account", ifsc: "HDFC0001220", accountNumber },
    })),
    ...VPA_PAYEES.map(({ name, vpa }): PayeeSeed => ({ name, account: { kind: "vpa", vpa } })),
  ];
  const payees = await seedPayees(database, seeds);
  for (const [index, { pan }] of [...PAYEES, ...VPA_PAYEES].entries()) {
    await database.query("UPDATE tax_profiles SET pan = $1 WHERE consultant_id = $2", [
      pan,
      payees[index]?.consultantId,
    ]);
  }
  const env = {
    ...jobEnv({ database, sandbox, lockStore: "postgres" }),
    GITHUB_ACTIONS: "true",
    HEARTBEAT_URL: await brokenMonitor(),
  };
  return { database, sandbox, env };
}

/** A monitor that takes no ping, so that each is warned of in the log. */
async function brokenMonitor(): Promise<string> {
  const server = createServer((_, response) => {
    response.statusCode = 500;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the monitor has no port");
  return `http://127.0.0.1:${address.port}/${MONITOR_TOKEN}`;
}

function secretsOf({ database, env }: World): string[] {
  const { password } = new URL(database.url);
  const secrets = [database.url, password, env["HEARTBEAT_URL"] ?? "", ...Object.values(OWN)];
  expect(secrets.filter((secret) => secret.length < 6)).toEqual([]);
  return secrets;
}

import { randomUUID } from "node:crypto";
import { createServer } from "node:net";
import pg from "pg";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { startSandbox, type Fault, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runJob, type JobEnd } from "../support/job-process.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";

const PAYOUTS = 5;
const KEY_SECRET = "planted_key_secret_71f0";
const FOREIGN_ACCOUNT = "9999000011112222";
const WRONG_SECRET = "planted_wrong_secret_9c2e";

interface FailureCase {
  when: string;
  /** Changes to the environment of a run that would succeed. */
  env?: (world: World) => Record<string, string> | Promise<Record<string, string>>;
  args?: readonly string[];
  faults?: readonly Fault[];
  balancePaise?: number;
  exitCode: 1 | 2;
  reason: string;
  /** The cause and the remedy, as a person reads them. */
  says: readonly string[];
  /** Whether the database could take a record of the run. */
  recorded: boolean;
}

const CASES: readonly FailureCase[] = [
  {
    when: "the database is down",
    env: async ({ database }) => ({ DATABASE_URL: at(database.url, await closedPort()) }),
    exitCode: 1,
    reason: "db-unreachable",
    says: ["cannot be reached (ECONNREFUSED)", "Check that it is up"],
    recorded: false,
  },
  {
    when: "the database refuses the password",
    env: ({ database }) => ({ DATABASE_URL: withPassword(database.url, WRONG_SECRET) }),
    exitCode: 1,
    reason: "db-unreachable",
    says: ["answers, and refuses the login (28P01)", "password and name in DATABASE_URL"],
    recorded: false,
  },
  {
    when: "the database was never migrated",
    env: async () => ({ DATABASE_URL: await emptyDatabase() }),
    exitCode: 1,
    reason: "db-not-migrated",
    says: ["lacks a table or column of this version", "npm run db:migrate"],
    recorded: false,
  },
  {
    when: "Redis is down",
    env: async () => ({
      LOCK_STORE: "redis",
      REDIS_URL: `redis://:${WRONG_SECRET}@127.0.0.1:${await closedPort()}`,
    }),
    exitCode: 1,
    reason: "lock-unavailable",
    says: ["the lock store (Redis) cannot be reached", "Check that it is up"],
    recorded: true,
  },
  {
    when: "the provider is down",
    env: async () => ({ RAZORPAY_BASE_URL: `http://127.0.0.1:${await closedPort()}/v1` }),
    exitCode: 1,
    reason: "gateway-unreachable",
    says: ["The provider cannot be reached (ECONNREFUSED)", "RAZORPAY_BASE_URL"],
    recorded: true,
  },
  {
    when: "the provider answers nothing but errors",
    faults: [{ on: "*", status: 500, times: -1 }],
    exitCode: 1,
    reason: "gateway-down",
    says: ["no usable answer", "status page"],
    recorded: true,
  },
  {
    when: "the provider's address has a wrong path",
    env: ({ sandbox }) => ({ RAZORPAY_BASE_URL: `${sandbox.url}/v2` }),
    exitCode: 1,
    reason: "wrong-address",
    says: ["does not know the address of the payout API", "Check RAZORPAY_BASE_URL"],
    recorded: true,
  },
  {
    when: "the credentials are wrong",
    env: () => ({ RAZORPAYX_KEY_SECRET: WRONG_SECRET }),
    exitCode: 1,
    reason: "credentials",
    says: ["does not accept our credentials", "RAZORPAYX_KEY_ID and RAZORPAYX_KEY_SECRET"],
    recorded: true,
  },
  {
    when: "the account is not ours",
    env: () => ({ RAZORPAYX_ACCOUNT_NUMBER: FOREIGN_ACCOUNT }),
    exitCode: 1,
    reason: "account-refused",
    says: ["refuses to read our account", "Check RAZORPAYX_ACCOUNT_NUMBER"],
    recorded: true,
  },
  {
    when: "this address is not on the allow-list",
    faults: [{ on: "*", status: 403, times: -1 }],
    exitCode: 1,
    reason: "not-allow-listed",
    says: ["refuses requests from this address", "allow-list of RazorpayX"],
    recorded: true,
  },
  {
    when: "the balance does not suffice",
    balancePaise: 100,
    exitCode: 1,
    reason: "insufficient-balance",
    says: ["The account holds ₹1.00 and lacks", "5 payouts are due", "Add money to the account"],
    recorded: true,
  },
  {
    when: "more payouts are due than a run may make",
    env: () => ({ PAYOUTS_MAX_RUN_COUNT: String(PAYOUTS - 1) }),
    exitCode: 1,
    reason: "cap-exceeded",
    says: ["5 payouts are due", "PAYOUTS_MAX_RUN_COUNT", "raise the cap for this run"],
    recorded: true,
  },
  {
    when: "a payout is larger than any may be",
    env: () => ({ PAYOUTS_MAX_SINGLE_RUPEES: "500" }),
    exitCode: 1,
    reason: "cap-exceeded",
    says: ["above the largest single payout, ₹500.00", "PAYOUTS_MAX_SINGLE_RUPEES"],
    recorded: true,
  },
  {
    when: "the sum is larger than a run may pay",
    env: () => ({ PAYOUTS_MAX_RUN_RUPEES: "2000" }),
    exitCode: 1,
    reason: "cap-exceeded",
    says: ["₹2,000.00", "PAYOUTS_MAX_RUN_RUPEES"],
    recorded: true,
  },
  {
    when: "a secret is empty, as one that was never made",
    env: () => ({ RAZORPAYX_KEY_SECRET: "" }),
    exitCode: 2,
    reason: "misconfigured",
    says: ["RAZORPAYX_KEY_SECRET: is missing or empty", "--help lists"],
    recorded: false,
  },
  {
    when: "several variables are wrong, all of which it says at once",
    env: () => ({ DATABASE_URL: " ", LOCK_STORE: "redis", PAYOUTS_MAX_RUN_RUPEES: "much" }),
    exitCode: 2,
    reason: "misconfigured",
    says: ["DATABASE_URL: is missing or empty", "REDIS_URL: is missing", "PAYOUTS_MAX_RUN_RUPEES"],
    recorded: false,
  },
  {
    when: "its servers on other machines would be spoken to without verified TLS",
    env: () => ({
      DATABASE_URL: `postgres://jobs:${WRONG_SECRET}@db.example.com/a?sslmode=disable`,
      REDIS_URL: `redis://:${WRONG_SECRET}@cache.example.com`,
      ALLOW_PLAINTEXT: "other.example.com",
    }),
    exitCode: 2,
    reason: "misconfigured",
    says: [
      "DATABASE_URL: sslmode=disable does not protect the data sent to db.example.com",
      "REDIS_URL: redis:// does not protect the data sent to cache.example.com",
      "add db.example.com to ALLOW_PLAINTEXT",
    ],
    recorded: false,
  },
  {
    when: "a flag is unknown",
    args: ["--dryrun"],
    exitCode: 2,
    reason: "misconfigured",
    says: ["unknown option '--dryrun'", "--help lists"],
    recorded: false,
  },
  ...["0", "many"].map((limit): FailureCase => ({
    when: `--limit is ${limit}`,
    args: [`--limit=${limit}`],
    exitCode: 2,
    reason: "misconfigured",
    says: ["--limit", "expected a whole number of at least 1"],
    recorded: false,
  })),
  {
    when: "DRY_RUN is neither yes nor no",
    env: () => ({ DRY_RUN: "maybe" }),
    exitCode: 2,
    reason: "misconfigured",
    says: ["DRY_RUN must be one of 1, true, yes, on, 0, false, no, off"],
    recorded: false,
  },
];

describe("the payout job says why it failed and what to do, and claims nothing, when", () => {
  for (const failure of CASES) {
    it(failure.when, () => expectClearFailure(failure));
  }
});

async function expectClearFailure(failure: FailureCase): Promise<void> {
  const world = await openWorld(failure);
  const env = { ...world.env, GITHUB_ACTIONS: "true", ...(await failure.env?.(world)) };
  const end = await runJob({ args: failure.args ?? [], env });

  const outcome = failure.exitCode === 2 ? "misconfigured" : "failed";
  expect(end, end.stdout + end.stderr).toMatchObject({
    exitCode: failure.exitCode,
    outputs: { outcome, reason: failure.reason, success: "false", dry_run: "false" },
  });
  for (const part of failure.says) {
    expect(end.stdout).toContain(part);
    expect(plain(end.summary)).toContain(part);
  }
  const title = outcome === failure.reason ? outcome : `${outcome} \\(${failure.reason}\\)`;
  expect(annotationsOf(end)).toEqual([
    expect.stringMatching(new RegExp(`^::error title=payouts/process-payouts%3A ${title}::`)),
  ]);
  expectJsonLines(end.stderr);
  expectNoSecret(end, secretsOf(world));
  await expectUntouched(world);
  await expectRecord(world, failure, end);
}

async function expectUntouched({ database, sandbox }: World): Promise<void> {
  expect(
    await database.query(
      `SELECT status::text, tries, claimed_by, tax_paise, count(*) FROM payouts
       GROUP BY status, tries, claimed_by, tax_paise`,
    ),
  ).toEqual([
    {
      status: "APPROVED",
      tries: 0,
      claimed_by: null,
      tax_paise: null,
      count: BigInt(PAYOUTS),
    },
  ]);
  expect(sandbox.payouts()).toEqual([]);
  expect(await database.query("SELECT key FROM job_leases WHERE owner IS NOT NULL")).toEqual([]);
}

async function expectRecord(
  { database }: World,
  { recorded, exitCode, reason }: FailureCase,
  end: JobEnd,
): Promise<void> {
  expect(
    await database.query("SELECT id, outcome, reason, exit_code AS code FROM job_runs"),
  ).toEqual(
    recorded ? [{ id: end.outputs["run_id"], outcome: "failed", reason, code: exitCode }] : [],
  );
}

/** The log is for programs: one JSON object a line and nothing else, no stray stack or warning. */
function expectJsonLines(text: string): void {
  for (const line of text.split("\n").filter((each) => each !== "")) {
    expect(() => JSON.parse(line) as unknown, line).not.toThrow();
  }
}

function expectNoSecret(end: JobEnd, secrets: readonly string[]): void {
  const written = [withoutMasks(end.stdout), end.stderr, end.summary, JSON.stringify(end.outputs)];
  for (const secret of secrets) expect(written.join("\n")).not.toContain(secret);
}

/** Masking a secret means to tell it to the runner, which then shows it nowhere. */
function withoutMasks(stdout: string): string {
  return stdout.replace(/^::add-mask::.*$/gm, "");
}

function annotationsOf({ stdout }: JobEnd): string[] {
  return stdout.split("\n").filter((line) => /^::(error|warning|notice)/.test(line));
}

/** A summary is Markdown with what could be markup written as entities. */
function plain(markdown: string): string {
  return markdown
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

interface World {
  database: TestDatabase;
  sandbox: Sandbox;
  env: Record<string, string>;
}

async function openWorld({ faults = [], balancePaise }: FailureCase): Promise<World> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox({
    keySecret: KEY_SECRET,
    ...(balancePaise === undefined ? {} : { balancePaise }),
  });
  onTestFinished(() => sandbox.close());
  await seedApprovedPayouts(database, { count: PAYOUTS });
  sandbox.addFaults(faults);
  return { database, sandbox, env: jobEnv({ database, sandbox, lockStore: "postgres" }) };
}

function secretsOf({ database, sandbox }: World): string[] {
  const { password } = new URL(database.url);
  const { RAZORPAYX_ACCOUNT_NUMBER } = sandbox.env;
  return [
    KEY_SECRET,
    WRONG_SECRET,
    FOREIGN_ACCOUNT,
    RAZORPAYX_ACCOUNT_NUMBER,
    database.url,
    password,
  ];
}

/** A database without a table. */
async function emptyDatabase(): Promise<string> {
  const name = `test_empty_${randomUUID().replaceAll("-", "")}`;
  const url = new URL(inject("postgresUrl"));
  const admin = new pg.Client({ connectionString: url.href });
  await admin.connect();
  onTestFinished(async () => {
    await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await admin.end();
  });
  await admin.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  url.pathname = `/${name}`;
  return url.href;
}

/** A port of this machine at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

function at(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

function withPassword(url: string, password: string): string {
  const changed = new URL(url);
  changed.password = password;
  return changed.href;
}

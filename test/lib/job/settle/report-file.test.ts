import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { useGithubStep } from "../github-step.ts";
import { REPORT, runTestJob, testJob } from "../test-job.ts";

const step = useGithubStep();
let database: TestDatabase;
let file: string;
let env: Record<string, string>;
beforeEach(async () => {
  database = await createTestDatabase();
  file = join(step.folder, `${database.environment}.json`);
  env = { ...step.env, DATABASE_URL: database.url, REPORT_FILE: file };
});
afterEach(() => database.drop());

const written = (): Record<string, unknown> =>
  JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;

it("holds how the run ended, its outputs, its whole report and its tables", async () => {
  writeFileSync(file, "the report of an earlier run");
  await runTestJob(testJob(), { env });
  expect(written()).toEqual({
    job: "tests/count-things",
    dryRun: false,
    runId: step.outputs()["run_id"],
    outcome: "completed",
    reason: "",
    message: "Everything that was due is done.",
    exitCode: 0,
    commit: step.env["GITHUB_SHA"],
    runUrl: "https://github.example/acme/afterhours/actions/runs/42",
    outputs: { processed: 3, total_paise: "123456700" },
    report: { processed: 3, totalPaise: "123456700", payees: REPORT.payees },
    tables: [
      { title: "Counted", columns: ["things", "amount"], rows: [["3", "₹12,34,567.00"]] },
      { title: "Payees", columns: ["payee"], rows: REPORT.payees.map((payee) => [payee]) },
    ],
  });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(step.folder).filter((name) => name.endsWith(".unfinished"))).toEqual([]);
});

it("holds no personal data and no secret, wherever in the report they stand", async () => {
  const report = {
    ...REPORT,
    payees: ["asha.rao@payees.example", "ABCPR1234D", "50100012345678", "key test-api-key-1"],
    email: "asha.rao@payees.example",
  };
  const job = testJob({
    run: () => Promise.resolve({ verdict: { kind: "completed" }, report }),
  });
  await runTestJob(job, { env });
  const text = readFileSync(file, "utf8");
  for (const secret of ["asha", "ABCPR1234D", "50100012345678", "test-api-key-1"])
    expect(text).not.toContain(secret);
  expect(written()["report"]).toMatchObject({ totalPaise: "123456700", email: "[redacted]" });
});

it("is a new file: what waits under its name is neither opened nor followed", async () => {
  const other = join(step.folder, `${database.environment}-other`);
  for (const path of [other, `${file}.unfinished`]) writeFileSync(path, "theirs", { mode: 0o666 });
  symlinkSync(other, file);
  await runTestJob(testJob(), { env });
  expect(readFileSync(other, "utf8")).toBe("theirs");
  expect(readFileSync(`${file}.unfinished`, "utf8")).toBe("theirs");
  expect(lstatSync(file).isFile()).toBe(true);
  expect(lstatSync(file).mode & 0o777).toBe(0o600);
  rmSync(`${file}.unfinished`);
});

it("has its secrets taken out in the database too, and so have the outputs", async () => {
  const header = `Basic ${Buffer.from("test-api-key-1").toString("base64")}`;
  const report = { ...REPORT, payees: ["key test-api-key-1", header, "asha.rao@payees.example"] };
  await runTestJob(
    testJob({
      run: () => Promise.resolve({ verdict: { kind: "completed" }, report }),
      outputs: () => ({ said: `the key test-api-key-1 of 98765 43210`, total_paise: "123456700" }),
    }),
    { env },
  );
  const [row] = await database.query<{ report: string }>("SELECT report::text FROM job_runs");
  expect(row?.report).toContain("123456700");
  expect(row?.report).not.toMatch(/test-api-key|dGVzdC1hcGk|asha/);
  expect(step.outputs()).toMatchObject({
    said: "the key [redacted] of [redacted]",
    total_paise: "123456700",
  });
});

it("says why a run never came to its core", async () => {
  const { outcome } = await runTestJob(testJob(), { env: { ...env, TEST_API_KEY: "" } });
  expect(outcome.kind).toBe("misconfigured");
  expect(written()).toMatchObject({
    outcome: "misconfigured",
    exitCode: 2,
    message: "TEST_API_KEY: is missing or empty",
    report: null,
    tables: [],
  });
});

it("is written in a dry run too", async () => {
  await runTestJob(testJob(), { env, argv: ["--dry-run"] });
  expect(written()).toMatchObject({ dryRun: true, outcome: "completed" });
});

it("that cannot be written changes neither the outcome nor what else is told", async () => {
  mkdirSync(file);
  const { outcome, log } = await runTestJob(testJob(), { env });
  expect(outcome).toEqual({ kind: "completed" });
  expect(log.map(({ msg }) => msg)).toContain(
    "the report file failed; the run itself is not changed by this",
  );
  expect(step.outputs()).toMatchObject({ outcome: "completed" });
  expect(await database.query("SELECT outcome FROM job_runs")).toEqual([{ outcome: "completed" }]);
});

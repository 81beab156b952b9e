import { PassThrough } from "node:stream";
import { defineJob, type JobDefinition } from "../../../lib/job/define-job.ts";
import type { Outcome } from "../../../lib/job/outcome.ts";
import { runJob } from "../../../lib/job/run-job.ts";
import type { Env } from "../../../lib/support/environment.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import { minutes } from "../../../lib/support/clock.ts";

export interface TestSettings {
  apiKey: string;
}

export interface TestReport {
  processed: number;
  totalPaise: bigint;
  payees: string[];
}

export type TestJob = JobDefinition<TestSettings, TestReport>;

export const REPORT: TestReport = {
  processed: 3,
  totalPaise: 123_456_700n,
  payees: ["consultant one", "consultant two", "consultant three"],
};

/** A job with little to do; a test says what is different. */
export function testJob(overrides: Partial<TestJob> = {}): TestJob {
  return defineJob<TestSettings, TestReport>({
    name: "tests/count-things",
    summary: "Counts things for a test.",
    schedule: { cron: "37 15 * * 1" },
    movesMoney: true,
    lock: { failMode: "closed", ttlMs: minutes(2) },
    deadlineMs: minutes(1),
    pausedBy: "degraded",
    environment: {
      variables: [
        {
          name: "TEST_API_KEY",
          required: true,
          description: "a key that a test job needs",
          allowed: { form: "any text", example: "key" },
        },
        {
          name: "TEST_SPEED",
          required: false,
          description: "how fast",
          allowed: { oneOf: ["slow", "moderate"] },
          default: "moderate",
        },
      ],
      parse(env) {
        const apiKey = env["TEST_API_KEY"] ?? "";
        return apiKey === ""
          ? { ok: false, problems: [{ variable: "TEST_API_KEY", problem: "is missing or empty" }] }
          : { ok: true, settings: { apiKey }, secrets: [apiKey] };
      },
    },
    run: () => Promise.resolve({ verdict: { kind: "completed" }, report: REPORT }),
    outputs: ({ processed, totalPaise }) => ({ processed, total_paise: totalPaise }),
    summarise: ({ processed, totalPaise, payees }) => [
      {
        title: "Counted",
        columns: ["things", "amount"],
        rows: [[String(processed), formatRupees(totalPaise)]],
      },
      { title: "Payees", columns: ["payee"], rows: payees.map((payee) => [payee]) },
    ],
    ...overrides,
  });
}

export interface Finished {
  outcome: Outcome;
  stdout: string;
  stderr: string;
  /** The lines of the log, as objects. */
  log: Record<string, unknown>[];
}

/** One run in this process. */
export async function runTestJob(
  job: TestJob,
  {
    env = {},
    argv = [],
    stdout = new PassThrough(),
  }: {
    env?: Env;
    argv?: readonly string[];
    stdout?: PassThrough;
  } = {},
): Promise<Finished> {
  const stderr = new PassThrough();
  const written = { stdout: "", stderr: "" };
  stdout.on("data", (bytes: Buffer) => (written.stdout += bytes.toString()));
  stderr.on("data", (bytes: Buffer) => (written.stderr += bytes.toString()));
  const outcome = await runJob(job, {
    argv,
    env: { TEST_API_KEY: "test-api-key-1", ...env },
    stdout,
    stderr: stderr as unknown as NodeJS.WriteStream,
  });
  // What was written last is read at the next turn of the event loop.
  await new Promise((resolve) => setImmediate(resolve));
  const lines = written.stderr.split("\n").filter((line) => line !== "");
  return {
    outcome,
    ...written,
    log: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

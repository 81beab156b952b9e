import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { RUNNER_CANCELS, startJob, stopJob } from "../support/job-process.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";

const description = (text: string): string =>
  JSON.stringify({ error: { code: "BAD_REQUEST_ERROR", reason: "x", description: text } });

const HOSTILE: readonly (readonly [string, string])[] = [
  ["a refusal of one long word", description("a".repeat(1_000_000))],
  ["a refusal of blanks", description(" ".repeat(1_000_000))],
  ["a refusal as large as an answer may be", description("a".repeat(4 * 2 ** 20 - 100))],
  ["a refusal that is larger", description("a".repeat(8 * 2 ** 20))],
];

it.each(HOSTILE)(
  "%s leaves the payout in doubt, and the run obeys the runner",
  async (_what, answer) => {
    const { database, env, answered } = await openWorld((response) => {
      response.writeHead(400, { "Content-Type": "application/json" }).end(answer);
    });
    const job = startJob({ env });
    const early = await Promise.race([answered, job.ended]);
    expect(early).toBeUndefined();
    const { end, signalsSent } = await stopJob(job, RUNNER_CANCELS);
    // A process that is busy with the text hears nothing, and is killed.
    expect(signalsSent, end.stdout + end.stderr).not.toContain("SIGKILL");
    expect(end.signal).toBeNull();
    // Not refused: its money may be on its way, and only the provider's list ends that.
    expect(await database.query("SELECT status::text FROM payouts")).toEqual([
      { status: "PROCESSING" },
    ]);
  },
);

it.each(HOSTILE)("%s does not keep the run from renewing its lease", async (_what, answer) => {
  // The answer to the second payout comes byte by byte, and keeps the run at work until the lease was renewed.
  const slow: ServerResponse[] = [];
  let requests = 0;
  const { database, env, answered } = await openWorld(
    (response) => {
      response.writeHead(400, { "Content-Type": "application/json" });
      requests += 1;
      if (requests === 1) response.end(answer);
      else slow.push(response);
    },
    { payouts: 2 },
  );
  const job = startJob({
    file: "test/jobs/fixtures/short-lease-job.ts",
    env: { ...env, RAZORPAY_TIMEOUT_MS: "120000" },
  });
  expect(await Promise.race([answered, job.ended])).toBeUndefined();

  // Each renewal moves the end of the lease. A process that is busy with the text renews nothing: the lease ends.
  const ends = new Set<string>();
  await vi.waitUntil(
    async () => {
      for (const response of slow) response.write(" ");
      const [lease] = await database.query<{ ends: string | null; live: boolean | null }>(
        "SELECT expires_at::text AS ends, expires_at > clock_timestamp() AS live FROM job_leases",
      );
      if (job.hasEnded() || lease?.live !== true) throw new Error("the run lost its lease");
      ends.add(lease.ends ?? "");
      return slow.length === 1 && ends.size === 3;
    },
    { timeout: 60_000, interval: 50 },
  );
  for (const response of slow) response.end(description("no"));

  const { outputs, signal, stdout, stderr } = await job.ended;
  expect(signal, stdout + stderr).toBeNull();
  expect(outputs["reason"], stdout + stderr).not.toBe("lease-lost");
  expect(await database.query("SELECT owner FROM job_leases")).toEqual([{ owner: null }]);
  expect(
    await database.query("SELECT status::text, count(*)::int FROM payouts GROUP BY 1 ORDER BY 1"),
  ).toEqual([
    { status: "FAILED", count: 1 },
    { status: "PROCESSING", count: 1 },
  ]);
});

/** Payouts at a provider that answers everything as it should, but the requests to pay. */
async function openWorld(
  pay: (response: ServerResponse) => void,
  { payouts = 1 } = {},
): Promise<{
  database: TestDatabase;
  env: Record<string, string>;
  answered: Promise<void>;
}> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  await seedApprovedPayouts(database, { count: payouts });
  let note: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (note = resolve));
  const server = createServer((request, response) => {
    const { method = "GET", url = "/", headers } = request;
    if (method === "POST" && url === "/v1/payouts") {
      pay(response);
      note();
      return;
    }
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { authorization = "", "content-type": type = "application/json" } = headers;
      const body = method === "GET" ? null : Buffer.concat(chunks);
      const sent = { method, headers: { authorization, "content-type": type }, body };
      void fetch(new URL(url, sandbox.url), sent).then(
        async (found) => response.writeHead(found.status).end(await found.text()),
        () => response.destroy(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const env = {
    ...jobEnv({ database, sandbox, lockStore: "postgres" }),
    RAZORPAY_BASE_URL: `http://127.0.0.1:${port}/v1`,
  };
  return { database, env, answered };
}

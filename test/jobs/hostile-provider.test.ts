import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startSandbox } from "../../scripts/sandbox/index.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { RUNNER_CANCELS, startJob, stopJob } from "../support/job-process.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";

const description = (text: string): string =>
  JSON.stringify({ error: { code: "BAD_REQUEST_ERROR", reason: "x", description: text } });

it.each([
  ["a refusal of one long word", description("a".repeat(1_000_000))],
  ["a refusal of blanks", description(" ".repeat(1_000_000))],
  ["a refusal as large as an answer may be", description("a".repeat(4 * 2 ** 20 - 100))],
  ["a refusal that is larger", description("a".repeat(8 * 2 ** 20))],
])("%s leaves the payout in doubt, and the run obeys the runner", async (_what, answer) => {
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
});

/** One payout at a provider that answers everything as it should, but the request to pay. */
async function openWorld(pay: (response: ServerResponse) => void): Promise<{
  database: TestDatabase;
  env: Record<string, string>;
  answered: Promise<void>;
}> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  await seedApprovedPayouts(database, { count: 1 });
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

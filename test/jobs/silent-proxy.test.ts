import { createServer, type AddressInfo, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { startSandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { createTestDatabase } from "../support/database.ts";
import { runJob, RUNNER_CANCELS, startJob, stopJob } from "../support/job-process.ts";
import { jobEnv, seedApprovedPayouts } from "../support/payout-world.ts";

it("ends by itself when its run has ended, though the proxy never answered", async () => {
  const { env } = await openWorld();
  const end = await runJob({ env: { ...env, RAZORPAY_TIMEOUT_MS: "1000" } });
  expect(end, end.stdout + end.stderr).toMatchObject({
    exitCode: 1,
    signal: null,
    outputs: { outcome: "failed", reason: "gateway-down" },
  });
  expect(end.stdout).toContain("The provider gives no usable answer");
});

it("ends by itself with 130 when it is stopped while the proxy does not answer", async () => {
  const { env, reached } = await openWorld();
  const job = startJob({ env: { ...env, RAZORPAY_TIMEOUT_MS: "120000" } });
  await reached;
  const { end, signalsSent } = await stopJob(job, RUNNER_CANCELS);
  expect(signalsSent).toEqual(["SIGINT"]);
  expect(end, end.stdout + end.stderr).toMatchObject({
    exitCode: 130,
    signal: null,
    outputs: { outcome: "interrupted", reason: "SIGINT", processed: "0" },
  });
});

it("ends by itself also when nobody reads what it says any more", async () => {
  const { env, reached } = await openWorld();
  const job = startJob({ env: { ...env, RAZORPAY_TIMEOUT_MS: "120000" } });
  await reached;
  job.stopReading();
  const { end, signalsSent } = await stopJob(job, RUNNER_CANCELS);
  expect(signalsSent).toEqual(["SIGINT"]);
  expect(end).toMatchObject({ exitCode: 130, outputs: { reason: "SIGINT" } });
});

it("says which proxy is wrong before it does anything", async () => {
  const { env } = await openWorld();
  const end = await runJob({ env: { ...env, HTTPS_PROXY: "http://planted_us%er:p%w@host:1" } });
  expect(end, end.stdout + end.stderr).toMatchObject({
    exitCode: 2,
    outputs: { outcome: "misconfigured" },
  });
  expect(end.stdout).toContain("HTTPS_PROXY: must be http://host:port or https://host:port");
  expect(end.stdout + end.stderr + end.summary).not.toContain("planted_us");
});

/** One payout to make, at a provider behind a proxy that takes connections and says nothing. */
async function openWorld(): Promise<{ env: Record<string, string>; reached: Promise<void> }> {
  const database = await createTestDatabase();
  onTestFinished(() => database.drop());
  const sandbox = await startSandbox();
  onTestFinished(() => sandbox.close());
  await seedApprovedPayouts(database, { count: 1 });
  const sockets: Socket[] = [];
  const proxy = createServer();
  const reached = new Promise<void>((resolve) => {
    proxy.on("connection", (socket) => {
      sockets.push(socket);
      socket.on("error", () => undefined);
      resolve();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  });
  const { port } = proxy.address() as AddressInfo;
  const env = {
    ...jobEnv({ database, sandbox, lockStore: "postgres" }),
    // The proxy on this machine never answers, so nothing leaves it.
    RAZORPAY_BASE_URL: "https://api.razorpay.com/v1",
    HTTPS_PROXY: `http://127.0.0.1:${port}`,
    NO_PROXY: "",
  };
  return { env, reached };
}

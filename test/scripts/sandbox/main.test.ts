import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { openSandbox } from "./support.ts";
import { nodeArgumentsOf } from "../../support/commands.ts";

interface Run {
  /** Resolves when the output contains the text. */
  printed(text: string): Promise<string>;
  stop(signal: NodeJS.Signals): void;
  /** Resolves with the exit code and everything printed. */
  ended: Promise<{ code: number | null; output: string }>;
}

function runMain(...flags: string[]): Run {
  const child = spawn(
    process.execPath,
    [...nodeArgumentsOf("scripts/sandbox/razorpay/main.ts"), ...flags],
    {
      cwd: new URL("../../..", import.meta.url),
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      for (const listener of listeners) listener();
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
  const printed = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const look = (): void => {
        if (output.includes(text)) resolve(output);
      };
      listeners.add(look);
      look();
      void ended.then(() => reject(new Error(`ended without printing "${text}": ${output}`)));
    });
  return { printed, stop: (signal) => void child.kill(signal), ended };
}

// Each test starts a process or two, which takes seconds on a busy machine.
describe("npm run sandbox", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "prints where it is and what to export, and stops cleanly on %s",
    async (signal) => {
      const run = runMain("--port", "0", "--key-secret", "it's", "--balance", "500", "--verbose");
      const output = await run.printed("__sandbox");
      const url = /sandbox on (http:\/\/127\.0\.0\.1:[0-9]+)/.exec(output)?.[1] ?? "";
      expect(output).toContain(`export RAZORPAY_BASE_URL=${url}/v1\n`);
      expect(output).toContain("export RAZORPAYX_KEY_ID=rzp_test_sandbox\n");
      expect(output).toContain(`export RAZORPAYX_KEY_SECRET='it'\\''s'\n`);
      expect(output).toContain("export RAZORPAYX_ACCOUNT_NUMBER=7878780080316316\n");
      const authorization = `Basic ${Buffer.from("rzp_test_sandbox:it's").toString("base64")}`;
      const answer = await fetch(`${url}/v1/banking_balances`, { headers: { authorization } });
      expect(await answer.json()).toMatchObject({ items: [{ amount: 500 }] });
      await run.printed("GET /banking_balances 200\n");
      run.stop(signal);
      expect((await run.ended).code).toBe(0);
    },
  );

  it("shows its options with --help", async () => {
    const { code, output } = await runMain("--help").ended;
    expect(code).toBe(0);
    for (const flag of ["--port", "--balance", "--key-id", "--account-number", "--settle-after"])
      expect(output).toContain(flag);
  });

  it.each([
    [["--port", "http"], "--port"],
    [["--port", "65536"], "0 to 65535"],
    [["--balance", "1.5"], "--balance"],
    [["--prot", "1"], "--prot"],
    [["4000"], "too many arguments"],
  ])("ends with 2 on %j and says what is wrong", async (flags, message) => {
    const { code, output } = await runMain(...flags).ended;
    expect(code).toBe(2);
    expect(output).toContain(message);
  });

  it("ends with 1 when the port is in use", async () => {
    const { port } = await openSandbox();
    const { code, output } = await runMain("--port", String(port)).ended;
    expect(code).toBe(1);
    expect(output).toContain(`port ${port} is in use`);
  });
});

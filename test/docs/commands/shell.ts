import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { ROOT } from "./blocks.ts";

export interface ShellEnd {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export type ShellEnvironment = Readonly<Record<string, string>>;

/** Runs one line as a person's bash does in the checkout, with this environment and no other. */
export async function shell(command: string, env: ShellEnvironment): Promise<ShellEnd> {
  const child = bash(command, env);
  const text = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  const [exitCode] = (await once(child, "close")) as [number | null];
  return { exitCode, ...text };
}

/** A command that goes on until it is stopped. */
export interface Service {
  /** All that it has printed so far. */
  printed: () => string;
  /** As Ctrl-C does: the whole of what was started. */
  stop: () => Promise<void>;
}

/** Starts a line that serves until Ctrl-C, and waits until it has printed that it is ready. */
export async function startService(
  command: string,
  { env, ready }: { env: ShellEnvironment; ready: RegExp },
): Promise<Service> {
  const child = bash(command, env);
  let printed = "";
  let said = "";
  const ended = once(child, "close");
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  await new Promise<void>((resolve, reject) => {
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      printed += chunk;
      if (ready.test(printed)) resolve();
    });
    void ended.then(() => reject(new Error(`${command} ended:\n${printed}${said}`)));
  });
  return {
    printed: () => printed,
    stop: async () => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGINT");
      await ended;
    },
  };
}

function bash(command: string, env: ShellEnvironment): ChildProcess {
  return spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", command], {
    cwd: ROOT,
    env,
    // A group of its own, which is stopped as a terminal stops it.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

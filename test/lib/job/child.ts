import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface RunningChild {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when the child has written the text on either stream; rejects when it ends without. */
  said(text: string): Promise<void>;
}

/** Starts a program in the repository with no more environment than it is given. */
export function startChild(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): RunningChild {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  child.stdout.on("data", (bytes: Buffer) => (written.stdout += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (written.stderr += bytes.toString()));
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...written,
  }));
  return {
    process: child,
    ended,
    said: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (`${written.stdout}${written.stderr}`.includes(text)) resolve();
        };
        child.stdout.on("data", look);
        child.stderr.on("data", look);
        look();
        void ended.then(({ stderr }) =>
          reject(new Error(`it ended without "${text}":\n${stderr}`)),
        );
      }),
  };
}

/** Runs a TypeScript file as the workflows do, and waits for its end. */
export function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ended> {
  return startChild(process.execPath, ["--import", "tsx", ...args], env).ended;
}

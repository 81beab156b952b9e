import { spawn } from "node:child_process";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { nodeArgumentsOf } from "./commands.ts";

export interface ScriptResult {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RunningScript {
  readonly process: ChildProcessWithoutNullStreams;
  /** Resolves with everything printed so far once the text appears; rejects if it ends before. */
  printed(text: string): Promise<string>;
  readonly ended: Promise<ScriptResult>;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Starts a TypeScript file of this repository, a command from its bundle.
 *
 * @param env replaces the environment but for PATH and HOME, so that no setting of ours leaks in
 */
export function startScript(
  file: string,
  options: { args?: string[]; env?: Record<string, string> } = {},
): RunningScript {
  const child = spawn(process.execPath, [...nodeArgumentsOf(file), ...(options.args ?? [])], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
    stdio: "pipe",
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  const ended = once(child, "close").then(([exitCode]): ScriptResult => {
    return { exitCode: exitCode as number | null, ...output };
  });
  const printed = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (output.stdout.includes(text)) resolve(output.stdout);
      };
      child.stdout.on("data", look);
      void ended.then(({ stderr }) =>
        reject(new Error(`${file} ended without printing "${text}":\n${stderr}`)),
      );
      look();
    });
  return { process: child, printed, ended };
}

/** Runs it to its end. */
export function runScript(
  file: string,
  options: { args?: string[]; env?: Record<string, string> } = {},
): Promise<ScriptResult> {
  return startScript(file, options).ended;
}

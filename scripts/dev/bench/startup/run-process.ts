import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The cost of one process, from its start to its end. */
export interface ProcessCost {
  /** Wall-clock time, as its parent process sees it. */
  wallMs: number;
  /** Of all its threads, on the processors. */
  cpuMs: number;
  peakMb: number;
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const USAGE = fileURLToPath(new URL("usage.cjs", import.meta.url));

/** Runs Node to its end. The environment holds only the given values, and PATH. */
export async function runNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<ProcessCost> {
  const startedAtMs = performance.now();
  const child = spawn(process.execPath, ["--require", USAGE, ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  let wallMs = NaN;
  child.once("exit", () => (wallMs = performance.now() - startedAtMs));
  const [stdout, stderr, usage] = [1, 2, 3].map((fd) => {
    const chunks: Buffer[] = [];
    child.stdio[fd]?.on("data", (chunk: Buffer) => chunks.push(chunk));
    return (): string => Buffer.concat(chunks).toString("utf8");
  }) as [() => string, () => string, () => string];
  const [exitCode] = (await once(child, "close")) as [number | null];
  const { cpuMs, peakMb } = JSON.parse(usage()) as { cpuMs: number; peakMb: number };
  return { wallMs, cpuMs, peakMb, exitCode, stdout: stdout(), stderr: stderr() };
}

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** How a run of the job ended, and everything that it left for its reader. */
export interface JobEnd {
  /** Null when a signal ended the process. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The step outputs, as the Actions runner reads them from its file. */
  readonly outputs: Readonly<Record<string, string>>;
  /** The step summary, in Markdown. */
  readonly summary: string;
}

export interface RunningJob {
  readonly pid: number;
  /** Sends a signal to the process that was started, and to no other. */
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly hasEnded: () => boolean;
  /** Closes our end of its standard output and standard error, as `job | head` does. */
  readonly stopReading: () => void;
  readonly ended: Promise<JobEnd>;
}

export interface JobOptions {
  /** Default: the payout job. */
  file?: string;
  args?: readonly string[];
  /** Replaces the environment but for PATH and HOME, so that no setting of ours leaks in. */
  env: Readonly<Record<string, string>>;
  /** A file that standard output and standard error are written to; `JobEnd` has neither then. */
  terminal?: string;
}

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAYOUT_JOB_FILE = "jobs/payouts/process-payouts.ts";

/** How Node is started on a file: a job from its bundle, as a workflow does, all else from source. */
function nodeArguments(file: string): string[] {
  const job = /^jobs\/([a-z-]+\/[a-z-]+)\.ts$/.exec(file)?.[1];
  return job === undefined ? ["--import", "tsx", file] : [`dist/jobs/${job}.js`];
}

/** Starts a job as a process of its own. Killed when the test ends before it does. */
export function startJob({
  file = PAYOUT_JOB_FILE,
  args = [],
  env,
  terminal,
}: JobOptions): RunningJob {
  return start(process.execPath, [...nodeArguments(file), ...args], { env, terminal });
}

/** Runs a job to its end. */
export function runJob(options: JobOptions): Promise<JobEnd> {
  return startJob(options).ended;
}

/**
 * Starts a job as a step of a workflow does: its last line hands the process over to node, so that the
 * process that gets the signals is the one that was bash.
 */
export function startJobAsStep({
  file = PAYOUT_JOB_FILE,
  args = [],
  env,
}: Omit<JobOptions, "terminal">): RunningJob {
  const script = `echo "a line before the job"\nexec node ${[...nodeArguments(file), ...args].join(" ")}\n`;
  return startStep({ script, env });
}

/** Starts a script as the Actions runner does where a step says `shell: bash`. */
export function startStep({
  script,
  env,
  cwd,
}: {
  script: string;
  env: Readonly<Record<string, string>>;
  /** Default: the checkout. */
  cwd?: string;
}): RunningJob {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-step-"));
  const file = join(folder, "step.sh");
  writeFileSync(file, script);
  const step = start("bash", ["--noprofile", "--norc", "-eo", "pipefail", file], { env, cwd });
  void step.ended.finally(() => rmSync(folder, { recursive: true }));
  return step;
}

/** A signal, and how long after the first one it is sent to a process that still runs. */
export interface StopStep {
  readonly signal: NodeJS.Signals;
  readonly afterMs: number;
}

/** How the Actions runner ends a cancelled step. */
export const RUNNER_CANCELS: readonly StopStep[] = [
  { signal: "SIGINT", afterMs: 0 },
  { signal: "SIGTERM", afterMs: 7_500 },
  { signal: "SIGKILL", afterMs: 10_000 },
];

/** Stops a job step by step until it has ended. Resolves with its result and the signals sent. */
export async function stopJob(
  job: RunningJob,
  steps: readonly StopStep[],
): Promise<{ end: JobEnd; signalsSent: NodeJS.Signals[] }> {
  const signalsSent: NodeJS.Signals[] = [];
  const timers = steps.map(({ signal, afterMs }) =>
    setTimeout(() => {
      signalsSent.push(signal);
      job.kill(signal);
    }, afterMs),
  );
  const end = await job.ended;
  for (const timer of timers) clearTimeout(timer);
  return { end, signalsSent };
}

function start(
  command: string,
  args: readonly string[],
  {
    env,
    terminal,
    cwd = ROOT,
  }: Pick<JobOptions, "env"> & { terminal?: string | undefined; cwd?: string | undefined },
): RunningJob {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-job-"));
  const files = { output: join(folder, "output"), summary: join(folder, "summary") };
  for (const file of Object.values(files)) writeFileSync(file, "");
  const written = terminal === undefined ? undefined : openSync(terminal, "a");
  const child = spawn(command, args, {
    cwd,
    env: {
      PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}`,
      HOME: process.env["HOME"],
      GITHUB_OUTPUT: files.output,
      GITHUB_STEP_SUMMARY: files.summary,
      ...env,
    },
    stdio: ["ignore", written ?? "pipe", written ?? "pipe"],
  });
  if (written !== undefined) closeSync(written);
  const ended = collect(child, files).finally(() => rmSync(folder, { recursive: true }));
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  onTestFinished(async () => {
    if (!hasEnded()) child.kill("SIGKILL");
    await ended;
  });
  const stopReading = (): void => {
    for (const stream of [child.stdout, child.stderr]) stream?.destroy();
  };
  return {
    pid: child.pid ?? 0,
    kill: (signal) => void child.kill(signal),
    hasEnded,
    stopReading,
    ended,
  };
}

async function collect(
  child: ChildProcess,
  files: { output: string; summary: string },
): Promise<JobEnd> {
  const text = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  const [exitCode, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return {
    exitCode,
    signal,
    ...text,
    outputs: readOutputs(readFileSync(files.output, "utf8")),
    summary: readFileSync(files.summary, "utf8"),
  };
}

/**
 * Step outputs by the runner's own rules: `name=value`, or `name<<delimiter`, the lines of the value,
 * and the delimiter alone on a line.
 */
export function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    if (line === "") continue;
    const equals = line.indexOf("=");
    const heredoc = line.indexOf("<<");
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      outputs[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    if (heredoc < 0) throw new Error(`not an output of a step: ${line}`);
    const end = lines.indexOf(line.slice(heredoc + 2));
    if (end < 0) throw new Error(`the value of ${line.slice(0, heredoc)} has no end`);
    outputs[line.slice(0, heredoc)] = lines.slice(0, end).join("\n");
    lines.splice(0, end + 1);
  }
  return outputs;
}

import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { allowedInWords, present, type Env } from "../support/environment.ts";
import { logLevels, type LogLevel } from "../support/log.ts";
import type { AnyJob, JobFlag } from "./define-job.ts";
import { harnessVariables } from "./environment.ts";
import { exitCodes } from "./outcome.ts";

export interface CommonOptions {
  dryRun: boolean;
  limit: number | undefined;
  logLevel: LogLevel;
}

export type ParsedOptions =
  | { kind: "run"; options: CommonOptions; flags: Readonly<Record<string, string>> }
  /** `--help` was asked for, and printed. */
  | { kind: "help" }
  | { kind: "unusable"; problem: string };

interface Output {
  stdout: (text: string) => void;
}

/** Reads the flags that every job has, and the job's own. `DRY_RUN=1` in the environment equals `--dry-run`. */
export function parseOptions(
  job: AnyJob,
  argv: readonly string[],
  env: Env,
  { stdout }: Output,
): ParsedOptions {
  const program = new Command(job.name)
    .description(job.summary)
    .addOption(
      new Option("--dry-run", "show what a run would do; writes nothing, sends nothing").env(
        "DRY_RUN",
      ),
    )
    .option("--limit <n>", "handle at most so many items", positiveInteger)
    .addOption(
      new Option("--log-level <level>", "least severe lines to log")
        .choices([...logLevels])
        .default("info"),
    )
    .addHelpText("after", helpFooter(job))
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeOut: stdout, writeErr: () => undefined });

  const flags = job.flags ?? [];
  for (const flag of flags) program.addOption(optionOf(flag));

  try {
    program.parse([...argv], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "help" };
    return { kind: "unusable", problem: error.message.replace(/^error: /, "") };
  }
  const problem = dryRunProblem(env);
  if (problem !== undefined) return { kind: "unusable", problem };
  const options = program.opts<{ dryRun?: boolean; limit?: number; logLevel: LogLevel }>();
  const fromFlag = program.getOptionValueSource("dryRun") === "cli";
  return {
    kind: "run",
    options: {
      dryRun: fromFlag || dryRunOf(env) === true,
      limit: options.limit,
      logLevel: options.logLevel,
    },
    flags: flagValues(program, flags),
  };
}

function optionOf({ name, description, problemWith }: JobFlag): Option {
  return new Option(`--${name} <value>`, description)
    .makeOptionMandatory()
    .argParser((text: string) => {
      const problem = problemWith(text);
      if (problem !== undefined) throw new InvalidArgumentError(problem);
      return text;
    });
}

function flagValues(program: Command, flags: readonly JobFlag[]): Record<string, string> {
  const options = program.opts<Record<string, string>>();
  return Object.fromEntries(
    flags.map(({ name }) => [name, options[new Option(`--${name}`).attributeName()] ?? ""]),
  );
}

const TRUE = new Set(["1", "true", "yes", "on"]);
const FALSE = new Set(["0", "false", "no", "off"]);

/** Undefined when unset or unreadable. */
function dryRunOf(env: Env): boolean | undefined {
  const value = present(env, "DRY_RUN")?.toLowerCase();
  if (value === undefined) return undefined;
  if (TRUE.has(value)) return true;
  return FALSE.has(value) ? false : undefined;
}

/** A dry run that was meant and not understood would be a real run. */
function dryRunProblem(env: Env): string | undefined {
  if (present(env, "DRY_RUN") === undefined || dryRunOf(env) !== undefined) return undefined;
  return "DRY_RUN must be one of 1, true, yes, on, 0, false, no, off";
}

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("expected a whole number of at least 1.");
  }
  return value;
}

function helpFooter(job: AnyJob): string {
  const variables = [...harnessVariables, ...job.environment.variables];
  const width = Math.max(...variables.map(({ name }) => name.length));
  const rows = variables.map((variable) => {
    const { name, required, description, default: fallback } = variable;
    const remark = required
      ? " (required)"
      : fallback === undefined
        ? ""
        : ` (default: ${fallback})`;
    return `  ${name.padEnd(width)}  ${description}: ${allowedInWords(variable)}${remark}`;
  });
  const codes = Object.entries(exitCodes).map(([kind, code]) => `${kind} ${code}`);
  return [
    "",
    `Schedule (UTC): ${job.schedule === "by-hand" ? "none, started by hand" : job.schedule.cron}`,
    "",
    "Environment:",
    ...rows,
    "",
    `Exit codes: ${codes.join(", ")}`,
  ].join("\n");
}

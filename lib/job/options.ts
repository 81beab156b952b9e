import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { allowedInWords, type Env } from "../support/environment.ts";
import { logLevels, type LogLevel } from "../support/log.ts";
import { definitionRows, USUAL_WIDTH, wrapText } from "../support/wrap-text.ts";
import type { AnyJob, JobFlag } from "./define-job.ts";
import { harnessVariables } from "./environment.ts";
import { exitCodes } from "./outcome.ts";
import { DEFAULT_OPTIONS, withDryRun, type Output, type ParsedOptions } from "./common-options.ts";

/** Parses the common flags and the job's own flags, or prints their help. */
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
        .default(DEFAULT_OPTIONS.logLevel),
    )
    .configureHelp({ minWidthToWrap: 16 })
    .addHelpText("after", ({ command }) =>
      helpFooter(job, command.configureOutput().getOutHelpWidth?.() ?? USUAL_WIDTH),
    )
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
  const given = program.opts<{ dryRun?: boolean; limit?: number; logLevel: LogLevel }>();
  const { limit, logLevel } = given;
  const dryRun = program.getOptionValueSource("dryRun") === "cli";
  return withDryRun(
    { kind: "run", options: { dryRun, limit, logLevel }, flags: flagValues(program, flags) },
    env,
  );
}

function optionOf({ name, description, problemWith, default: fallback }: JobFlag): Option {
  return new Option(`--${name} <value>`, description)
    .makeOptionMandatory(fallback === undefined)
    .default(fallback)
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

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("expected a whole number of at least 1.");
  }
  return value;
}

function helpFooter(job: AnyJob, width: number): string {
  const variables = [...harnessVariables, ...job.environment.variables];
  const rows = variables.map((variable): [string, string] => {
    const { name, required, description, default: fallback } = variable;
    const remark = required
      ? " (required)"
      : fallback === undefined
        ? ""
        : ` (default: ${fallback})`;
    return [name, `${description}: ${allowedInWords(variable)}${remark}`];
  });
  const codes = Object.entries(exitCodes).map(([kind, code]) => `${kind} ${code}`);
  return [
    "",
    `Schedule (UTC): ${job.schedule === "by-hand" ? "none, started by hand" : job.schedule.cron}`,
    "",
    "Environment:",
    ...definitionRows(rows, width),
    "",
    wrapText(`Exit codes: ${codes.join(", ")}`, { width }),
  ].join("\n");
}

import { present, type Env } from "../support/environment.ts";
import type { LogLevel } from "../support/log.ts";

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

export interface Output {
  stdout: (text: string) => void;
}

/** The options of a run without flags. */
export const DEFAULT_OPTIONS: CommonOptions = {
  dryRun: false,
  limit: undefined,
  logLevel: "info",
};

/** `DRY_RUN=1` in the environment equals `--dry-run`. A dry run that was meant and not understood would be a real run. */
export function withDryRun(parsed: ParsedOptions, env: Env): ParsedOptions {
  if (parsed.kind !== "run") return parsed;
  const value = present(env, "DRY_RUN")?.toLowerCase();
  if (value === undefined || FALSE.has(value)) return parsed;
  if (TRUE.has(value)) return { ...parsed, options: { ...parsed.options, dryRun: true } };
  return {
    kind: "unusable",
    problem: "DRY_RUN must be one of 1, true, yes, on, 0, false, no, off",
  };
}

const TRUE = new Set(["1", "true", "yes", "on"]);
const FALSE = new Set(["0", "false", "no", "off"]);

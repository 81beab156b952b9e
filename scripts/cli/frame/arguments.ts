import { userInfo } from "node:os";
import { InvalidArgumentError, Option } from "commander";
import { isUuid } from "../../../lib/payouts/operate/index.ts";
import { isDay } from "../../../lib/support/calendar.ts";
import { present, type Env, type EnvironmentSpec } from "../../../lib/support/environment.ts";
import { parseRupees, type Paise } from "../../../lib/support/money.ts";

/** Something is wrong with how the command was called; nothing was done. */
export class UsageError extends Error {}

/** The settings of a command, read as the jobs read them. @throws {UsageError} when a variable says something else */
export function settingsFrom<Settings>(spec: EnvironmentSpec<Settings>, env: Env): Settings {
  const parsed = spec.parse(env);
  if (parsed.ok) return parsed.settings;
  const problems = parsed.problems.map(({ variable, problem }) => `${variable}: ${problem}`);
  throw new UsageError(`${problems.join("; ")}; nothing was changed`);
}

/** Reads one of a few words, which `spelled` brings to the spelling of the list. */
export function oneOf<const T extends string>(
  words: readonly T[],
  spelled: (text: string) => string = (text) => text,
): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === spelled(text));
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`expected one of ${words.join(", ")}.`);
  };
}

export const upperCase = (text: string): string => text.toUpperCase();
export const lowerCase = (text: string): string => text.toLowerCase();

/** Reads the id of a thing, such as `payout`. */
export function idOf(thing: string): (text: string) => string {
  return (text) => {
    if (isUuid(text)) return text.toLowerCase();
    throw new InvalidArgumentError(
      `expected a ${thing}'s id, such as 8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42.`,
    );
  };
}

const MOST_LISTED = 10_000;

function listLimit(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || value < 1 || value > MOST_LISTED) {
    throw new InvalidArgumentError(`expected a whole number from 1 to ${MOST_LISTED}.`);
  }
  return value;
}

export function reason(text: string): string {
  return sentence(text, 500);
}

function operatorName(text: string): string {
  const name = sentence(text, 100);
  // In the audit log that is a job, which had no hand in anything.
  if (/^job:/i.test(name)) throw new InvalidArgumentError("a name does not begin with job:.");
  return name;
}

/** A reference or a name. */
export function shortText(text: string): string {
  return sentence(text, 200);
}

/** Options that several commands have. */
export const LIMIT = ["--limit <n>", "at most so many", listLimit, 50] as const;
export const WHY = ["--reason <text>", "why; it is kept in the audit log", reason] as const;
export const BY = [
  "--by <name>",
  "who does it (default: GITHUB_ACTOR, else USER, else the login)",
  operatorName,
] as const;

/**
 * The name of the person: `--by`, else the starter of the workflow, else the system's login. Many shells of
 * containers and schedulers have no USER; the system still knows the login.
 *
 * @throws {UsageError}
 */
export function whoDoesIt(by: string | undefined, env: Env, login = loginOf): string {
  const name =
    by ??
    present(env, "GITHUB_ACTOR") ??
    present(env, "USER") ??
    present(env, "LOGNAME") ??
    (env["USER"] === undefined ? login() : undefined);
  if (name === undefined) {
    throw new UsageError("nobody is named: give --by NAME, since each change is audited");
  }
  return operatorName(name);
}

/** Undefined where the system has no name for this user, as in a container with a number alone. */
function loginOf(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return undefined;
  }
}

/** The formats of every list command, beside its table. */
export const JSON_LIST = new Option("--json", "one JSON array, amounts in decimal rupees");
export const CSV_LIST = new Option(
  "--csv",
  "one line for each, below a line of names; for spreadsheets",
).conflicts("json");

/** A day, as `2026-11-30`. */
export function day(text: string): string {
  if (!isDay(text)) throw new InvalidArgumentError("expected a day as YYYY-MM-DD.");
  return text;
}

/** A month, as `2026-07`. */
export function month(text: string): string {
  if (/^[0-9]{4}-[0-9]{2}$/.test(text) && isDay(`${text}-01`)) return text;
  throw new InvalidArgumentError("expected a month, such as 2026-07.");
}

/** An amount in rupees. */
export function rupees(text: string): Paise {
  const paise = parseRupees(text);
  if (paise === undefined) {
    throw new InvalidArgumentError(
      "expected rupees without grouping, such as 250000 or 250000.00.",
    );
  }
  return paise;
}

function sentence(text: string, longest: number): string {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > longest || /\p{Cc}/u.test(trimmed)) {
    throw new InvalidArgumentError(`expected 1 to ${longest} characters on one line.`);
  }
  return trimmed;
}

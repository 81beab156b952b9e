import { isDay, type Day } from "./calendar.ts";
import { minutes } from "./clock.ts";
import {
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "./environment.ts";
import { parseRupees, type Paise } from "./money.ts";

/** Some variables, and the value that they give. */
export interface Setting<T> {
  readonly variables: readonly EnvironmentVariable[];
  /** Adds a problem for each variable with a wrong text. The value does not count then. */
  readonly read: (env: Env, problems: EnvironmentProblem[]) => T;
}

/** The fields of `Settings`, each with the setting that it is read from. */
type SettingsOf<Settings> = {
  readonly [Field in keyof Settings]-?: Setting<Settings[Field]>;
};

type Described = Pick<EnvironmentVariable, "name" | "description">;

/** A whole number within bounds. */
export function wholeNumber({
  least,
  most,
  default: unlessSet,
  ...rest
}: Described & { default: number; least: number; most: number; unit: string }): Setting<number> {
  const fallback = String(unlessSet);
  const variable = { ...rest, required: false, default: fallback, allowed: { least, most } };
  return fromText(variable, (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most
      ? { value }
      : { problem: `expected a whole number from ${least} to ${most}`, value };
  });
}

const MINUTES_IN = { minutes: 1, hours: 60, days: 24 * 60 } as const;

/** A whole number of minutes, hours or days; its value is in milliseconds. */
export function duration(
  unit: keyof typeof MINUTES_IN,
  rule: Described & { default: number; least: number; most: number },
): Setting<number> {
  return mapped(wholeNumber({ ...rule, unit }), (count) => minutes(count * MINUTES_IN[unit]));
}

/** An amount in rupees: any, one above zero, or one of at least so many whole rupees. */
export function rupees({
  least,
  example,
  ...rest
}: Described & { default: string; least: Paise; example: string }): Setting<Paise> {
  const bound = least === 0n ? "" : least === 1n ? " above zero" : ` of at least ${least / 100n}`;
  const allowed = { form: `an amount${bound}`, example };
  return fromText({ ...rest, required: false, unit: "rupees", allowed }, (text) => {
    const value = parseRupees(text);
    return value !== undefined && value >= least
      ? { value }
      : { problem: `expected an amount in rupees${bound}, such as ${example}`, value: 0n };
  });
}

/** One of some words. */
export function oneOf<Word extends string>({
  words,
  ...rest
}: Described & { words: readonly [Word, ...Word[]]; default: Word }): Setting<Word> {
  return fromText({ ...rest, required: false, allowed: { oneOf: words } }, (text) => {
    const value = words.find((word) => word === text);
    return value === undefined
      ? { problem: `expected ${words.join(" or ")}`, value: words[0] }
      : { value };
  });
}

/** Yes or no. */
export function yesOrNo(rule: Described & { default: "yes" | "no" }): Setting<boolean> {
  return mapped(oneOf({ ...rule, words: ["yes", "no"] }), (word) => word === "yes");
}

/** A text of some form. */
export function text({
  pattern,
  form,
  example,
  ...rest
}: Described & {
  default: string;
  pattern: RegExp;
  form: string;
  example: string;
}): Setting<string> {
  return fromText({ ...rest, required: false, allowed: { form, example } }, (value) =>
    pattern.test(value) ? { value } : { problem: `expected ${form}`, value },
  );
}

/** A day; undefined without one. */
export function optionalDay(rule: Described): Setting<Day | undefined> {
  const form = "a day as YYYY-MM-DD";
  const example = "2026-12-01";
  return {
    variables: [{ ...rule, required: false, allowed: { form, example } }],
    read: (env, problems) => {
      const day = present(env, rule.name);
      if (day === undefined || isDay(day)) return day;
      problems.push({ variable: rule.name, problem: `expected ${form}, such as ${example}` });
      return undefined;
    },
  };
}

/** The same setting, with another value made from its own. */
export function mapped<From, To>(
  { variables, read }: Setting<From>,
  change: (value: From) => To,
): Setting<To> {
  return { variables, read: (env, problems) => change(read(env, problems)) };
}

/** Several settings as one. */
export function group<Settings>(fields: SettingsOf<Settings>): Setting<Settings> {
  const entries = Object.entries<Setting<unknown>>(fields);
  return {
    variables: entries.flatMap(([, { variables }]) => variables),
    read: (env, problems) =>
      Object.fromEntries(
        entries.map(([field, setting]) => [field, setting.read(env, problems)]),
      ) as Settings,
  };
}

/**
 * The settings of a job, from their declarations.
 *
 * @param check finds problems beyond the single variables
 */
export function environmentOf<Settings>(
  fields: SettingsOf<Settings>,
  check: (env: Env, problems: EnvironmentProblem[]) => void = () => undefined,
): EnvironmentSpec<Settings> {
  const { variables, read } = group(fields);
  return {
    variables,
    parse(env) {
      const problems: EnvironmentProblem[] = [];
      const settings = read(env, problems);
      check(env, problems);
      return problems.length > 0 ? { ok: false, problems } : { ok: true, settings, secrets: [] };
    },
  };
}

function fromText<T>(
  variable: EnvironmentVariable & { default: string },
  read: (text: string) => { value: T; problem?: string },
): Setting<T> {
  return {
    variables: [variable],
    read: (env, problems) => {
      const { value, problem } = read(present(env, variable.name) ?? variable.default);
      if (problem !== undefined) problems.push({ variable: variable.name, problem });
      return value;
    },
  };
}

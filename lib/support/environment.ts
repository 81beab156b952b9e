/** The variables that a program was started with. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One thing wrong with one variable. Names it and what was expected; never its value. */
export interface EnvironmentProblem {
  variable: string;
  problem: string;
}

/** A variable as a person reads of it in help texts and in the configuration reference. */
export interface EnvironmentVariable {
  name: string;
  required: boolean;
  description: string;
  default?: string;
}

export type ParsedEnvironment<Settings> =
  | {
      ok: true;
      settings: Settings;
      /** Values to mask wherever they turn up. */ secrets: readonly string[];
    }
  | { ok: false; problems: readonly EnvironmentProblem[] };

/** What a job reads from the environment, and how it is checked: everything wrong is said at once. */
export interface EnvironmentSpec<Settings> {
  readonly variables: readonly EnvironmentVariable[];
  parse(env: Env): ParsedEnvironment<Settings>;
}

/** The value of a variable, where empty or only white space counts as missing. */
export function present(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

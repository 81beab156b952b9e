/** The variables that a program was started with. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One problem of one variable. Names the variable and the expected form, never the value. */
export interface EnvironmentProblem {
  variable: string;
  problem: string;
}

/** The values that a variable may hold. A test compares them with those that `parse` takes and refuses. */
export type AllowedValues =
  | { readonly oneOf: readonly string[] }
  /** A whole number within these bounds. */
  | { readonly least: number; readonly most: number }
  /** In words, with one text that has this form. */
  | { readonly form: string; readonly example: string };

/** A variable as a person reads of it in help texts and in the configuration reference. */
export interface EnvironmentVariable {
  name: string;
  required: boolean;
  /** The meaning in one phrase, without unit and allowed values. */
  description: string;
  /** Of a number: `hours`, `rupees`. */
  unit?: string;
  allowed: AllowedValues;
  default?: string;
  /** Kept where secrets are kept. Default: no. */
  secret?: boolean;
  /** Read when the first is missing: a name that older deployments use. */
  fallback?: string;
  /** Decides where secrets go, so no workflow takes it from a variable of the repository. Default: no. */
  noRepositoryVariable?: true;
}

export type ParsedEnvironment<Settings> =
  | {
      ok: true;
      settings: Settings;
      /** Values to mask wherever they turn up. */ secrets: readonly string[];
    }
  | { ok: false; problems: readonly EnvironmentProblem[] };

/** The variables that a job reads, and their checks. All problems are reported at once. */
export interface EnvironmentSpec<Settings> {
  readonly variables: readonly EnvironmentVariable[];
  parse(env: Env): ParsedEnvironment<Settings>;
}

/** `1 to 720 hours`, `redis, postgres or off`, `an address, such as …`. */
export function allowedInWords({
  allowed,
  unit,
}: Pick<EnvironmentVariable, "allowed" | "unit">): string {
  const of = unit === undefined ? "" : ` ${unit}`;
  if ("oneOf" in allowed) {
    const last = allowed.oneOf.at(-1) ?? "";
    return [allowed.oneOf.slice(0, -1).join(", "), last].filter((part) => part !== "").join(" or ");
  }
  return "least" in allowed ? `${allowed.least} to ${allowed.most}${of}` : `${allowed.form}${of}`;
}

/** The value of a variable, where empty or only white space counts as missing. */
export function present(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

/** Whether this is a run on GitHub Actions. People without the right to merge may set variables there. */
export function isOnGitHub(env: Env): boolean {
  return present(env, "GITHUB_ACTIONS") === "true";
}

/** The settings of several specs side by side. */
type Combined<Specs extends readonly unknown[]> = Specs extends readonly [
  EnvironmentSpec<infer First>,
  ...infer Others,
]
  ? First & Combined<Others>
  : unknown;

/**
 * Several specs as one: their settings side by side, all problems at once, and each variable and problem once.
 * No two specs may have a field in common, unless both read it from the same variables.
 */
export function combineEnvironments<const Specs extends readonly EnvironmentSpec<object>[]>(
  ...specs: Specs
): EnvironmentSpec<Combined<Specs>> {
  const variables = new Map<string, EnvironmentVariable>();
  for (const variable of specs.flatMap((spec) => spec.variables)) {
    if (!variables.has(variable.name)) variables.set(variable.name, variable);
  }
  return {
    variables: [...variables.values()],
    parse(env) {
      const problems = new Map<string, EnvironmentProblem>();
      const secrets = new Set<string>();
      const settings = {};
      for (const parsed of specs.map((spec) => spec.parse(env))) {
        if (parsed.ok) {
          Object.assign(settings, parsed.settings);
          for (const secret of parsed.secrets) secrets.add(secret);
        } else {
          for (const one of parsed.problems) problems.set(`${one.variable} ${one.problem}`, one);
        }
      }
      return problems.size > 0
        ? { ok: false, problems: [...problems.values()] }
        : { ok: true, settings: settings as Combined<Specs>, secrets: [...secrets] };
    },
  };
}

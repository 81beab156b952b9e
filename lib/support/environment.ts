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

/**
 * The whole number that a variable holds, or its default. Outside of its bounds it is a problem that names both
 * ends.
 */
export function readWholeNumber(
  env: Env,
  { name, default: fallback, allowed }: BoundedVariable,
  problems: EnvironmentProblem[],
): number {
  const text = present(env, name) ?? fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  const { least, most } = allowed;
  if (!(value >= least && value <= most)) {
    problems.push({ variable: name, problem: `expected a whole number from ${least} to ${most}` });
  }
  return value;
}

/** A variable that holds a whole number within bounds. */
export interface BoundedVariable extends EnvironmentVariable {
  default: string;
  allowed: { readonly least: number; readonly most: number };
}

/**
 * Two specs as one: their settings side by side, all that is wrong in both said at once, and each variable
 * listed once. The settings of the two must have no field in common.
 */
export function combineEnvironments<A extends object, B extends object>(
  a: EnvironmentSpec<A>,
  b: EnvironmentSpec<B>,
): EnvironmentSpec<A & B> {
  const named = new Map([...b.variables, ...a.variables].map((each) => [each.name, each]));
  const names = new Set([...a.variables, ...b.variables].map(({ name }) => name));
  return {
    variables: [...names].flatMap((name) => named.get(name) ?? []),
    parse(env) {
      const [first, second] = [a.parse(env), b.parse(env)];
      if (first.ok && second.ok) {
        return {
          ok: true,
          settings: { ...first.settings, ...second.settings },
          secrets: [...first.secrets, ...second.secrets],
        };
      }
      const problems = [first, second].flatMap((each) => (each.ok ? [] : each.problems));
      return { ok: false, problems };
    },
  };
}

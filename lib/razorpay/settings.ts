import {
  present,
  type AllowedValues,
  type Env,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../support/environment.ts";
import { isLoopbackHost } from "../support/loopback.ts";
import { credentials } from "../support/secret-forms.ts";
import { isDecodable } from "../support/server-url.ts";
import { ACCOUNT_KINDS, type AccountKind } from "../provider/payout-provider.ts";
import type {
  ConnectionSettings,
  RazorpayXSettings,
  RazorpayPaymentsSettings,
} from "./contract.ts";

const DEFAULT_BASE_URL = "https://api.razorpay.com/v1";
/**
 * The only origins that may get our credentials. A variable can choose among these, and cannot add one:
 * otherwise anybody with the right to set a variable would get the keys. The sandbox on this machine is allowed
 * as well, with keys of the test mode alone.
 */
const PROVIDER_ORIGINS: readonly string[] = [new URL(DEFAULT_BASE_URL).origin];
const TEST_KEY = /^rzp_test_/;
const DEFAULT_TIMEOUT_MS = 20_000;
const DEFAULT_REQUESTS_PER_SECOND = 8;

const KEY: AllowedValues = { form: "one word, as the provider shows it", example: "rzp_live_abc" };
const SECRET: AllowedValues = { form: "one word, as the provider shows it", example: "a1B2c3D4" };

const connectionVariables: readonly EnvironmentVariable[] = [
  {
    name: "RAZORPAY_BASE_URL",
    required: false,
    default: DEFAULT_BASE_URL,
    noRepositoryVariable: true,
    description:
      "where the API is, with its version; another one only for a rehearsal on this machine, with a key rzp_test_…",
    allowed: {
      form: `a URL of ${PROVIDER_ORIGINS.join(" or ")}, or of a loopback address`,
      example: DEFAULT_BASE_URL,
    },
  },
  {
    name: "RAZORPAY_TIMEOUT_MS",
    required: false,
    default: String(DEFAULT_TIMEOUT_MS),
    description: "time from sending to the last byte of the answer",
    unit: "milliseconds",
    allowed: { least: 1000, most: 120_000 },
  },
  {
    name: "RAZORPAY_REQUESTS_PER_SECOND",
    required: false,
    default: String(DEFAULT_REQUESTS_PER_SECOND),
    description: "the most that is sent in any second; the provider advises 5 to 10",
    unit: "requests a second",
    allowed: { least: 1, most: 100 },
  },
];

export const razorpayXVariables: readonly EnvironmentVariable[] = [
  {
    name: "RAZORPAYX_KEY_ID",
    fallback: "RAZORPAY_KEY_ID",
    required: true,
    description: "API key of RazorpayX; falls back to RAZORPAY_KEY_ID",
    allowed: KEY,
  },
  {
    name: "RAZORPAYX_KEY_SECRET",
    fallback: "RAZORPAY_SECRET",
    required: true,
    secret: true,
    description: "secret of that key; falls back to RAZORPAY_SECRET",
    allowed: SECRET,
  },
  {
    name: "RAZORPAYX_ACCOUNT_NUMBER",
    required: true,
    secret: true,
    description: "our own RazorpayX account, which pays",
    allowed: { form: "5 to 35 letters and digits", example: "7878780080316316" },
  },
  {
    name: "RAZORPAYX_ACCOUNT_KIND",
    required: false,
    default: "lite",
    description:
      "kind of that account: lite pays fees with each payout, current once a day as a payout of their own",
    allowed: { oneOf: ACCOUNT_KINDS },
  },
  ...connectionVariables,
];

/** The payments API has keys of its own; it shares all else with RazorpayX. */
export const razorpayPaymentsVariables: readonly EnvironmentVariable[] = [
  {
    name: "RAZORPAY_KEY_ID",
    required: true,
    description: "API key of Razorpay payments",
    allowed: KEY,
  },
  {
    name: "RAZORPAY_KEY_SECRET",
    fallback: "RAZORPAY_SECRET",
    required: true,
    secret: true,
    description: "secret of that key; falls back to RAZORPAY_SECRET",
    allowed: SECRET,
  },
  ...connectionVariables,
];

type Parsed<Settings> =
  { ok: true; settings: Settings } | { ok: false; problems: EnvironmentProblem[] };

/** As every job reads it that pays, or asks about payouts. */
export const razorpayXEnvironment: EnvironmentSpec<{ razorpayX: RazorpayXSettings }> = {
  variables: razorpayXVariables,
  parse(env) {
    const parsed = parseRazorpayXEnv(env);
    if (!parsed.ok) return parsed;
    const { keyId, keySecret, accountNumber } = parsed.settings;
    return {
      ok: true,
      settings: { razorpayX: parsed.settings },
      secrets: [...credentials(keyId, keySecret), accountNumber],
    };
  },
};

/** As every job reads it that asks about payments, or refunds them. */
export const razorpayPaymentsEnvironment: EnvironmentSpec<{ razorpay: RazorpayPaymentsSettings }> =
  {
    variables: razorpayPaymentsVariables,
    parse(env) {
      const parsed = parseRazorpayPaymentsEnv(env);
      if (!parsed.ok) return parsed;
      const { keyId, keySecret } = parsed.settings;
      return {
        ok: true,
        settings: { razorpay: parsed.settings },
        secrets: credentials(keyId, keySecret),
      };
    },
  };

/** Reads the settings of the RazorpayX client, and says everything that is wrong at once. */
export function parseRazorpayXEnv(env: Env): Parsed<RazorpayXSettings> {
  return parseWith(razorpayXVariables, env, (given, report) => ({
    keyId: credential(given, ["RAZORPAYX_KEY_ID", "RAZORPAY_KEY_ID"], report),
    keySecret: credential(given, ["RAZORPAYX_KEY_SECRET", "RAZORPAY_SECRET"], report),
    accountNumber: accountNumber(given["RAZORPAYX_ACCOUNT_NUMBER"], report),
    accountKind: accountKind(given["RAZORPAYX_ACCOUNT_KIND"], report),
    ...connection(given, report),
  }));
}

/** Reads the settings of the payments client, and says everything that is wrong at once. */
export function parseRazorpayPaymentsEnv(env: Env): Parsed<RazorpayPaymentsSettings> {
  return parseWith(razorpayPaymentsVariables, env, (given, report) => ({
    keyId: credential(given, ["RAZORPAY_KEY_ID"], report),
    keySecret: credential(given, ["RAZORPAY_KEY_SECRET", "RAZORPAY_SECRET"], report),
    ...connection(given, report),
  }));
}

/** No schema library: a skipped run would spend a tenth of its time on loading it for these few texts. */
function parseWith<Settings extends Pick<ConnectionSettings, "baseUrl"> & { keyId: string }>(
  variables: readonly EnvironmentVariable[],
  env: Env,
  read: (given: Env, report: Report) => Settings,
): Parsed<Settings> {
  const names = variables.flatMap(({ name, fallback }) => [name, fallback ?? name]);
  // Empty or only spaces is missing: a workflow maps a secret that doesn't exist to "".
  const given = Object.fromEntries(names.map((name) => [name, present(env, name)]));
  const problems: EnvironmentProblem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const settings = read(given, report);
  if (!isOnThisMachine(settings.baseUrl)) proxies(env, report);
  else if (settings.baseUrl !== "" && settings.keyId !== "" && !TEST_KEY.test(settings.keyId)) {
    report({
      variable: "RAZORPAY_BASE_URL",
      problem:
        "is on this machine, where only a key that begins with rzp_test_ is sent: take this variable away, or use a key of the test mode",
    });
  }
  return problems.length === 0 ? { ok: true, settings } : { ok: false, problems };
}

type Report = (problem: EnvironmentProblem) => unknown;

function connection(
  env: Env,
  report: Report,
): Pick<ConnectionSettings, "baseUrl" | "timeoutMs" | "requestsPerSecond"> {
  return {
    baseUrl: baseUrl(env["RAZORPAY_BASE_URL"], report),
    timeoutMs: integer(
      env,
      {
        variable: "RAZORPAY_TIMEOUT_MS",
        least: 1000,
        most: 120_000,
        fallback: DEFAULT_TIMEOUT_MS,
      },
      report,
    ),
    requestsPerSecond: integer(
      env,
      {
        variable: "RAZORPAY_REQUESTS_PER_SECOND",
        least: 1,
        most: 100,
        fallback: DEFAULT_REQUESTS_PER_SECOND,
      },
      report,
    ),
  };
}

function accountKind(text: string | undefined, report: Report): AccountKind {
  const kind = ACCOUNT_KINDS.find((each) => each === (text ?? "lite"));
  if (!kind) report({ variable: "RAZORPAYX_ACCOUNT_KIND", problem: "expected lite or current" });
  return kind ?? "lite";
}

/** The first of these names that is set; the second is one that older deployments use. */
function credential(
  env: Env,
  [name, olderName]: [name: string, olderName?: string],
  report: Report,
): string {
  const older = olderName === undefined ? undefined : env[olderName];
  const variable =
    olderName !== undefined && env[name] === undefined && older !== undefined ? olderName : name;
  const text = env[variable];
  if (text === undefined) {
    const hint = olderName === undefined ? "" : `; ${olderName} is read as well`;
    report({ variable, problem: `is missing or empty${hint}` });
    return "";
  }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    report({ variable, problem: "has a space or a character that no key has" });
  }
  return text;
}

function accountNumber(text: string | undefined, report: Report): string {
  const variable = "RAZORPAYX_ACCOUNT_NUMBER";
  if (text === undefined) report({ variable, problem: "is missing or empty" });
  else if (!/^[A-Za-z0-9]{5,35}$/.test(text)) {
    report({ variable, problem: "must be 5 to 35 letters and digits" });
  }
  return text ?? "";
}

function baseUrl(text: string | undefined, report: Report): string {
  if (text === undefined) return DEFAULT_BASE_URL;
  const variable = "RAZORPAY_BASE_URL";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    report({ variable, problem: `must be a URL like ${DEFAULT_BASE_URL}` });
    return "";
  }
  if (!isLoopbackHost(url.hostname) && !PROVIDER_ORIGINS.includes(url.origin)) {
    report({
      variable,
      problem: `must be ${PROVIDER_ORIGINS.join(" or ")}, or a loopback address for a rehearsal: our credentials travel with every request. Take this variable away`,
    });
  }
  if (url.username || url.password || url.search || url.hash) {
    report({ variable, problem: "must hold no credentials, query or fragment" });
  }
  return `${url.origin}${url.pathname}`.replace(/(?<!\/)\/+$/, "");
}

/** Also true for a text that is no URL: that is one problem, not two. */
function isOnThisMachine(baseUrl: string): boolean {
  return !URL.canParse(baseUrl) || isLoopbackHost(new URL(baseUrl).hostname);
}

/**
 * The HTTP client reads these from the environment, the lower case first. Without one for https it uses the one
 * for http, and a wrong value breaks it even where it would not be used. They belong to the machine, so no job
 * declares them.
 */
const PROXY_VARIABLES = [
  ["https_proxy", "HTTPS_PROXY"],
  ["http_proxy", "HTTP_PROXY"],
] as const;

function proxies(env: Env, report: Report): void {
  for (const [lower, upper] of PROXY_VARIABLES) {
    const variable = env[lower] === undefined ? upper : lower;
    const text = env[variable];
    if (text === undefined || text === "" || isProxy(text)) continue;
    const problem =
      "must be http://host:port or https://host:port, with a % in a name or password written as %25";
    report({ variable, problem });
  }
}

function isProxy(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search, hash } = new URL(text);
  return (
    ["http:", "https:"].includes(protocol) &&
    `${pathname}${search}${hash}` === "/" &&
    [username, password].every(isDecodable)
  );
}

function integer(
  env: Env,
  rule: { variable: string; least: number; most: number; fallback: number },
  report: Report,
): number {
  const text = env[rule.variable];
  if (text === undefined) return rule.fallback;
  const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
  if (number >= rule.least && number <= rule.most) return number;
  report({
    variable: rule.variable,
    problem: `must be an integer from ${rule.least} to ${rule.most}`,
  });
  return rule.fallback;
}

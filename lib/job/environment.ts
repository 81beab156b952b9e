import { hostname } from "node:os";
import {
  present,
  type Env,
  type EnvironmentVariable,
  type ParsedEnvironment,
} from "../support/environment.ts";
import { addressProblemOf } from "../db/address.ts";
import {
  allowPlaintextVariable,
  plaintextProblem,
  tlsVariableProblems,
} from "../support/plaintext.ts";
import { readServerUrl } from "../support/server-url.ts";
import { redisProblemOf } from "./lock/redis-address.ts";
import type { MaintenancePhase } from "./maintenance.ts";

/** Settings of the harness itself, for every job. */
export interface HarnessSettings {
  databaseUrl: string;
  redisUrl: string | undefined;
  lockStore: "redis" | "postgres" | "off";
  /** Separates the locks of, say, staging and production in one store. */
  environmentName: string;
  maintenanceOverride: MaintenancePhase | undefined;
  heartbeatUrl: string | undefined;
}

export const harnessVariables: readonly EnvironmentVariable[] = [
  {
    name: "DATABASE_URL",
    required: true,
    secret: true,
    description: "PostgreSQL 14 or newer, best by its direct address; poolers: docs/operations.md",
    allowed: {
      form: "a URL of postgres:// or postgresql://",
      example: "postgres://user:password@host:5432/afterhours",
    },
  },
  {
    name: "REDIS_URL",
    required: false,
    secret: true,
    description: "Redis for locks; without it they are rows in PostgreSQL",
    allowed: {
      form: "a URL of redis:// or rediss://",
      example: "rediss://user:password@host:6379",
    },
  },
  allowPlaintextVariable,
  {
    name: "LOCK_STORE",
    required: false,
    description: "where locks are; redis needs REDIS_URL",
    allowed: { oneOf: ["redis", "postgres", "off"] },
    default: "redis where REDIS_URL is set, else postgres",
  },
  {
    name: "AFTERHOURS_ENV",
    required: false,
    description: "name of this environment, part of each lock's key",
    allowed: { form: "any text", example: "staging" },
    default: "production",
  },
  {
    name: "MAINTENANCE_PHASE",
    required: false,
    description:
      "maintenance phase of this run, before the one in the database; on GitHub Actions it can only pause",
    allowed: { oneOf: ["off", "degraded", "offline"] },
  },
  {
    name: "HEARTBEAT_URL",
    required: false,
    secret: true,
    description:
      "monitor to ping: /start, success, /fail, each with rid; HEARTBEAT_URL_<JOB> comes before it for one job",
    allowed: { form: "a URL of http:// or https://", example: "https://hc-ping.com/your-check" },
  },
  {
    name: "REPORT_FILE",
    required: false,
    description: "file for the full report of the run, as JSON, redacted; replaced if it is there",
    allowed: { form: "a path", example: "report.json" },
  },
  {
    name: "DRY_RUN",
    required: false,
    description: "whether the run is a dry run; the flag --dry-run comes before it",
    allowed: { oneOf: ["1", "true", "yes", "on", "0", "false", "no", "off"] },
  },
];

const LOCK_STORES = ["redis", "postgres", "off"] as const;
const PHASES = ["off", "degraded", "offline"] as const;

/** Reads a value; undefined when the value is not allowed. */
type Reader<T> = (value: string) => T | undefined;

const HTTP_API =
  "this is the address of an HTTP API: take the one for Redis clients, rediss://host:6379";

/** The form of a URL, for error messages. */
const FORMS = {
  DATABASE_URL: {
    schemes: ["postgres", "postgresql"],
    expected: "a URL like postgres://host:5432/name, with user and password before the host",
  },
  REDIS_URL: {
    schemes: ["redis", "rediss"],
    expected: "a URL like rediss://host:6379",
    hints: { http: HTTP_API, https: HTTP_API },
  },
  http: { schemes: ["http", "https"], expected: "an http or https URL" },
} as const;

const oneOf =
  <T extends string>(allowed: readonly T[]): Reader<T> =>
  (value) =>
    allowed.find((each) => each === value);

/** The variable that overrides `HEARTBEAT_URL` for one job: `HEARTBEAT_URL_PAYOUTS_PROCESS_PAYOUTS`. */
export function heartbeatVariable(job: string): string {
  return `HEARTBEAT_URL_${job.toUpperCase().replace(/[^A-Z0-9]/g, "_")}`;
}

/** @param job its name; a monitor of its own comes before the one of all jobs */
export function parseHarnessEnvironment(
  env: Env,
  job?: string,
): ParsedEnvironment<HarnessSettings> {
  const problems = tlsVariableProblems(env);
  const read = <T>(variable: string, reader: Reader<T>, expected: string): T | undefined => {
    const value = present(env, variable);
    if (value === undefined) return undefined;
    const meaning = reader(value);
    if (meaning === undefined) problems.push({ variable, problem: `expected ${expected}` });
    return meaning;
  };

  const readUrl = (variable: string, form: keyof typeof FORMS): string | undefined => {
    const value = present(env, variable);
    if (value === undefined) return undefined;
    const read = readServerUrl(value, FORMS[form]);
    const problem = "problem" in read ? read.problem : moreProblemsOf[form](read.url, env);
    if (problem !== undefined) problems.push({ variable, problem });
    return "url" in read && problem === undefined ? read.url : undefined;
  };

  const database = readUrl("DATABASE_URL", "DATABASE_URL");
  if (present(env, "DATABASE_URL") === undefined) {
    problems.push({ variable: "DATABASE_URL", problem: "is missing or empty" });
  }
  const redis = readUrl("REDIS_URL", "REDIS_URL");
  const store = read("LOCK_STORE", oneOf(LOCK_STORES), "redis, postgres or off");
  if (store === "redis" && present(env, "REDIS_URL") === undefined) {
    problems.push({ variable: "REDIS_URL", problem: "is missing, and LOCK_STORE is redis" });
  }
  const maintenanceOverride = read("MAINTENANCE_PHASE", oneOf(PHASES), "off, degraded or offline");
  const sharedHeartbeat = readUrl("HEARTBEAT_URL", "http");
  const ownHeartbeat = job === undefined ? undefined : readUrl(heartbeatVariable(job), "http");
  const heartbeatUrl = ownHeartbeat ?? sharedHeartbeat;

  if (problems.length > 0 || database === undefined) return { ok: false, problems };
  return {
    ok: true,
    settings: {
      databaseUrl: database,
      redisUrl: redis,
      lockStore: store ?? (redis === undefined ? "postgres" : "redis"),
      environmentName: present(env, "AFTERHOURS_ENV") ?? "production",
      maintenanceOverride,
      heartbeatUrl,
    },
    secrets: [database, redis, sharedHeartbeat, ownHeartbeat].filter(
      (secret) => secret !== undefined,
    ),
  };
}

/** The problem of an address that is a valid URL. */
const moreProblemsOf: Record<keyof typeof FORMS, (url: string, env: Env) => string | undefined> = {
  DATABASE_URL: addressProblemOf,
  REDIS_URL: redisProblemOf,
  http: (url, env) => {
    const { protocol, hostname: host } = new URL(url);
    if (protocol === "https:") return undefined;
    return plaintextProblem(env, { host, setting: "http://", instead: "https://" });
  },
};

/** The commit and the page of this run, where GitHub Actions says so. */
export function runOrigin(env: Env): {
  commit: string | undefined;
  runUrl: string | undefined;
  host: string;
} {
  const server = present(env, "GITHUB_SERVER_URL");
  const repository = present(env, "GITHUB_REPOSITORY");
  const run = present(env, "GITHUB_RUN_ID");
  return {
    commit: present(env, "GITHUB_SHA"),
    runUrl: server && repository && run ? `${server}/${repository}/actions/runs/${run}` : undefined,
    host: hostname(),
  };
}

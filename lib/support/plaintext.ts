import { isIPv6 } from "node:net";
import {
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentVariable,
} from "./environment.ts";
import { bareHost, isLoopbackHost } from "./loopback.ts";

/** The servers on other machines that may be reached without verified TLS. */
export const allowPlaintextVariable = {
  name: "ALLOW_PLAINTEXT",
  required: false,
  description:
    "weakens safety: servers on other machines that may be used without verified TLS, where nobody else is on the network between (docs/connections.md)",
  allowed: { form: "host names, separated by commas", example: "db.internal,cache.internal" },
  noRepositoryVariable: true,
} as const satisfies EnvironmentVariable;

/** A connection that would not be encrypted, or whose server would not be verified. */
interface WeakConnection {
  host: string;
  /** The setting that asks for plaintext, as the operator wrote it: `sslmode=disable`, `redis://`. */
  setting: string;
  /** The setting to write instead: `sslmode=verify-full`. */
  instead: string;
}

/**
 * The one rule for every server: data leaves this machine only over TLS with a verified certificate, unless
 * ALLOW_PLAINTEXT names this very host. Undefined where the connection may be made.
 */
export function plaintextProblem(
  env: Env,
  { host, setting, instead }: WeakConnection,
): string | undefined {
  if (isLoopbackHost(host) || allowedHosts(env).includes(bareHost(host))) return undefined;
  return `${setting} does not protect the data sent to ${bareHost(host)}: expected ${instead}. Only where nobody else is on the network between, add ${bareHost(host)} to ALLOW_PLAINTEXT`;
}

function allowedHosts(env: Env): string[] {
  const listed = present(env, allowPlaintextVariable.name) ?? "";
  return listed.split(",").map((host) => bareHost(host.trim()));
}

/** Problems of the variables that set TLS for all servers together. */
export function tlsVariableProblems(env: Env): EnvironmentProblem[] {
  const problems: EnvironmentProblem[] = [];
  const isHost = (host: string): boolean => isIPv6(host) || /^[a-z0-9._-]+$/.test(host);
  if (!allowedHosts(env).every((host) => host === "" || isHost(host))) {
    problems.push({
      variable: allowPlaintextVariable.name,
      problem: "expected host names, separated by commas, without scheme, port and *",
    });
  }
  // With this value Node checks no certificate of any address.
  if (env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    problems.push({
      variable: "NODE_TLS_REJECT_UNAUTHORIZED",
      problem:
        "is 0, which accepts every certificate: remove it. For an authority of your own set NODE_EXTRA_CA_CERTS to the file with its certificate",
    });
  }
  return problems;
}

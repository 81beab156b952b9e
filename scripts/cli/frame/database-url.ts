import type { ConnectionOptions } from "../../../lib/db/connection.ts";
import { addressProblemOf, hostOf } from "../../../lib/db/address.ts";
import { newSession, type DatabaseSession } from "../../../lib/db/session.ts";
import type { Env } from "../../../lib/support/environment.ts";
import { AfterhoursError } from "../../../lib/support/errors.ts";
import { describeServerFault, postgresFault } from "../../../lib/support/server-fault/index.ts";
import { tlsVariableProblems } from "../../../lib/support/plaintext.ts";
import { decoded, readServerUrl } from "../../../lib/support/server-url.ts";

/**
 * The value of DATABASE_URL, checked. Its text never appears in a message: it holds a password.
 *
 * @throws AfterhoursError MISCONFIGURED when it is missing or no PostgreSQL URL
 */
export function requireDatabaseUrl(env: Env): string {
  const url = env["DATABASE_URL"]?.trim();
  if (!url) {
    throw new AfterhoursError("MISCONFIGURED", "DATABASE_URL is not set.", {
      remedy:
        "Set it to postgresql://user:password@host:5432/database, or run `npm run services` for a server on this machine.",
    });
  }
  const read = readServerUrl(url, { schemes: ["postgres", "postgresql"], expected: EXPECTED });
  if ("problem" in read || !isWhole(read.url)) {
    const problem = "problem" in read ? read.problem : `expected ${EXPECTED}`;
    throw misconfigured(`DATABASE_URL is not a PostgreSQL URL: ${problem}`);
  }
  const problem = addressProblemOf(read.url, env);
  if (problem !== undefined) throw misconfigured(`DATABASE_URL: ${problem}`);
  for (const each of tlsVariableProblems(env)) {
    throw misconfigured(`${each.variable}: ${each.problem}`);
  }
  return read.url;
}

const EXPECTED = "postgresql://user:password@host:5432/database";

function misconfigured(message: string): AfterhoursError {
  return new AfterhoursError("MISCONFIGURED", `${message}.`);
}

/** `host:port` and database of a URL: the only parts that a message may show. */
export function describeServer(url: string): string {
  const { port, pathname } = new URL(url);
  const database = decoded(pathname.slice(1));
  return `${hostOf(url)}:${port || "5432"}${database && `, database ${database}`}`;
}

/**
 * Connects, for the administration of the database. PostgreSQL is of a version that will do.
 *
 * @throws AfterhoursError DATABASE_UNREACHABLE naming host and port, never the password; MISCONFIGURED where the
 * session is not one that may be worked with
 */
export async function connectAdmin(url: string): Promise<DatabaseSession> {
  const client = newSession(administration(url), { connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (error instanceof AfterhoursError) throw error;
    const fault = postgresFault(error);
    const { message, remedy } = describeServerFault(fault, {
      name: `PostgreSQL at ${describeServer(url)}`,
      type: "postgres",
    });
    throw new AfterhoursError("DATABASE_UNREACHABLE", `No connection: ${message}.`, {
      remedy,
      cause: error,
    });
  }
}

/** A session of the owner of the database: it waits for a row, or for its own statement, as long as it takes. */
export function administration(url: string): ConnectionOptions {
  return {
    url,
    applicationName: "afterhours administration",
    readOnly: false,
    purpose: "administration",
  };
}

function isWhole(url: string): boolean {
  return new URL(url).pathname.length > 1;
}

import type { ConnectionOptions } from "../../lib/db/connection.ts";
import { newSession, type DatabaseSession } from "../../lib/db/session.ts";
import { AfterhoursError, errorCode, toError } from "../../lib/support/errors.ts";

/**
 * The value of DATABASE_URL, checked. Its text never stands in a message: it holds a password.
 *
 * @throws AfterhoursError MISCONFIGURED when it is missing or no PostgreSQL URL
 */
export function requireDatabaseUrl(env: NodeJS.ProcessEnv): string {
  const url = env["DATABASE_URL"]?.trim();
  if (!url) {
    throw new AfterhoursError("MISCONFIGURED", "DATABASE_URL is not set.", {
      remedy:
        "Set it to postgresql://user:password@host:5432/database, or run `npm run services` for a server on this machine.",
    });
  }
  if (!isPostgresUrl(url)) {
    throw new AfterhoursError(
      "MISCONFIGURED",
      "DATABASE_URL is not a PostgreSQL URL: expected postgresql://user:password@host:5432/database.",
      {
        remedy:
          "Special characters of a password are percent-encoded: %40 for @, %23 for #, %2F for /, %25 for %.",
      },
    );
  }
  return url;
}

/** `host:port` and database of a URL: what a message may say of it. */
export function describeServer(url: string): string {
  const { hostname, port, pathname } = new URL(url);
  const database = decodeURIComponent(pathname.slice(1));
  return `${hostname}:${port || "5432"}${database && `, database ${database}`}`;
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
    const code = errorCode(error) ?? errorCode(firstOf(error));
    const reason = toError(firstOf(error)).message || code || "no answer";
    throw new AfterhoursError(
      "DATABASE_UNREACHABLE",
      `No connection to PostgreSQL at ${describeServer(url)}: ${reason}`,
      { remedy: "Is the server running, and are user and password right?", cause: error },
    );
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

function isPostgresUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname } = new URL(text);
  return /^postgres(ql)?:$/.test(protocol) && hostname !== "" && pathname.length > 1;
}

/** A name with several addresses fails with one error for each. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] as unknown) : error;
}

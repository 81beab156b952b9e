import { AfterhoursError } from "../support/errors.ts";
import {
  describeServerFault,
  layersOf,
  messageOf,
  postgresFault,
} from "../support/server-fault/index.ts";
import { decoded } from "../support/server-url.ts";
import { describeAddress } from "./address.ts";
import type { SettingFault } from "./session-settings.ts";

/** No session could be had, or it was lost: the message says whether the database answered, and how. */
export class DatabaseUnreachableError extends AfterhoursError {
  override readonly name = "DatabaseUnreachableError";

  constructor(url: string, cause: unknown) {
    const name = `the database at ${describeAddress(url)}`;
    const { message, remedy } = describeServerFault(postgresFault(cause), {
      name,
      type: "postgres",
    });
    super("DB_UNREACHABLE", message, { cause, remedy });
  }
}

/** The database answers, and has no room left for a statement: memory, disk or connections. */
export class DatabaseFullError extends AfterhoursError {
  override readonly name = "DatabaseFullError";

  constructor(url: string, cause: unknown) {
    const name = `the database at ${describeAddress(url)}`;
    const { message, remedy } = describeServerFault(postgresFault(cause), {
      name,
      type: "postgres",
    });
    super("DB_FULL", message, { cause, remedy: `${remedy} Unwritten rows are unchanged.` });
  }
}

/** The database answers, but has not the tables that this version needs. */
export class DatabaseNotMigratedError extends AfterhoursError {
  override readonly name = "DatabaseNotMigratedError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_NOT_MIGRATED",
      `the database at ${describeAddress(url)} lacks a table or column of this version`,
      {
        cause,
        remedy: "Run `npm run db:migrate` against it.",
      },
    );
  }
}

/** The database answers, and takes no writes. */
export class DatabaseReadOnlyError extends AfterhoursError {
  override readonly name = "DatabaseReadOnlyError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_READ_ONLY",
      `the database at ${describeAddress(url)} takes no writes (read-only transaction)`,
      {
        cause,
        remedy:
          "Is it a standby, is its login one for dry runs, or did its host make it read-only, as when its disk is full? DATABASE_URL must lead to the primary. Unwritten rows are unchanged. In a dry run this is a bug: something tried to write.",
      },
    );
  }
}

/** The database answers, and refuses something to the role that asks. */
export class DatabasePermissionError extends AfterhoursError {
  override readonly name = "DatabasePermissionError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_PERMISSION_DENIED",
      `the database at ${describeAddress(url)} refuses this to ${describeRole(url)}: ${refusalOf(cause) ?? "permission denied"}`,
      {
        cause,
        remedy:
          "Run `npm run db:roles` as the owner of the database: prisma/roles.sql says what each role may do, and has to be run again after a migration. The login has to be a member of afterhours_jobs, or for a dry run of afterhours_readonly. People: afterhours_payees imports, afterhours_approvers approves, rejects and holds, afterhours_tax records deposits, certificates and reliefs, afterhours_operators does all of it. Unwritten rows are unchanged.",
      },
    );
  }
}

/** The database answers, and for a minute none of the run's own sessions was free to ask it something. */
export class DatabaseBusyError extends AfterhoursError {
  override readonly name = "DatabaseBusyError";

  constructor(
    url: string,
    {
      waitedMs,
      blockers,
    }: {
      waitedMs: number;
      blockers: readonly { pid: number; name: string; tables: string }[];
    },
  ) {
    const held = blockers.map(
      ({ pid, name, tables }) =>
        `${tables === "" ? "rows" : `rows or all of ${tables}`} held by session ${pid} (${name === "" ? "unnamed" : name})`,
    );
    super(
      "DB_BUSY",
      `the database at ${describeAddress(url)} is up, and no session of this run was free for ${waitedMs / 1000} s: ${
        held.length === 0
          ? "the sessions that block them are unknown"
          : `they wait for ${held.join("; ")}`
      }`,
      {
        remedy: END_THE_BLOCKER,
      },
    );
  }
}

/** The database answers, and another session holds a row or table that the whole run needs. */
export class DatabaseLockedError extends AfterhoursError {
  override readonly name = "DatabaseLockedError";

  constructor(url: string, cause: unknown) {
    super(
      "DB_BUSY",
      `the database at ${describeAddress(url)} is up, and another session holds a row or a table that this run needs`,
      { cause, remedy: END_THE_BLOCKER },
    );
  }
}

const END_THE_BLOCKER =
  "Look for that session (pg_stat_activity, pg_blocking_pids); let it finish, or end it with pg_terminate_backend(pid). Then run again: unwritten rows are unchanged.";

/** Other sessions changed the same rows in every try. Nothing of any try was kept. */
export class WriteConflictError extends AfterhoursError {
  override readonly name = "WriteConflictError";

  constructor(tries: number, cause: unknown) {
    super("WRITE_CONFLICT", `other sessions changed the same rows in each of ${tries} tries`, {
      cause,
      remedy: "Nothing was changed. Try again in a moment.",
    });
  }
}

/** The refusal in the words of Postgres. They name a table, schema, function or database and no value. */
function refusalOf(thrown: unknown): string | undefined {
  for (const layer of layersOf(thrown)) {
    const said = /(?:permission denied|must be owner)[^\n`]*/.exec(messageOf(layer));
    if (said) return said[0].trim();
  }
  return undefined;
}

/** The user of an address. */
function describeRole(url: string): string {
  const user = URL.canParse(url) ? new URL(url).username : "";
  return user === "" ? "its login" : `role "${decoded(user)}"`;
}

/**
 * The session that `DATABASE_URL` leads to is not one that may be worked with. It is a matter of configuration:
 * the code is that of a run or command that is configured wrongly. It carries no cause, so that nobody takes it
 * for a server that cannot be reached.
 */
export class DatabaseSessionError extends AfterhoursError {
  override readonly name = "DatabaseSessionError";

  constructor(message: string, remedy: string) {
    super("MISCONFIGURED", message, { remedy });
  }

  /** The problem and its remedy, for a job and for the check. */
  get problem(): string {
    return `${this.message}. ${this.remedy ?? ""}`.trim();
  }
}

const NOTHING_WRITTEN = "This session wrote nothing.";

/** A setting that differs from ours, and that we could not set. */
export function wrongSetting(
  address: string,
  { name, expected, actual }: SettingFault,
): DatabaseSessionError {
  return new DatabaseSessionError(
    `the session of the database at ${address} has ${name} = "${actual}", and "${expected}" is needed`,
    `Find where ${name} is set (ALTER ROLE, ALTER DATABASE, the server's configuration, a trigger on login, a proxy) and take it away: ALTER ROLE … RESET ${name}. ${NOTHING_WRITTEN}`,
  );
}

/** A server whose version lacks features of the migrations and statements. */
export function tooOld(address: string, version: number): DatabaseSessionError {
  const major = Math.floor(version / 10_000);
  return new DatabaseSessionError(
    `the database at ${address} is PostgreSQL ${major}.${version % 10_000}, and PostgreSQL 14 or newer is needed`,
    `Upgrade the server, or let DATABASE_URL lead to another one. ${NOTHING_WRITTEN}`,
  );
}

/** A pooler's refusal of a session, in its own words; undefined for any other error. */
export function poolerRefusal(address: string, thrown: unknown): DatabaseSessionError | undefined {
  const said = thrown instanceof Error ? thrown.message : "";
  if (/unsupported startup parameter|command-line options/i.test(said)) {
    return new DatabaseSessionError(
      `the connection pooler at ${address} does not take the settings of the session: ${said}`,
      `Use the direct address of the database. Where it must be PgBouncer, add to its configuration: ignore_startup_parameters = extra_float_digits, options. ${NOTHING_WRITTEN}`,
    );
  }
  if (/statement pooling/i.test(said)) {
    return new DatabaseSessionError(
      `the connection pooler at ${address} takes no transactions: ${said}`,
      `Use the direct address of the database, or a pooler in session or transaction mode. ${NOTHING_WRITTEN}`,
    );
  }
  return undefined;
}

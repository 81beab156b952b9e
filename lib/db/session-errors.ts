import { AfterhoursError } from "../support/errors.ts";
import type { SettingFault } from "./session-settings.ts";

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

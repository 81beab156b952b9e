import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectionConfig } from "../../../lib/db/connection.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import {
  DatabaseNotMigratedError,
  DatabasePermissionError,
  DatabaseUnreachableError,
} from "../../../lib/db/errors.ts";
import { describeAddress } from "../../../lib/db/address.ts";
import {
  isConnectionError,
  isForEveryRow,
  isLoginRefused,
  isMissingSchema,
  isPermissionDenied,
} from "../../../lib/db/sqlstate.ts";

describe("an address as an operator reads it", () => {
  it.each([
    ["postgres://app:s3cret@db.example:6543/afterhours", "db.example:6543/afterhours"],
    ["postgres://app:s3cret@db.example/afterhours?sslmode=require", "db.example:5432/afterhours"],
    ["postgres:///afterhours", "localhost:5432/afterhours"],
    ["s3cret", "an address that is not a URL"],
  ])("of %s is %s", (url, expected) => {
    expect(describeAddress(url)).toBe(expected);
  });
});

describe("the address that the driver gets", () => {
  const config = (url: string): string | undefined =>
    connectionConfig({ url, applicationName: "x", readOnly: true }).connectionString;

  it.each([
    [
      "postgres://app:p%40ss@db.example/a",
      "postgres://app:p%40ss@db.example/a?sslmode=verify-full",
    ],
    ["postgres://db.example/a?uselibpqcompat=true", "sslmode=verify-full"],
    ["postgres://db.example/a?sslrootcert=/ca.pem", "sslmode=verify-full"],
    ["postgres://localhost/a?host=db.example", "sslmode=verify-full"],
    ["postgres://db.example/a?ssl=true", "sslmode=verify-full"],
  ])("of %s asks for a verified server, whoever opens the session", (url, expected) => {
    expect(config(url)).toContain(expected);
  });

  it.each([
    "postgres://app@127.0.0.1:5432/a",
    "postgres://app@localhost/a?sslmode=disable",
    "postgres://db.example/a?sslmode=disable",
  ])("of %s is as it was written", (url) => {
    expect(config(url)).toBe(url);
  });

  it("names a host, so that no variable of the driver does", () => {
    expect(config("postgres:///a")).toBe("postgres:///a?host=localhost");
  });
});

describe("errors of a database", () => {
  const url = "postgres://app:s3cret@db.example:5432/afterhours";

  it("name the address and the cause's code, and never the password", () => {
    const cause = Object.assign(new Error("connect"), { code: "ECONNREFUSED" });
    const unreachable = new DatabaseUnreachableError(url, cause);
    expect(unreachable.message).toBe(
      "the database at db.example:5432/afterhours cannot be reached (ECONNREFUSED)",
    );
    expect(new DatabaseUnreachableError(url, "?").message).toContain("(no answer)");
    const notMigrated = new DatabaseNotMigratedError(url, cause);
    expect(notMigrated.remedy).toContain("npm run db:migrate");
    expect(`${unreachable.message}${notMigrated.message}`).not.toContain("s3cret");
  });

  it("of a missing right name the role and what was refused, and say who may mend it", () => {
    const cause = Object.assign(
      new Error("Raw query failed. Code: `42501`. Message: `permission denied for table payouts`"),
      { code: "42501" },
    );
    const denied = new DatabasePermissionError(url, cause);
    expect(denied.message).toBe(
      'the database at db.example:5432/afterhours refuses this to role "app": permission denied for table payouts',
    );
    expect(denied.remedy).toContain("npm run db:roles");
    expect(denied.remedy).toContain("prisma/roles.sql");
    const odd = new DatabasePermissionError("postgres://50%off@db.example/a", cause);
    expect(odd.message).toContain('refuses this to role "50%off": permission denied');
    expect(new DatabasePermissionError("postgres:///afterhours", "?").message).toBe(
      "the database at localhost:5432/afterhours refuses this to its login: permission denied",
    );
    expect([isPermissionDenied(cause), isLoginRefused(cause), isConnectionError(cause)]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ["ECONNREFUSED", true],
    ["ENOTFOUND", true],
    ["08006", true], // connection failure
    ["57P01", true], // the server is shutting down
    ["57P03", true], // the server is starting up
    ["28P01", true], // wrong password
    ["3D000", true], // no such database
    ["53300", true], // too many connections
    ["57014", false], // statement timeout
    ["55P03", false], // lock timeout
    ["40001", false], // serialization failure
    ["23505", false], // unique violation
    ["22003", false], // number out of range
    ["42P01", false], // no such table
  ])("with code %s mean a lost session: %s", (code, expected) => {
    const error = Object.assign(new Error("it failed"), { code });
    expect(isConnectionError(error)).toBe(expected);
    expect(isConnectionError(new Error("wrapped", { cause: error }))).toBe(expected);
  });

  it("without a code are known by what drivers say", () => {
    expect(isConnectionError(new Error("Connection terminated unexpectedly"))).toBe(true);
    expect(isConnectionError(new Error("timeout exceeded when trying to connect"))).toBe(true);
    expect(isConnectionError(new Error("Query read timeout"))).toBe(true);
    expect(isConnectionError(new Error("row not found"))).toBe(false);
    expect(isConnectionError(undefined)).toBe(false);
  });

  it("are read with an end even when a cause is its own", () => {
    const snake = new Error("snake");
    snake.cause = snake;
    expect(isConnectionError(snake)).toBe(false);
  });

  it.each([
    ["42501", true], // privilege
    ["25006", true], // read-only
    ["08006", true], // connection failure
    ["55P03", false], // lock timeout
    ["23505", false], // unique violation
  ])("with code %s are met by every row: %s", (code, expected) => {
    expect(isForEveryRow(Object.assign(new Error("it failed"), { code }))).toBe(expected);
  });

  it.each([
    ["42P01", true], // table
    ["42703", true], // column
    ["42704", true], // type
    ["42501", false], // privilege
  ])("with code %s mean that a migration is missing: %s", (code, expected) => {
    expect(isMissingSchema({ code })).toBe(expected);
  });
});

describe("a job's session", () => {
  let database: TestDatabase;
  beforeAll(async () => void (database = await createTestDatabase()));
  afterAll(() => database.drop());

  async function inSession<T>(
    readOnly: boolean,
    work: (client: pg.Client) => Promise<T>,
  ): Promise<T> {
    const client = new pg.Client(
      connectionConfig({
        url: database.url,
        applicationName: "afterhours tests/session",
        readOnly,
      }),
    );
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  it("is named after the job, speaks UTC, and waits neither for ever for a row nor for a statement", async () => {
    const settings = await inSession(false, async (client) => {
      const { rows } = await client.query<Record<string, string>>(
        `SELECT current_setting('application_name') AS name, current_setting('timezone') AS zone,
                current_setting('lock_timeout') AS row_wait, current_setting('statement_timeout') AS statement,
                current_setting('idle_in_transaction_session_timeout') AS idle,
                current_setting('default_transaction_read_only') AS read_only`,
      );
      return rows[0];
    });
    expect(settings).toEqual({
      name: "afterhours tests/session",
      zone: "UTC",
      row_wait: "2s",
      statement: "2min",
      idle: "2min",
      read_only: "off",
    });
  });

  it("that is read-only reads, and gets an error from Postgres itself for a write", async () => {
    await inSession(true, async (client) => {
      await expect(client.query("SELECT count(*) FROM job_runs")).resolves.toBeDefined();
      await expect(
        client.query("INSERT INTO maintenance (phase) VALUES ('off')"),
      ).rejects.toMatchObject({ code: "25006" });
      await expect(client.query("SELECT pg_notify('x', 'y')")).resolves.toBeDefined();
      await expect(client.query("CREATE TABLE stray (id int)")).rejects.toMatchObject({
        code: "25006",
      });
    });
  });
});

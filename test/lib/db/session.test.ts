import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDatabase, type Db } from "../../../lib/db/client.ts";
import type { ConnectionOptions } from "../../../lib/db/connection.ts";
import { openControlPool } from "../../../lib/db/pool.ts";
import { newSession } from "../../../lib/db/session.ts";
import { settingsFor } from "../../../lib/db/session-settings.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let database: TestDatabase;
beforeAll(async () => void (database = await createTestDatabase()));
afterAll(() => database.drop());
beforeEach(async () => {
  await database.query(`ALTER DATABASE ${database.name} RESET ALL`);
});

const options = (given: Partial<ConnectionOptions> = {}): ConnectionOptions => ({
  url: database.url,
  applicationName: "afterhours tests/session",
  readOnly: false,
  ...given,
});

async function inDatabase<T>(
  given: Partial<ConnectionOptions>,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const db = openDatabase({ ...options(given), connections: 1 });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

async function settingsOf(given: Partial<ConnectionOptions> = {}): Promise<Map<string, string>> {
  return inDatabase(given, async (db) => {
    const rows = await db.query<{ name: string; setting: string }[]>`
      SELECT name, current_setting(name) AS setting FROM pg_settings`;
    return new Map(rows.map(({ name, setting }) => [name, setting]));
  });
}

/** What a database, a role or an address may say of a setting, other than what we need. */
const HOSTILE: Readonly<Record<string, string>> = {
  DateStyle: "SQL, DMY",
  IntervalStyle: "iso_8601",
  TimeZone: "Asia/Kolkata",
  search_path: "marketplace, public",
  client_encoding: "LATIN1",
  bytea_output: "escape",
  extra_float_digits: "-15",
  standard_conforming_strings: "off",
  backslash_quote: "on",
  array_nulls: "off",
  transform_null_equals: "on",
  quote_all_identifiers: "on",
  lc_monetary: "C.UTF-8",
  lc_numeric: "C.UTF-8",
  lc_time: "C.UTF-8",
  row_security: "off",
  default_transaction_isolation: "serializable",
  default_transaction_deferrable: "on",
  default_transaction_read_only: "off",
  exit_on_error: "on",
  synchronous_commit: "off",
  lock_timeout: "1h",
  statement_timeout: "1h",
  idle_in_transaction_session_timeout: "1h",
  idle_session_timeout: "1h",
  transaction_timeout: "1h",
};

describe.each([
  ["a job", { readOnly: false }],
  ["a dry run", { readOnly: true }],
  ["an administrator", { readOnly: false, purpose: "administration" as const }],
])("the session of %s", (_, rules) => {
  const pinned = settingsFor(rules).filter(({ set }) => set !== "read");
  const expected = Object.fromEntries(pinned.map(({ name, value }) => [name, value]));
  const actual = async (given: Partial<ConnectionOptions>): Promise<unknown> => {
    const there = await settingsOf({ ...rules, ...given });
    return Object.fromEntries(pinned.map(({ name }) => [name, there.get(name)]));
  };
  const hostile = pinned.map(({ name }) => {
    const value = HOSTILE[name] ?? "";
    expect(value, name).not.toBe("");
    return { name, value };
  });

  it("is ours whatever the database says", async () => {
    for (const { name, value } of hostile) {
      const list = name === "search_path" ? value : `'${value}'`;
      await database.query(`ALTER DATABASE ${database.name} SET ${name} = ${list}`);
    }
    expect(await actual({})).toEqual(expected);
  });

  it("is ours whatever the role says", async () => {
    const [row] = await database.query<{ role: string }>("SELECT current_user AS role");
    const role = `ALTER ROLE ${row?.role ?? ""} IN DATABASE ${database.name}`;
    try {
      for (const { name, value } of hostile) {
        const list = name === "search_path" ? value : `'${value}'`;
        await database.query(`${role} SET ${name} = ${list}`);
      }
      expect(await actual({})).toEqual(expected);
    } finally {
      await database.query(`${role} RESET ALL`);
    }
  });

  it("is ours whatever the address says", async () => {
    const url = new URL(database.url);
    const asked = hostile.map(({ name, value }) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`);
    url.searchParams.set("options", asked.join(" "));
    for (const [name, value] of [
      ["statement_timeout", "7200000"],
      ["lock_timeout", "7200000"],
      ["idle_in_transaction_session_timeout", "7200000"],
      ["client_encoding", "LATIN1"],
      ["application_name", "somebody else"],
      ["replication", "database"],
      ["query_timeout", "1"],
    ] as const) {
      url.searchParams.set(name, value);
    }
    expect(await actual({ url: url.href })).toEqual(expected);
    const there = await settingsOf({ ...rules, url: url.href });
    expect(there.get("application_name")).toBe("afterhours tests/session");
  });

  it("keeps what the address says by `options` of other things", async () => {
    const url = new URL(database.url);
    url.searchParams.set("options", "-c work_mem=5MB");
    const there = await settingsOf({ ...rules, url: url.href });
    expect(there.get("work_mem")).toBe("5MB");
  });
});

describe("a setting that cannot be set", () => {
  it("ends the session, and is named", async () => {
    await database.query(
      `ALTER DATABASE ${database.name} SET session_replication_role = 'replica'`,
    );
    for (const open of [
      () => inDatabase({}, (db) => db.query`SELECT 1`),
      () => inDatabase({ readOnly: true }, (db) => db.connect()),
      () => openControlPool(options(), { random: () => 0.5 }),
      () => newSession(options()).connect(),
    ]) {
      await expect(open()).rejects.toMatchObject({
        code: "MISCONFIGURED",
        message: expect.stringContaining(
          'has session_replication_role = "replica", and "origin" is needed',
        ) as string,
        remedy: expect.stringContaining("RESET session_replication_role") as string,
      });
    }
  });

  it("is a database that somebody made read-only, which only a dry run may use", async () => {
    await database.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`);
    await expect(inDatabase({}, (db) => db.connect())).rejects.toMatchObject({
      code: "DB_READ_ONLY",
    });
    await expect(inDatabase({ readOnly: true }, (db) => db.connect())).resolves.toBeUndefined();
  });
});

it("a dry run through an address with `options` cannot write", async () => {
  const url = `${database.url}?options=-c%20search_path%3Dpublic`;
  await inDatabase({ url, readOnly: true }, async (db) => {
    await expect(db.execute`INSERT INTO maintenance (phase) VALUES ('off')`).rejects.toMatchObject({
      code: "25006",
    });
  });
});

it("asks one question before the first statement, and the warm-up of a job none besides", async () => {
  const asked: string[] = [];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- only ever called with its own `this`.
  const send = pg.Client.prototype.query as (...args: unknown[]) => unknown;
  const count = function (this: pg.Client, ...args: unknown[]): unknown {
    const [statement] = args;
    asked.push(typeof statement === "string" ? statement : (statement as { text: string }).text);
    return send.apply(this, args);
  };
  Object.assign(pg.Client.prototype, { query: count });
  try {
    await inDatabase({}, async (db) => {
      await db.connect();
      expect(asked).toEqual([expect.stringContaining("SELECT pg_backend_pid() AS pid")]);
      await db.connect();
      await db.query`SELECT 1`;
    });
  } finally {
    Object.assign(pg.Client.prototype, { query: send });
  }
  expect(asked).toHaveLength(process.env["TEST_POSTGRES_URL"] === undefined ? 2 : asked.length);
});

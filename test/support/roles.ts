import { randomUUID } from "node:crypto";
import pg from "pg";
import { applyRoles, type Group } from "../../scripts/cli/schema/roles.ts";
import type { TestDatabase } from "./database.ts";

/** A login of its own in one of the groups of `prisma/roles.sql`. */
export interface Login {
  readonly name: string;
  /** Of the test's database, as this login. */
  readonly url: string;
  /** The SQLSTATE with which a statement is refused, or `done`. Its changes are rolled back. */
  tries(...statements: readonly string[]): Promise<string>;
}

export interface Logins {
  /** Of this group, made once; of none: a bare login. */
  login(group: Group | null): Promise<Login>;
  /** Drops the logins. Before the database is dropped: their sessions end first. */
  drop(): Promise<void>;
}

/** Gives a database the rights of `prisma/roles.sql`, and makes logins as an operator would. */
export async function createLogins(database: TestDatabase): Promise<Logins> {
  await applyRoles({ url: database.url });
  const made = new Map<Group | null, Login>();
  const clients: pg.Client[] = [];
  return {
    login: async (group) => {
      const known = made.get(group);
      if (known) return known;
      const login = await createLogin(database, { group, clients });
      made.set(group, login);
      return login;
    },
    drop: async () => {
      for (const client of clients.splice(0)) await client.end();
      for (const { name } of made.values()) await database.query(`DROP ROLE ${name}`);
    },
  };
}

async function createLogin(
  database: TestDatabase,
  { group, clients }: { group: Group | null; clients: pg.Client[] },
): Promise<Login> {
  const name = `login_${randomUUID().replaceAll("-", "")}`;
  const password = randomUUID();
  const membership = group === null ? "" : `IN ROLE ${group}`;
  await database.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' ${membership}`);
  if (group === "afterhours_readonly") {
    await database.query(`ALTER ROLE ${name} SET default_transaction_read_only = on`);
  }
  const url = new URL(database.url);
  url.username = name;
  url.password = password;
  let opening: Promise<pg.Client> | undefined;
  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    clients.push(client);
    return client;
  };
  return {
    name,
    url: url.href,
    tries: async (...statements) => {
      const client = await (opening ??= open());
      await client.query("BEGIN");
      try {
        for (const statement of statements) await client.query(statement);
        await client.query("SET CONSTRAINTS ALL IMMEDIATE");
        return "done";
      } catch (error) {
        if (error instanceof pg.DatabaseError && error.code !== undefined) return error.code;
        throw error;
      } finally {
        await client.query("ROLLBACK");
      }
    },
  };
}

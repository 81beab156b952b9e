import { describe, expect, inject, it, onTestFinished } from "vitest";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { createTestDatabase } from "../../support/database.ts";
import { createLogins } from "../../support/roles.ts";
import type { ScriptResult } from "../../support/run-script.ts";
import { runScript } from "../../support/run-script.ts";

function db(command: string, databaseUrl?: string): Promise<ScriptResult> {
  return runScript("scripts/dev/migrate/main.ts", {
    args: [command],
    env: databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl },
  });
}

describe("db:migrate", () => {
  it("says which migrations it applied, and that there is nothing left the second time", async () => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      const first = await db("apply", url);
      expect(first).toMatchObject({ exitCode: 0, stderr: "" });
      expect(first.stdout).toContain("Applied 20261122000000_init\n");
      const second = await db("apply", url);
      expect(second.stdout).toBe("Nothing to apply: the database is up to date.\n");
    });
  });

  it.each([
    ["missing", undefined, "DATABASE_URL is not set"],
    ["empty", "", "DATABASE_URL is not set"],
    ["no address", "secret-text", "DATABASE_URL is not a PostgreSQL URL"],
    [
      "of another kind",
      "mysql://me:secret-text@localhost/x",
      "DATABASE_URL is not a PostgreSQL URL",
    ],
    [
      "unprotected",
      "postgresql://me:secret-text@db.example.com/a?sslmode=disable",
      "add db.example.com to ALLOW_PLAINTEXT",
    ],
    ["without a database", "postgresql://me:secret-text@localhost", "DATABASE_URL is not"],
  ])("ends with 2 when DATABASE_URL is %s", async (_, url, message) => {
    const { exitCode, stdout, stderr } = await db("apply", url);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    expect(stdout + stderr).not.toContain("secret-text");
  });

  it("ends with 1 when nobody listens, naming host and port and not the password", async () => {
    const { exitCode, stderr } = await db("apply", "postgresql://me:secret-text@127.0.0.1:9/x");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("127.0.0.1:9");
    expect(stderr).not.toContain("secret-text");
  });

  it("ends with 1 when the password is wrong, without showing it", async () => {
    const url = new URL(inject("postgresUrl"));
    url.password = "secret-text";
    const { exitCode, stderr } = await db("apply", url.href);
    expect(exitCode).toBe(1);
    expect(stderr).toContain("refuses the login (28P01)");
    expect(stderr).not.toContain("secret-text");
  });

  it("ends with 2 when the command is unknown", async () => {
    expect(await db("up")).toMatchObject({ exitCode: 2 });
  });
});

describe("db:check and db:diff", () => {
  it("agree without DATABASE_URL, on a server of their own", async () => {
    expect(await db("check")).toEqual({
      exitCode: 0,
      stdout: "The migrations and prisma/schema agree.\n",
      stderr: "",
    });
  });

  it("agree on the server in DATABASE_URL", async () => {
    const { exitCode, stdout } = await db("diff", inject("postgresUrl"));
    expect(exitCode).toBe(0);
    expect(stdout).toBe("-- Nothing to do: the migrations lead to prisma/schema.\n");
  });
});

describe("db:roles", () => {
  it("gives the roles their rights, again and again", async () => {
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    for (let time = 0; time < 2; time++) {
      expect(await db("roles", database.url)).toMatchObject({
        exitCode: 0,
        stdout:
          "afterhours_readonly, afterhours_jobs, afterhours_payees, afterhours_approvers, afterhours_tax, afterhours_operators: their rights are those of prisma/roles.sql.\n",
        stderr: "",
      });
    }
    const may = "SELECT has_table_privilege('afterhours_jobs', 'payouts', 'SELECT') AS may";
    expect(await database.query(may)).toEqual([{ may: true }]);
  });

  it("ends with 1 before the migrations, and for who may not give rights", async () => {
    await withScratchDatabase(inject("postgresUrl"), async (url) => {
      const early = await db("roles", url);
      expect(early).toMatchObject({ exitCode: 1, stdout: "" });
      expect(early.stderr).toContain("npm run db:migrate");
    });
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const logins = await createLogins(database);
    onTestFinished(() => logins.drop());
    const { url } = await logins.login("afterhours_operators");
    const other = await db("roles", url);
    expect(other).toMatchObject({ exitCode: 1, stdout: "" });
    expect(other.stderr).toContain("permission denied");
    expect(other.stderr).toContain("is not the owner of database");
    // What is wrong, and what to do: no warning for each column.
    expect(other.stderr.trim().split("\n")).toHaveLength(2);
    expect(other.stderr).toContain("as the owner of the database");
  });
});

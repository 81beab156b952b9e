import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { connectAdmin } from "../../../scripts/cli/frame/database-url.ts";
import { applyRoles, GROUPS } from "../../../scripts/cli/schema/roles.ts";
import { startPostgres, type RunningPostgres } from "../../../scripts/dev/services/postgres.ts";

/** A server of its own: roles belong to all of a server. */
let postgres: RunningPostgres;
let ownerUrl: string;

beforeAll(async () => {
  postgres = await startPostgres({ durability: "none" });
  await asAdmin(postgres.url, "CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'x'");
  await asAdmin(postgres.url, "CREATE DATABASE afterhours OWNER owner");
  const url = new URL(postgres.urlOf("afterhours"));
  url.username = "owner";
  url.password = "x";
  ownerUrl = url.href;
  await migrate({ url: ownerUrl });
});
afterAll(() => postgres.stop());

async function asAdmin(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const admin = await connectAdmin(url);
  try {
    return (await admin.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await admin.end();
  }
}

describe("the roles of a fresh server", () => {
  it("are made by the owner of the database, who is no superuser, and need no second time", async () => {
    const said: string[] = [];
    for (let time = 0; time < 2; time++) {
      await applyRoles({ url: ownerUrl, say: (line) => said.push(line) });
    }
    // Only a superuser can take large objects away: the owner is told the statement.
    const told = expect.stringMatching(
      /^Not taken away: every login can still write large objects.*REVOKE EXECUTE ON FUNCTION lo_creat/,
    ) as string;
    expect(said).toEqual([told, told]);
    expect(
      await asAdmin(
        ownerUrl,
        "SELECT rolname FROM pg_roles WHERE rolname ~ '^afterhours' ORDER BY 1",
      ),
    ).toEqual([...GROUPS].sort().map((rolname) => ({ rolname })));
  });

  it("get the logins of docs/security.md by the statements that stand there", async () => {
    const page = await readFile(new URL("../../../docs/security.md", import.meta.url), "utf8");
    const blocks = [...page.matchAll(/```sql\n([^`]+)```/g)].map(([, sql = ""]) => sql);
    expect(blocks.length).toBeGreaterThan(0);
    for (const sql of blocks) await asAdmin(ownerUrl, sql);
    expect(
      await asAdmin(
        ownerUrl,
        `SELECT login.rolname AS login, held.rolname AS "group", login.rolconfig AS settings
         FROM pg_auth_members AS of JOIN pg_roles AS login ON login.oid = of.member AND login.rolcanlogin
         JOIN pg_roles AS held ON held.oid = of.roleid
         WHERE login.rolname <> 'owner' ORDER BY 1`,
      ),
    ).toEqual([
      {
        login: "afterhours_dry",
        group: "afterhours_readonly",
        settings: ["default_transaction_read_only=on"],
      },
      { login: "afterhours_night", group: "afterhours_jobs", settings: null },
      { login: "asha", group: "afterhours_operators", settings: null },
    ]);
  });

  it("are refused, and no right is given, where a group of theirs can log in", async () => {
    await asAdmin(postgres.url, "ALTER ROLE afterhours_jobs LOGIN");
    await asAdmin(ownerUrl, "REVOKE SELECT ON payouts FROM afterhours_readonly");
    const applied = applyRoles({ url: ownerUrl });
    await expect(applied).rejects.toMatchObject({ code: "ROLES_NOT_APPLIED" });
    await expect(applied).rejects.toThrow("role afterhours_jobs is there and is no group");
    expect(
      await asAdmin(
        ownerUrl,
        "SELECT has_table_privilege('afterhours_readonly', 'payouts', 'SELECT') AS may",
      ),
    ).toEqual([{ may: false }]);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openDatabase } from "../../lib/db/client.ts";
import { checkLines, type CheckFinding } from "../../scripts/cli/jobs/check/finding.ts";
import { checkRole } from "../../scripts/cli/jobs/check/role.ts";
import { GROUPS } from "../../scripts/cli/schema/roles.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createLogins, type Logins } from "../support/roles.ts";

describe("the role part of npm run jobs -- check", () => {
  let database: TestDatabase;
  let logins: Logins;
  beforeEach(async () => {
    database = await createTestDatabase();
    logins = await createLogins(database);
  });
  afterEach(async () => {
    await logins.drop();
    await database.drop();
  });
  /** As the command does: it only reads, and a login of readers may do no more. */
  const check = async (url: string): Promise<CheckFinding> => {
    const applicationName = "afterhours jobs check";
    const db = openDatabase({ url, applicationName, readOnly: true, connections: 1 });
    try {
      return await checkRole(db);
    } finally {
      await db.close();
    }
  };

  it.each(GROUPS)("takes a login of %s for what it is", async (group) => {
    const { url, name } = await logins.login(group);
    const detail = `${name} may do what ${group} may, and can not alter the schema`;
    expect(await check(url)).toEqual({ part: "role", state: "ok", detail });
  });

  it("warns of a superuser, which is no fault", async () => {
    const finding = await check(database.url);
    expect(finding).toMatchObject({ state: "warning" });
    expect(finding.detail).toContain("is a superuser, which no job needs");
    expect(checkLines([finding]).at(-1)).toBe("0 ok, 0 wrong, 1 to improve, 0 not checked");
  });

  it("warns of a login that is in no group, makes roles, owns a table or can make one", async () => {
    const { url, name } = await logins.login(null);
    const said = async (): Promise<string> => (await check(url)).detail;
    expect(await said()).toBe(`${name} is no member of the roles of prisma/roles.sql`);
    await database.query(`ALTER ROLE ${name} CREATEROLE`);
    expect(await said()).toContain(`${name} can make roles, which no job needs`);
    await database.query(
      `ALTER ROLE ${name} NOCREATEROLE; GRANT CREATE ON SCHEMA public TO ${name}`,
    );
    expect(await said()).toContain(`${name} can create objects, which no job needs`);
    await database.query(`
      REVOKE CREATE ON SCHEMA public FROM ${name}; ALTER TABLE findings OWNER TO ${name}`);
    expect(await said()).toContain(`${name} owns the tables, which no job needs`);
    await database.query("ALTER TABLE findings OWNER TO CURRENT_USER");
  });

  it("warns of a login that can make temporary tables or large objects", async () => {
    const { url, name } = await logins.login("afterhours_jobs");
    await database.query(`GRANT TEMPORARY ON DATABASE ${database.name} TO ${name}`);
    expect(await check(url)).toMatchObject({
      state: "warning",
      detail: expect.stringContaining(`${name} can make temporary tables`) as string,
    });
    await database.query(`REVOKE TEMPORARY ON DATABASE ${database.name} FROM ${name}`);
    await database.query("GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC");
    expect(await check(url)).toMatchObject({
      state: "warning",
      detail: expect.stringContaining(`${name} can write large objects`) as string,
    });
  });

  it("names each group of a login that is in several", async () => {
    const { url, name } = await logins.login("afterhours_payees");
    await database.query(`GRANT afterhours_tax TO ${name}`);
    expect((await check(url)).detail).toContain("what afterhours_payees and afterhours_tax may,");
  });
});

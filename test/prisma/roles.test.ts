import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyRoles } from "../../scripts/cli/schema/roles.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { seedPayee, type SeededPayee } from "../support/payout-world.ts";
import { createLogins, type Login, type Logins } from "../support/roles.ts";

/** What PostgreSQL says: no right; a read-only session; a rule of ours. */
const NO_RIGHT = "42501";
const READ_ONLY = "25006";
const REFUSED = "23514";
/** So that it is the missing right which refuses, and not the setting of the login. */
const READ_WRITE = "SET TRANSACTION READ WRITE";

let database: TestDatabase;
let logins: Logins;
let reader: Login;
let job: Login;
let operator: Login;
let payee: SeededPayee;

beforeAll(async () => {
  database = await createTestDatabase();
  logins = await createLogins(database);
  reader = await logins.login("afterhours_readonly");
  job = await logins.login("afterhours_jobs");
  operator = await logins.login("afterhours_operators");
  payee = await seedPayee(database);
});
afterAll(async () => {
  await logins.drop();
  await database.drop();
});

const everybody = (): [string, Login][] => [
  ["readonly", reader],
  ["jobs", job],
  ["operators", operator],
];

async function expectAll(statement: string, expected: string): Promise<void> {
  for (const [group, login] of everybody())
    expect([group, await login.tries(READ_WRITE, statement)]).toEqual([group, expected]);
}

async function tables(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename",
  );
  return rows.map(({ name }) => name);
}

describe("no login of any group can", () => {
  it.each([
    "CREATE TABLE copies AS SELECT 1 AS x",
    "CREATE TEMPORARY TABLE copies (x int)",
    "CREATE SCHEMA mine",
    "CREATE EXTENSION pg_stat_statements",
    "CREATE FUNCTION india_today() RETURNS date LANGUAGE sql RETURN current_date",
    "ALTER TABLE payouts ADD COLUMN note text",
    "ALTER TABLE payouts DROP CONSTRAINT payouts_net_plus_tax",
    "ALTER FUNCTION guard_settled_attempt() SECURITY DEFINER",
    "CREATE INDEX ON payouts (tries)",
    "DROP TABLE findings",
    "DROP VIEW earnings_net",
    "DROP TRIGGER ledger_entries_append_only ON ledger_entries",
    "CREATE TRIGGER mine BEFORE INSERT ON payouts FOR EACH ROW EXECUTE FUNCTION refuse_change()",
  ])("alter the schema (%s)", (statement) => expectAll(statement, NO_RIGHT));

  it.each([
    "ALTER TABLE ledger_entries DISABLE TRIGGER ALL",
    "ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_settled_once",
    "SET session_replication_role = replica",
  ])("switch off a trigger (%s)", (statement) => expectAll(statement, NO_RIGHT));

  it.each([
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "CREATE ROLE mine LOGIN",
    "ALTER ROLE afterhours_jobs CREATEDB",
    "GRANT afterhours_jobs TO afterhours_readonly",
    "ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO afterhours_jobs",
  ])("get more rights (%s)", (statement) => expectAll(statement, NO_RIGHT));

  it("give a right away that it has not", async () => {
    // PostgreSQL only warns of it.
    const grant = "GRANT UPDATE ON ledger_entries TO afterhours_jobs";
    const update = "UPDATE ledger_entries SET amount_paise = 1";
    for (const [group, login] of everybody())
      expect([group, await login.tries(READ_WRITE, grant, update)]).toEqual([group, NO_RIGHT]);
  });

  it.each([
    "COPY payout_accounts TO PROGRAM 'cat'",
    "COPY payout_accounts TO '/tmp/accounts'",
    "SELECT pg_read_file('/etc/hostname')",
    "SELECT lo_import('/etc/hostname')",
  ])("reach the server's files (%s)", (statement) => expectAll(statement, NO_RIGHT));

  it.each([
    "UPDATE ledger_transactions SET kind = 'other'",
    "UPDATE ledger_entries SET amount_paise = 1",
    "UPDATE ledger_accounts SET consultant_id = NULL",
    "UPDATE audit_log SET actor = 'somebody else'",
    "UPDATE provider_transactions SET debit_paise = 0",
    "UPDATE provider_days SET closing_paise = 0",
    "UPDATE released_slots SET released_by = 'nobody'",
    "UPDATE earning_refunds SET amount_paise = 1",
    "UPDATE tax_deposits SET amount_paise = 1",
    "UPDATE tax_deductions SET tax_paise = 0",
    "UPDATE payout_attempts SET amount_paise = 1",
    "INSERT INTO audit_log (at, actor, category, action, subject_type, subject_id) VALUES (now() - interval '1 year', 'x', 'x', 'x', 'x', 'x')",
    "INSERT INTO ledger_transactions (key, kind, posted_at) VALUES ('x', 'x', now() - interval '1 year')",
    "SELECT setval('ledger_entries_id_seq', 1)",
    "LOCK TABLE ledger_entries IN ACCESS EXCLUSIVE MODE",
  ])("rewrite the books, the audit log or what was recorded (%s)", (statement) =>
    expectAll(statement, NO_RIGHT),
  );
});

describe("a login of the jobs", () => {
  const CLAIM = `UPDATE payouts SET status = 'PROCESSING', claimed_by = '00000000-0000-4000-8000-000000000001',
    claimed_at = now(), tax_paise = 0, net_paise = amount_paise WHERE status = 'APPROVED'`;
  const attempt = (): string => `INSERT INTO payout_attempts
      (payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id, mode, amount_paise,
       request_hash, request_body)
    SELECT id, 1, '${payee.payoutAccountId ?? ""}', claimed_by, id, id, 'IMPS', net_paise, repeat('0', 64), '{}'
    FROM payouts WHERE status = 'PROCESSING'`;
  const PAID = `UPDATE payout_attempts
    SET state = 'PROCESSED', provider_payout_id = 'pout_1', provider_status = 'processed', settled_at = now()`;

  it("records an attempt and its answer, and can not touch what is settled", async () => {
    const settled = [CLAIM, attempt(), PAID];
    expect(await job.tries(...settled)).toBe("done");
    for (const change of ["utr = 'x'", "fees_paise = 0", "failure_code = 'x'", "state = 'FAILED'"])
      expect([change, await job.tries(...settled, `UPDATE payout_attempts SET ${change}`)]).toEqual(
        [change, REFUSED],
      );
    expect(await job.tries(...settled, "DELETE FROM payout_attempts")).toBe(NO_RIGHT);
    expect(await job.tries(...settled, "UPDATE payout_attempts SET state = 'REVERSED'")).toBe(
      "done",
    );
  });

  it("can not approve what waits for a person", async () => {
    await seedPayee(database, { payouts: [{ status: "PENDING" }] });
    const approve = "UPDATE payouts SET status = 'APPROVED' WHERE status = 'PENDING'";
    expect(await job.tries(approve)).toBe(REFUSED);
    expect(await operator.tries(approve.replace("SET", "SET approved_at = now(),"))).toBe("done");
  });
});

describe("a login for dry runs", () => {
  it("reads every table and view", async () => {
    for (const table of [...(await tables()), "earnings_net"])
      expect([table, await reader.tries(`SELECT count(*) FROM ${table}`)]).toEqual([table, "done"]);
  });

  it("is read-only unless it says otherwise, and then has no right to write", async () => {
    expect(await reader.tries("UPDATE payouts SET tries = 0")).toBe(READ_ONLY);
    expect(await reader.tries(READ_WRITE, "UPDATE payouts SET tries = 0")).toBe(NO_RIGHT);
    expect(await reader.tries(READ_WRITE, "SELECT nextval('audit_log_id_seq')")).toBe(NO_RIGHT);
  });
});

describe("a login of a person", () => {
  it.each([
    "UPDATE payouts SET status = 'REJECTED' WHERE status = 'APPROVED'",
    "UPDATE payouts SET approved_at = now()",
    "INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by) SELECT id, 'manual', 'x', 'x' FROM consultants",
    "INSERT INTO maintenance (phase) VALUES ('offline')",
    "INSERT INTO consultants (external_ref, name) VALUES ('new', 'New')",
    "UPDATE payout_accounts SET active = false",
  ])("can do what people do (%s)", async (statement) => {
    expect(await operator.tries(statement)).toBe("done");
  });
});

describe("prisma/roles.sql", () => {
  it("can be run again, and takes away what it does not name", async () => {
    const before = await rights();
    await applyRoles({ url: database.url });
    expect(await rights()).toEqual(before);

    const update = "UPDATE ledger_entries SET amount_paise = 1 WHERE false";
    await database.query(
      "GRANT UPDATE ON ledger_entries TO afterhours_jobs; GRANT UPDATE (name), DELETE ON consultants TO PUBLIC",
    );
    expect(await rights()).not.toEqual(before);
    // The trigger refuses it all the same.
    expect(await job.tries(update)).toBe(REFUSED);
    await Promise.all([1, 2].map(() => applyRoles({ url: database.url })));
    expect(await rights()).toEqual(before);
    expect(await job.tries(update)).toBe(NO_RIGHT);
  });

  it("lets a table of a later migration be read, and not be written to until it names it", async () => {
    await database.query("CREATE TABLE of_a_later_migration (x int)");
    try {
      for (const [group, login] of everybody()) {
        expect([group, await login.tries("SELECT * FROM of_a_later_migration")]).toEqual([
          group,
          "done",
        ]);
        const insert = "INSERT INTO of_a_later_migration VALUES (1)";
        expect([group, await login.tries(READ_WRITE, insert)]).toEqual([group, NO_RIGHT]);
      }
    } finally {
      await database.query("DROP TABLE of_a_later_migration");
    }
  });
});

/** Every right on the database, its schema, tables, columns and sequences. */
function rights(): Promise<unknown[]> {
  return database.query(`
    SELECT relname, relacl::text, ARRAY(
      SELECT attname || attacl::text FROM pg_attribute
      WHERE attrelid = pg_class.oid AND attacl IS NOT NULL AND attacl <> '{}' ORDER BY attnum) AS columns
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT nspname, nspacl::text, '{}' FROM pg_namespace WHERE nspname = 'public'
    UNION ALL SELECT 'database', datacl::text, '{}' FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 'default', defaclacl::text, '{}' FROM pg_default_acl
    ORDER BY 1`);
}

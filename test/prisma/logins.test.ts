import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { GROUPS, type Group } from "../../scripts/cli/schema/roles.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { seedFinding } from "../support/ops.ts";
import { seedPayee, type SeededPayee } from "../support/payout-world.ts";
import { createLogins, type Logins } from "../support/roles.ts";

let database: TestDatabase;
let logins: Logins;
let payee: SeededPayee;

beforeAll(async () => {
  database = await createTestDatabase();
  logins = await createLogins(database);
  payee = await seedPayee(database, { payouts: [{ status: "PENDING" }] });
  await database.query("INSERT INTO organizations (external_ref, name) VALUES ('acme', 'Acme')");
  await seedFinding(database, { subjectId: "p", seenDaysAgo: 1 });
});
afterAll(async () => {
  await logins.drop();
  await database.drop();
});

const ofPayee = (): string => `'${payee.consultantId}'`;

/** A statement that writes each column of a login, and the group whose right that is. */
const WRITES: readonly [column: string, group: Group, statement: () => string][] = [
  [
    "audit_log.login",
    "afterhours_jobs",
    () =>
      "INSERT INTO audit_log (actor, category, action, subject_type, subject_id) VALUES ('cfo', 'x', 'x', 'x', 'x')",
  ],
  [
    "consultant_holds.placed_login",
    "afterhours_approvers",
    () =>
      `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by) VALUES (${ofPayee()}, 'manual', 'x', 'cfo')`,
  ],
  [
    "consultant_holds.released_login",
    "afterhours_approvers",
    () => "UPDATE consultant_holds SET released_at = now(), released_by = 'cfo'",
  ],
  [
    "earnings.created_login",
    "afterhours_payees",
    () =>
      `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
       VALUES (${ofPayee()}, 'BK-9', '2026-06-15', 100000, 10000, 90000)`,
  ],
  [
    "findings.resolved_login",
    "afterhours_operators",
    () => "UPDATE findings SET resolved_at = now(), resolved_by = 'cfo', resolution = 'x'",
  ],
  [
    "job_runs.login",
    "afterhours_jobs",
    () => "INSERT INTO job_runs (id, job, owner) VALUES (gen_random_uuid(), 'x', 'cfo')",
  ],
  [
    "lower_deduction_certificates.changed_login",
    "afterhours_tax",
    () =>
      `INSERT INTO lower_deduction_certificates (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)
       VALUES (${ofPayee()}, 'CERT-1', 5, '2026-04-01', '2027-03-31', 100000)`,
  ],
  [
    "maintenance.updated_login",
    "afterhours_operators",
    () => "INSERT INTO maintenance (phase, updated_by) VALUES ('degraded', 'cfo')",
  ],
  [
    "organizations.payee_login",
    "afterhours_approvers",
    () => `UPDATE organizations SET payee_id = ${ofPayee()}`,
  ],
  [
    "payout_account_holds.placed_login",
    "afterhours_jobs",
    () =>
      `INSERT INTO payout_account_holds (payout_account_id, payout_id, reason, placed_by)
       VALUES ('${payee.payoutAccountId ?? ""}', '${payee.payouts[0]?.id ?? ""}', 'x', 'cfo')`,
  ],
  [
    "payout_account_holds.released_login",
    "afterhours_approvers",
    () => "UPDATE payout_account_holds SET released_at = now(), released_by = 'cfo'",
  ],
  [
    "payout_accounts.placed_login",
    "afterhours_payees",
    () =>
      `UPDATE payout_accounts SET active = false;
       INSERT INTO payout_accounts (consultant_id, kind, vpa) VALUES (${ofPayee()}, 'vpa', 'a@examplebank')`,
  ],
  [
    "payouts.approved_login",
    "afterhours_approvers",
    () => "UPDATE payouts SET status = 'APPROVED', approved_at = now() WHERE status = 'PENDING'",
  ],
  [
    "tax_deposits.recorded_login",
    "afterhours_tax",
    () =>
      `INSERT INTO tax_deposits (month, section, code, amount_paise, challan_reference, deposited_on, recorded_by)
       VALUES ('2026-06-01', 'x', 'x', 1, 'x', '2026-07-01', 'cfo')`,
  ],
];

it("is written beside every name", async () => {
  const columns = await database.query<{ column: string }>(
    `SELECT table_name || '.' || column_name AS "column" FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name ~ '(^|_)login$' ORDER BY 1`,
  );
  expect(columns.map(({ column }) => column)).toEqual(WRITES.map(([column]) => column));
});

it.each(WRITES)(
  "is that of the session, and no group can write it: %s",
  async (of, group, statement) => {
    const [table = "", column = ""] = of.split(".");
    const { name, url } = await logins.login(group);
    await asLogin(url, statement());
    const written = await database.query(
      `SELECT 1 FROM ${table} WHERE ${column} = $1 AND ${column} <> session_user`,
      [name],
    );
    expect(written).toHaveLength(1);
    for (const each of GROUPS) {
      const login = await logins.login(each);
      const write = `UPDATE ${table} SET ${column} = 'cfo' WHERE false`;
      const insert = `INSERT INTO ${table} (${column}) SELECT 'cfo' WHERE false`;
      for (const other of [write, insert])
        expect([each, await login.tries("SET TRANSACTION READ WRITE", other)]).toEqual([
          each,
          "42501",
        ]);
    }
  },
);

it("is left by an approval in SQL, past the rule of four eyes", async () => {
  const { name, url } = await logins.login("afterhours_operators");
  const other = await seedPayee(database, { payouts: [{ status: "PENDING" }] });
  const id = other.payouts[0]?.id ?? "";
  await database.query("UPDATE earnings SET created_login = $1", [name]);
  await asLogin(
    url,
    `UPDATE payouts SET status = 'APPROVED', approved_at = now() WHERE id = '${id}'`,
  );
  expect(await database.query("SELECT approved_login FROM payouts WHERE id = $1", [id])).toEqual([
    { approved_login: name },
  ]);
});

async function asLogin(url: string, statements: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statements);
  } finally {
    await client.end();
  }
}

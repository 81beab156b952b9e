import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { QUESTIONS } from "../../lib/ledger/audit/questions.ts";
import { startSandbox, type Sandbox } from "../../scripts/sandbox/razorpay/index.ts";
import { seedWallet } from "../../scripts/dev/seed/bookings.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runPayouts, seedApprovedPayouts, seedPayee } from "../support/payout-world.ts";
import { createLogins, type Logins } from "../support/roles.ts";
import { runScript } from "../support/run-script.ts";

let database: TestDatabase;
let sandbox: Sandbox;
let logins: Logins;
let reader: string;

beforeAll(async () => {
  database = await createTestDatabase();
  sandbox = await startSandbox();
  logins = await createLogins(database);
  reader = (await logins.login("afterhours_readonly")).url;
  await seedApprovedPayouts(database, { count: 3 });
  await seedPayee(database, { panStatus: "missing" });
  await runPayouts({ database, sandbox });
  await seedPayee(database);
  await seedWallet(database, { balancePaise: 700n });
});
afterAll(async () => {
  await sandbox.close();
  await logins.drop();
  await database.drop();
});

const audit = (env: Record<string, string> = { AUDIT_DATABASE_URL: reader }, args: string[] = []) =>
  runScript("scripts/cli/ledger-audit.ts", { args, env });

/** Does what the database refuses, as its owner could. */
async function forge(statements: string): Promise<void> {
  await database.query(
    `SET session_replication_role = replica; ${statements}; SET session_replication_role = DEFAULT`,
  );
}

const ONE = "(SELECT min(id::text)::uuid FROM payouts WHERE status = 'APPROVED')";
const PAID = "(SELECT min(id::text)::uuid FROM payouts WHERE status = 'COMPLETED')";

describe("the audit of the books", () => {
  it("is green where money went as it should, with a login that only reads", async () => {
    const { exitCode, stdout, stderr } = await audit();
    expect(stderr).toBe("");
    expect(exitCode).toBe(0);
    expect(stdout.match(/^ok {5}/gm)).toHaveLength(QUESTIONS.length);
    expect(stdout).not.toContain("warning");
  });

  it.each([
    [
      "a payout of fifty times its earning, copied into its item",
      `UPDATE payouts SET gross_paise = 5000000, amount_paise = 4500000 WHERE id = ${ONE};
       UPDATE payout_items SET gross_paise = 5000000, amount_paise = 4500000 WHERE payout_id = ${ONE}`,
      `UPDATE payouts SET gross_paise = 100000, amount_paise = 90000 WHERE id = ${ONE};
       UPDATE payout_items SET gross_paise = 100000, amount_paise = 90000 WHERE payout_id = ${ONE}`,
      ["EARNING_PAID_OTHERWISE"],
    ],
    [
      "less tax in the books than was taken, more sent",
      `UPDATE payout_attempts SET amount_paise = amount_paise + 1 WHERE payout_id = ${PAID}`,
      `UPDATE payout_attempts SET amount_paise = amount_paise - 1 WHERE payout_id = ${PAID}`,
      ["SENT_OTHER_AMOUNT", "PAYEE_GOT_MORE_THAN_EARNED"],
    ],
    [
      "a posting that covers it",
      `INSERT INTO ledger_transactions (id, key, kind)
         VALUES ('00000000-0000-4000-8000-00000000000a', 'provider-opening', 'provider-opening');
       INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
         SELECT '00000000-0000-4000-8000-00000000000a', id, CASE code WHEN 'CONSULTANT_PAYABLE' THEN -5 ELSE 5 END
         FROM ledger_accounts WHERE code = 'PLATFORM_CLEARING'
            OR consultant_id = (SELECT consultant_id FROM payouts WHERE id = ${ONE})`,
      `DELETE FROM ledger_entries WHERE transaction_id = '00000000-0000-4000-8000-00000000000a';
       DELETE FROM ledger_transactions WHERE id = '00000000-0000-4000-8000-00000000000a'`,
      ["OWED_OTHERWISE_IN_BOOKS", "PAYABLE_MOVED_BY_OTHER_POSTING"],
    ],
    [
      "a wallet that was raised",
      "UPDATE wallet_accounts SET balance_paise = balance_paise + 1",
      "UPDATE wallet_accounts SET balance_paise = balance_paise - 1",
      ["WALLET_HOLDS_OTHER_AMOUNT"],
    ],
    [
      "tax that nobody took",
      `UPDATE tax_deductions SET tax_paise = tax_paise + 1 WHERE payout_id = ${PAID}`,
      `UPDATE tax_deductions SET tax_paise = tax_paise - 1 WHERE payout_id = ${PAID}`,
      ["SENT_OTHER_AMOUNT", "PAYEE_GOT_MORE_THAN_EARNED", "TAX_BOOKED_OTHERWISE"],
    ],
    [
      "a trigger that is off",
      "ALTER TABLE payout_items DISABLE TRIGGER payout_items_of_earning",
      "ALTER TABLE payout_items ENABLE TRIGGER payout_items_of_earning",
      ["RULE_SWITCHED_OFF"],
    ],
    [
      "a statement from the future",
      `INSERT INTO provider_transactions (id, credit_paise, debit_paise, at) VALUES ('txn_f', 0, 1, '2099-01-01')`,
      "DELETE FROM provider_transactions WHERE id = 'txn_f'",
      ["STATEMENT_FROM_THE_FUTURE"],
    ],
  ])("is red at %s", async (_, change, back, codes) => {
    await forge(change);
    try {
      const { exitCode, stdout, stderr } = await audit();
      expect([...stdout.matchAll(/^WRONG .*\((\w+), \d+\)$/gm)].map(([, code]) => code)).toEqual(
        codes,
      );
      expect(exitCode).toBe(1);
      expect(stderr).toContain("npm run maintenance -- offline");
    } finally {
      await forge(back);
    }
  });

  it("shares no code with the reconciliation, so that a mistake in one is not made in both", async () => {
    const importsOf = async (folder: string): Promise<string[]> => {
      const root = new URL(`../../lib/ledger/${folder}/`, import.meta.url);
      const files = await readdir(root);
      const texts = await Promise.all(files.map((file) => readFile(new URL(file, root), "utf8")));
      return texts.flatMap((text) =>
        [...text.matchAll(/from "(\.[^"]+)"/g)].map(([, to = ""]) => to),
      );
    };
    // How a session is used, and what money is: nothing that knows a rule of ours.
    expect([...new Set(await importsOf("audit"))].sort()).toEqual([
      "../../db/client.ts",
      "../../support/money.ts",
      "./questions.ts",
    ]);
    expect((await importsOf("reconcile")).filter((to) => to.includes("audit"))).toEqual([]);
  });

  it("warns of a login that could make it green, and says all of it as JSON", async () => {
    const job = (await logins.login("afterhours_jobs")).url;
    expect((await audit({ DATABASE_URL: job })).stdout).toContain("warning: this login can write");
    const { stdout, exitCode } = await audit({ AUDIT_DATABASE_URL: reader }, ["--json"]);
    expect(exitCode).toBe(0);
    const said = JSON.parse(stdout) as { canWrite: boolean; answers: { count: number }[] };
    expect(said.canWrite).toBe(false);
    expect(said.answers.map(({ count }) => count)).toEqual(QUESTIONS.map(() => 0));
  });

  it("says what is missing", async () => {
    expect(await audit({})).toMatchObject({ exitCode: 2, stdout: "" });
    const dead = await audit({ AUDIT_DATABASE_URL: "postgres://127.0.0.1:1/books" });
    expect(dead).toMatchObject({ exitCode: 1, stdout: "" });
    expect(dead.stderr).toContain("cannot be reached");
  });
});

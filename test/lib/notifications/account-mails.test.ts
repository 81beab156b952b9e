import { expect, it } from "vitest";
import { deliveryEnvironment } from "../../../lib/notifications/settings.ts";
import { openMailWorld, runDelivery, type MailWorld } from "../../support/mail.ts";
import { seedPayees } from "../../support/payout-seed.ts";
import { reasonsWith, ruleOf } from "../../../lib/provider/index.ts";

const PAYEES = ["asha", "bina", "charu", "devi"] as const;

/** Four payees whose accounts were refused: two with an address, one of whom has given another account since. */
async function refused(world: MailWorld, reason = "bank_account_closed"): Promise<void> {
  const { database } = world;
  const payees = await seedPayees(
    database,
    PAYEES.map((name) => ({ name })),
  );
  for (const [index, { consultantId, payoutAccountId, payouts }] of payees.entries()) {
    if (index < 2) {
      await database.query("UPDATE consultants SET email = $2 WHERE id = $1", [
        consultantId,
        `${PAYEES[index] ?? ""}@payees.example`,
      ]);
    }
    await database.query(
      `INSERT INTO payout_account_holds (payout_account_id, payout_id, reason, placed_by)
       VALUES ($1, $2, $3, 'job:payouts/process-payouts')`,
      [payoutAccountId, payouts[0]?.id, reason],
    );
  }
  await database.query("UPDATE payout_accounts SET active = false WHERE consultant_id = $1", [
    payees[1]?.consultantId,
  ]);
}

it("tells the payee once for each hold, why, and nothing of the account", async () => {
  const world = await openMailWorld();
  await refused(world);
  const first = await runDelivery({ ...world, mailRefusedAccounts: true });
  expect(first).toMatchObject({ verdict: { kind: "completed" }, report: { due: 1, sent: 1 } });
  const [mail] = world.sandbox.mails();
  expect(mail).toMatchObject({
    recipient: "asha@payees.example",
    subject: "Your payout was refused, please check your account",
  });
  expect(mail?.text).toContain("your account is closed");
  const accounts = await world.database.query<{ account_number: string }>(
    "SELECT account_number FROM payout_accounts",
  );
  for (const { account_number: number } of accounts) {
    expect(`${mail?.text ?? ""}${mail?.html ?? ""}`).not.toContain(number.slice(-4));
  }

  await world.database.query(
    "SET session_replication_role = replica; DELETE FROM outbox_mails; SET session_replication_role = DEFAULT",
  );
  const second = await runDelivery({ ...world, mailRefusedAccounts: true });
  expect(second.report).toMatchObject({ due: 0, sent: 0 });
});

it("writes to nobody unless it is switched on, nor in a dry run", async () => {
  const world = await openMailWorld();
  await refused(world);
  await runDelivery(world);
  await runDelivery({ ...world, mailRefusedAccounts: true, dryRun: true });
  expect(await world.database.query("SELECT 1 FROM outbox_mails")).toEqual([]);
  const env = { ...world.sandbox.env };
  expect(deliveryEnvironment.parse(env)).toMatchObject({
    settings: { mailRefusedAccounts: false },
  });
  const yes = deliveryEnvironment.parse({ ...env, MAIL_REFUSED_ACCOUNTS: "yes" });
  expect(yes).toMatchObject({ settings: { mailRefusedAccounts: true } });
  expect(deliveryEnvironment.parse({ ...env, MAIL_REFUSED_ACCOUNTS: "maybe" })).toMatchObject({
    ok: false,
    problems: [{ variable: "MAIL_REFUSED_ACCOUNTS" }],
  });
});

it("lapses when the payee's address is taken away before it is sent", async () => {
  const world = await openMailWorld();
  await refused(world);
  await world.database.query(
    `INSERT INTO outbox_mails (key, consultant_id, template, data)
     SELECT 'account-refused:test', id, 'account-refused', '{"because": "x"}' FROM consultants WHERE email IS NULL LIMIT 1`,
  );
  expect((await runDelivery(world)).report).toMatchObject({ due: 1, sent: 0, lapsed: 1 });
});

it("has one reader: a buyer or a payee, never both and never nobody", async () => {
  const { database } = await openMailWorld();
  await expect(
    database.query(
      "INSERT INTO outbox_mails (key, template, data) VALUES ('k', 'account-refused', '{}')",
    ),
  ).rejects.toMatchObject({ constraint: "outbox_mails_reader" });
});

it.each(reasonsWith("new-details"))("says what %s means in the payee's words", (reason) => {
  expect(ruleOf(reason)?.means).toMatch(/\bthe payee's\b/);
});

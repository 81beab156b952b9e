import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { openDatabase } from "../../../lib/db/client.ts";
import {
  tellPayees,
  type TellPayeesPorts,
} from "../../../lib/notifications/tell-payees/tell-payees.ts";
import {
  tellPayeesEnvironment,
  type TellPayeesSettings,
} from "../../../lib/notifications/tell-payees/settings.ts";
import { hours } from "../../../lib/support/clock.ts";
import { silentLog } from "../../../lib/support/log.ts";
import { startMailSandbox, type MailSandbox } from "../../../scripts/sandbox/mail/index.ts";
import { runDelivery } from "../../support/mail.ts";
import { runPrune } from "../../support/ops.ts";
import { seedPayees, type PayeeSeed } from "../../support/payout-world.ts";
import { runReconcile } from "../../support/reconcile-run.ts";
import { useWorld } from "../payouts/world.ts";

const world = useWorld();
let mail: MailSandbox;
beforeEach(async () => {
  mail = await startMailSandbox();
  onTestFinished(() => mail.close());
});

const LONG_AGO = "2020-01-01";
const ON: TellPayeesSettings = {
  paidSince: LONG_AGO,
  failedSince: LONG_AGO,
  waitingSince: LONG_AGO,
  heldSince: LONG_AGO,
  waitingMs: 7 * hours(24),
  contact: "payouts@marketplace.example",
  mailRefusedAccounts: false,
};

function run(
  changes: Partial<TellPayeesSettings> = {},
  ports: Partial<TellPayeesPorts> = {},
): ReturnType<typeof tellPayees> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "tell-payees under test",
    readOnly: ports.dryRun ?? false,
    connections: 1,
  });
  return tellPayees({
    dryRun: false,
    limit: undefined,
    settings: { ...ON, ...changes },
    log: silentLog(),
    signal: new AbortController().signal,
    db,
    ...ports,
  }).finally(() => db.close());
}

/** Payees with a mail address each. */
async function payees(...seeds: PayeeSeed[]): Promise<string[]> {
  const seeded = await seedPayees(world.database, seeds);
  await world.database.query("UPDATE consultants SET email = external_ref || '@payees.example'");
  return seeded.map(({ consultantId }) => consultantId);
}

const keys = async (): Promise<string[]> =>
  (await world.database.query<{ key: string }>("SELECT key FROM outbox_mails ORDER BY key")).map(
    ({ key }) => key.replace(/:.*/, ""),
  );

/** Sends what was written; the mails that arrived. */
async function delivered(): Promise<ReturnType<MailSandbox["mails"]>> {
  const { database } = world;
  // A busy machine may be too slow for the mailer, which puts the mail off.
  for (let tried = 1; tried <= 5; tried++) {
    const { report } = await runDelivery({ database, sandbox: mail });
    expect(report).toMatchObject({ gaveUp: 0, lapsed: 0 });
    const [open] = await database.query<{ count: number }>(
      "SELECT count(*)::int AS count FROM outbox_mails WHERE status = 'QUEUED'",
    );
    if (open?.count === 0) break;
    await database.query("UPDATE outbox_mails SET due_at = now() WHERE status = 'QUEUED'");
  }
  return mail.mails();
}

const bank = { kind: "bank_account", ifsc: "HDFC0001220", accountNumber: "912345678901" } as const;

describe("a payout that is paid", () => {
  it("is told once, with net, tax, section, bookings and UTR, and the account's last digits alone", async () => {
    await payees({
      account: bank,
      category: "company",
      payouts: [{ earnings: [{ grossPaise: 1_000_000n }, { grossPaise: 500_000n }] }],
    });
    await world.run();
    const first = await run();
    expect(first).toMatchObject({
      verdict: { kind: "completed" },
      report: { found: 1, paid: 1, withoutAddress: 0, notWritten: 0 },
    });
    const [letter] = await delivered();
    const [payout] = await world.database.query<{ net: bigint; tax: bigint; utr: string | null }>(
      `SELECT net_paise AS net, tax_paise AS tax, attempt.utr
       FROM payouts JOIN payout_attempts AS attempt ON attempt.payout_id = payouts.id`,
    );
    expect(payout?.tax).toBeGreaterThan(0n);
    expect(letter?.subject).toMatch(/^Your payout of ₹/);
    for (const text of [letter?.text ?? "", letter?.html ?? ""]) {
      expect(text).toContain("₹13,500.00");
      expect(text).toContain("your account that ends with 8901");
      expect(text).not.toContain("912345678901");
      expect(text).toMatch(/section .+ at 0\.1%/);
      expect(text).toContain(payout?.utr ?? "no UTR");
    }
    const bookings = await world.database.query<{ reference: string }>(
      "SELECT booking_reference AS reference FROM earnings",
    );
    for (const { reference } of bookings) expect(letter?.text).toContain(reference);

    expect((await run()).report).toMatchObject({ found: 0, paid: 0 });
    expect(await keys()).toEqual(["payee-paid"]);
  });

  it("is not told from before the setting, nor without it", async () => {
    await payees({});
    await world.run();
    expect((await run({ paidSince: undefined })).report.found).toBe(0);
    expect((await run({ paidSince: "2999-01-01" })).report.found).toBe(0);
    await world.database.query(
      `SET session_replication_role = replica;
       UPDATE payouts SET completed_at = completed_at - interval '15 days';
       SET session_replication_role = DEFAULT`,
    );
    expect((await run()).report.found).toBe(0);
    expect(await keys()).toEqual([]);
  });

  it("is written for once by two runs at the same moment", async () => {
    await payees({}, {}, {});
    await world.run();
    const both = await Promise.all([run(), run()]);
    const [one, other] = both.map(({ report }) => report);
    expect((one?.paid ?? 0) + (other?.paid ?? 0)).toBe(3);
    expect(await keys()).toEqual(["payee-paid", "payee-paid", "payee-paid"]);
  });

  it("changes nothing in a dry run, and no more than the limit", async () => {
    await payees({}, {}, {});
    await world.run();
    expect((await run({}, { dryRun: true })).report).toMatchObject({ paid: 3 });
    expect(await keys()).toEqual([]);
    expect((await run({}, { limit: 2 })).report).toMatchObject({ found: 2, paid: 2 });
    expect((await run({}, { signal: AbortSignal.abort() })).verdict.kind).toBe("interrupted");
    expect((await run()).report).toMatchObject({ found: 1, paid: 1 });
  });

  it("waits for an address, is counted, and is told when there is one", async () => {
    await payees({});
    await world.database.query("UPDATE consultants SET email = NULL");
    await world.run();
    const without = await run();
    expect(without.report).toMatchObject({ found: 1, paid: 0, withoutAddress: 1 });
    expect(without.report.items).toHaveLength(1);
    expect(without.verdict).toMatchObject({
      kind: "completed",
      note: expect.stringContaining("mail-address") as string,
    });
    await world.database.query("UPDATE consultants SET email = 'asha@payees.example'");
    expect((await run()).report).toMatchObject({ paid: 1 });
  });

  it("is not told again after ops/prune, however short mails are kept", async () => {
    await payees({});
    await world.run();
    await run();
    await delivered();
    await world.database.query(
      `SET session_replication_role = replica;
       UPDATE outbox_mails SET settled_at = settled_at - interval '13 days', created_at = created_at - interval '13 days';
       UPDATE payouts SET completed_at = completed_at - interval '13 days';
       SET session_replication_role = DEFAULT`,
    );
    const db = openDatabase({
      url: world.database.url,
      applicationName: "prune under test",
      readOnly: false,
      connections: 1,
    });
    await runPrune(db, { settings: { runsDays: 400, mailsDays: 1, findingsDays: 400 } });
    await db.close();
    expect((await run()).report.found).toBe(0);
    expect(await keys()).toEqual(["payee-paid"]);
  });
});

describe("a payout that does not go through", () => {
  const failing = async (reason: string): Promise<void> => {
    world.sandbox.addFaults([{ on: "POST /payouts", endState: "failed", endReason: reason }]);
    await payees({ account: bank });
    await world.run();
  };

  it("asks for new details where the account is at fault, unless another mail does", async () => {
    await failing("bank_account_closed");
    expect((await run({ mailRefusedAccounts: true })).report.found).toBe(0);
    expect((await run()).report).toMatchObject({ failed: 1 });
    const [letter] = await delivered();
    expect(letter?.subject).toBe("Your payout of ₹900.00 did not go through");
    expect(letter?.text).toContain("your account is closed");
    expect(letter?.text).toContain("send us the details of another one");
    expect(letter?.text).toContain("never as");
    expect(letter?.text).not.toMatch(/need not do anything|8901/);
    expect((await run()).report.found).toBe(0);
  });

  it("says that nothing is to do where the bank was, and tells of the next try as well", async () => {
    await failing("beneficiary_bank_offline");
    expect((await run()).report).toMatchObject({ failed: 1 });
    const [letter] = await delivered();
    expect(letter?.text).toContain("your bank was offline");
    expect(letter?.text).toContain("You need not do anything");
    expect(letter?.text).not.toContain("details of another");
    await world.database.query("UPDATE payouts SET tries = tries + 1");
    expect((await run()).report).toMatchObject({ failed: 1 });
  });

  it("keeps our own affairs to ourselves", async () => {
    await failing("insufficient_funds");
    await run();
    const [letter] = await delivered();
    expect(letter?.text).not.toMatch(/insufficient|our account/);
    expect(letter?.text).toContain("it could not be carried out");
  });

  it("is told when the money comes back", async () => {
    await payees({ account: bank });
    await world.run();
    await run();
    world.sandbox.movePayout(world.sandbox.payouts()[0]?.id ?? "", {
      status: "reversed",
      reason: "beneficiary_bank_rejected",
    });
    await runReconcile({ database: world.database, sandbox: world.sandbox });
    expect((await run()).report).toMatchObject({ found: 1, returned: 1 });
    const letters = await delivered();
    const letter = letters.find(({ subject }) => subject.endsWith("came back"));
    expect(letter?.text).toContain(
      "the bank sent the money back to us: your bank rejected the payout",
    );
    expect(letter?.text).toContain("send us the details of another one");
    expect((await run()).report.found).toBe(0);
  });
});

describe("money that waits for an account", () => {
  const waits = async (): Promise<string> => {
    const [consultantId = ""] = await payees({ account: null });
    await world.database.query(
      `SET session_replication_role = replica;
       UPDATE payouts SET status = 'REJECTED';
       UPDATE payout_items SET released_at = now();
       UPDATE earnings SET status = 'READY', created_at = created_at - interval '2 days';
       SET session_replication_role = DEFAULT`,
    );
    return consultantId;
  };
  const age = (days: number): Promise<unknown> =>
    world.database.query(
      `SET session_replication_role = replica;
       UPDATE outbox_mails SET created_at = created_at - interval '${days} days', key = key || ':${days}';
       SET session_replication_role = DEFAULT`,
    );

  it("is told at most every so many days, as long as it waits", async () => {
    const consultantId = await waits();
    expect((await run()).report).toMatchObject({ found: 1, waiting: 1 });
    const [letter] = await delivered();
    expect(letter?.subject).toBe("Your payout waits: ₹900.00 and no account");
    expect(letter?.text).toContain("payouts@marketplace.example");
    expect((await run()).report.found).toBe(0);
    await age(6);
    expect((await run()).report.found).toBe(0);
    await age(2);
    expect((await run()).report).toMatchObject({ waiting: 1 });
    await age(8);
    await world.database.query(
      `INSERT INTO payout_accounts (consultant_id, kind, vpa) VALUES ($1, 'vpa', 'asha@okbank')`,
      [consultantId],
    );
    expect((await run()).report.found).toBe(0);
  });

  it("is not told while the payee is on hold, nor on its first day", async () => {
    const consultantId = await waits();
    await hold(consultantId, "suspended");
    expect((await run({ heldSince: undefined })).report.found).toBe(0);
    await world.database.query(
      `UPDATE consultant_holds SET released_at = now(), released_by = 'a test'`,
    );
    await world.database.query("UPDATE earnings SET created_at = now()");
    expect((await run()).report.found).toBe(0);
  });
});

async function hold(consultantId: string, kind: string): Promise<void> {
  await world.database.query(
    `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
     VALUES ($1, $2::hold_kind, 'looks like fraud to us', 'asha')`,
    [consultantId, kind],
  );
}

describe("a hold", () => {
  it("is told once, without its reason and kind, and again when it is a new one", async () => {
    const [consultantId = ""] = await payees({ payouts: [] });
    await hold(consultantId, "suspended");
    await hold(consultantId, "open_dispute");
    expect((await run()).report).toMatchObject({ found: 1, held: 1 });
    const [letter] = await delivered();
    expect(letter?.subject).toBe("Your payouts are on hold");
    expect(letter?.text).toContain("please contact payouts@marketplace.example");
    expect(`${letter?.text} ${letter?.html}`).not.toMatch(/fraud|suspend|dispute/i);
    expect((await run()).report.found).toBe(0);

    await world.database.query(
      `UPDATE consultant_holds SET released_at = now(), released_by = 'a test'`,
    );
    await hold(consultantId, "manual");
    expect((await run()).report).toMatchObject({ held: 1 });
  });
});

it("is off until a setting turns each on, and refuses what is no day", () => {
  expect(tellPayeesEnvironment.parse({})).toMatchObject({
    ok: true,
    settings: {
      paidSince: undefined,
      failedSince: undefined,
      waitingSince: undefined,
      heldSince: undefined,
      waitingMs: 7 * hours(24),
    },
  });
  const wrong = tellPayeesEnvironment.parse({
    MAIL_PAID_SINCE: "yes",
    MAIL_HELD_SINCE: "2026-02-30",
    MAIL_WAITING_DAYS: "31",
  });
  expect(wrong).toMatchObject({ ok: false });
  expect(wrong.ok ? [] : wrong.problems.map(({ variable }) => variable)).toEqual([
    "MAIL_PAID_SINCE",
    "MAIL_HELD_SINCE",
    "MAIL_WAITING_DAYS",
  ]);
});

import { describe, expect, it } from "vitest";
import {
  approvePayout,
  listPayouts,
  rejectPayout,
  retryPayout,
  showPayout,
  type PayoutChange,
} from "../../../../lib/payouts/operate/index.ts";
import { newUuid } from "../../../../lib/support/random.ts";
import { runBatch } from "../../../support/batch-run.ts";
import {
  seedPayee,
  type AccountSeed,
  type PayeeSeed,
  type SeededPayout,
} from "../../../support/payout-world.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { claimOne } from "../one.ts";
import { viewOf } from "../rows.ts";
import { withDb } from "../sessions.ts";
import { snapshot } from "../snapshot.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();
const operator = { by: "Head of Finance", reason: "checked" };
type Bank = Extract<AccountSeed, { kind: "bank_account" }>;
const FIRST: Bank = { kind: "bank_account", ifsc: "HDFC0001220", accountNumber: "991111111111" };
const SECOND: Bank = { ...FIRST, ifsc: "SBIN0002655", accountNumber: "992222222222" };

const approve = (payoutId: string): Promise<PayoutChange> =>
  withDb(world.database, (db) => approvePayout(db, { payoutId, operator }));

const codesOf = (change: PayoutChange): string[] =>
  change.done ? [] : change.refusals.map(({ code }) => code);

/** Waits for a person, and was approved by one. */
async function approvedByPerson(seed: PayeeSeed = {}): Promise<SeededPayout> {
  const payout = await world.payout({
    account: FIRST,
    payouts: [{ status: "PENDING" }],
    ...seed,
  });
  expect(await approve(payout.id)).toMatchObject({ done: true });
  return payout;
}

/** As an import with --update-accounts does it, by somebody. */
async function replaceAccount(consultantId: string, account = SECOND): Promise<void> {
  await world.database.query(
    "UPDATE payout_accounts SET active = false WHERE consultant_id = $1 AND active",
    [consultantId],
  );
  await world.database.query(
    `WITH placed AS (
       INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number)
       VALUES ($1, 'bank_account', $2, $3) RETURNING consultant_id, created_at)
     INSERT INTO audit_log (at, actor, category, action, subject_type, subject_id)
     SELECT created_at, 'Mallory', 'account', 'replaced', 'consultant', consultant_id::text FROM placed`,
    [consultantId, account.ifsc, account.accountNumber],
  );
}

/** A buyer's refund of the first sale was settled while the payout held it. */
async function refundInside({ consultantId, earningIds }: SeededPayout): Promise<void> {
  await world.database.query(
    `INSERT INTO earning_recoveries (consultant_id, earning_id, key, gross_paise, amount_paise)
     SELECT $1, id, 'refund-1', gross_paise, amount_paise FROM earnings WHERE id = $2`,
    [consultantId, earningIds[0]],
  );
}

const findings = () =>
  world.database.query<{ kind: string; severity: string; subject: string; details: object }>(
    `SELECT kind, severity::text AS severity, subject_id AS subject, details FROM findings
     WHERE resolved_at IS NULL ORDER BY kind, subject_id`,
  );

/** The last digits of the accounts that money went to. */
const paidTo = async (): Promise<string[]> => {
  const rows = await world.database.query<{ end: string }>(
    `SELECT right(account.account_number, 4) AS end FROM payout_attempts AS attempt
     JOIN payout_accounts AS account ON account.id = attempt.payout_account_id
     WHERE attempt.state = 'PROCESSED' ORDER BY 1`,
  );
  return rows.map(({ end }) => end);
};

const row = async (payoutId: string) => {
  const [found] = await world.database.query(
    `SELECT status::text AS status, approved_at AS "approvedAt", failure_code AS code,
            tax_paise AS tax, claimed_by AS "claimedBy" FROM payouts WHERE id = $1`,
    [payoutId],
  );
  return found;
};

const WAITS = { status: "PENDING", approvedAt: null, tax: null, claimedBy: null };

describe("a payout that a person approved, of a payee whose account is another one since", () => {
  it("is not sent, waits for a person again, and says who changed what", async () => {
    const { id, consultantId } = await approvedByPerson();
    const other = await approvedByPerson({ account: { ...FIRST, accountNumber: "993333333333" } });
    await replaceAccount(consultantId);

    const before = await snapshot(world.database);
    const dry = await world.run({ dryRun: true });
    expect(await snapshot(world.database)).toEqual(before);
    expect(dry.report).toMatchObject({ found: 2, planned: 1, skipped: 1, withdrawn: 1 });
    const run = await world.run();
    expect(run.report).toMatchObject({ found: 2, completed: 1, skipped: 1, withdrawn: 1, left: 0 });
    for (const { report, verdict } of [dry, run]) {
      expect(report.items).toMatchObject([
        {
          payoutId: id,
          outcome: "skipped",
          code: "ACCOUNT_CHANGED",
          message: expect.stringMatching(
            /HDFC0001220 …1111 was, SBIN0002655 …2222 is active, placed by Mallory \(login /,
          ) as string,
        },
      ]);
      expect(verdict).toMatchObject({
        kind: "completed",
        warning: expect.stringMatching(/^1 payout (would not be|was not) sent: /) as string,
      });
    }

    expect(await row(id)).toEqual({ ...WAITS, code: "ACCOUNT_CHANGED" });
    expect(await viewOf(world.database, id)).toMatchObject({ earnings: ["LINKED"], held: true });
    expect(await viewOf(world.database, other.id)).toMatchObject({ status: "COMPLETED" });
    expect(await findings()).toMatchObject([
      {
        kind: "approval-withdrawn",
        severity: "warning",
        subject: id,
        details: {
          code: "ACCOUNT_CHANGED",
          approved: "HDFC0001220 …1111",
          active: "SBIN0002655 …2222",
          placedBy: "Mallory",
        },
      },
    ]);
    const [entry] = await world.database.query(
      "SELECT actor, action, reason, detail FROM audit_log WHERE subject_id = $1 ORDER BY id DESC LIMIT 1",
      [id],
    );
    expect(entry).toMatchObject({
      actor: "job:payouts/process-payouts",
      action: "approval-withdrawn",
      reason: "ACCOUNT_CHANGED",
      detail: { approved: "HDFC0001220 …1111", active: "SBIN0002655 …2222" },
    });

    expect((await world.run()).report).toMatchObject({ found: 0 });
    expect(await approve(id)).toMatchObject({ done: true });
    expect((await world.run()).report).toMatchObject({ found: 1, completed: 1, withdrawn: 0 });
    expect(await paidTo()).toEqual(["2222", "3333"]);
    expect(await row(id)).toMatchObject({ status: "COMPLETED", code: null });
  });

  it("is sent when the same details were imported once more, or the old account is back", async () => {
    const { consultantId } = await approvedByPerson();
    await replaceAccount(consultantId);
    await replaceAccount(consultantId, FIRST);
    expect((await world.run()).report).toMatchObject({ completed: 1, withdrawn: 0 });
    expect(await paidTo()).toEqual(["1111"]);
  });

  it("can be approved again before the pay run, and by no other approval", async () => {
    const { id, consultantId } = await approvedByPerson();
    expect(codesOf(await approve(id))).toEqual(["IS_APPROVED"]);
    await replaceAccount(consultantId);
    expect(await approve(id)).toMatchObject({ done: true });
    expect(codesOf(await approve(id))).toEqual(["IS_APPROVED"]);
    expect((await world.run()).report).toMatchObject({ completed: 1, withdrawn: 0 });
    expect(await paidTo()).toEqual(["2222"]);
  });

  it("waits for a person when a dead run had claimed it", async () => {
    const { id, consultantId } = await approvedByPerson();
    await withDb(world.database, (db) => claimOne(db, id, { runId: newUuid(), fence: null }));
    await world.database.query("UPDATE payouts SET claimed_at = now() - interval '1 hour'");
    await replaceAccount(consultantId);
    const dry = await world.run({ dryRun: true });
    const run = await world.run();
    for (const { report } of [dry, run])
      expect(report).toMatchObject({ found: 1, skipped: 1, withdrawn: 1, processed: 0 });
    expect(run.verdict.kind).toBe("completed");
    expect(await row(id)).toEqual({ ...WAITS, code: "ACCOUNT_CHANGED" });
    expect(await viewOf(world.database, id)).toMatchObject({
      deductions: ["RESERVED", "reversed"],
    });
    expect(world.sandbox.payouts()).toEqual([]);
  });

  it("waits for a person when the provider never got the first request", async () => {
    const { id, consultantId } = await approvedByPerson();
    world.sandbox.addFaults(everyPayout({ dropBefore: true }));
    await world.run();
    world.sandbox.clearFaults();
    await replaceAccount(consultantId);
    await world.database.query(`
      ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_settled_once;
      UPDATE payout_attempts SET created_at = created_at - interval '2 hours';
      ALTER TABLE payout_attempts ENABLE TRIGGER payout_attempts_settled_once`);
    const stuck = await runStuck({ database: world.database, sandbox: world.sandbox });
    expect(stuck.report).toMatchObject({ closed: 1 });
    expect((await world.run()).report).toMatchObject({ skipped: 1, withdrawn: 1 });
    expect(await row(id)).toEqual({ ...WAITS, code: "ACCOUNT_CHANGED" });
    expect(world.sandbox.payouts()).toEqual([]);
  });

  it("is tried again by a person for the account that is active then", async () => {
    const { id, consultantId } = await approvedByPerson();
    await world.database.query(
      `UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = now(),
              tax_paise = 0, net_paise = amount_paise WHERE id = $1`,
      [id],
    );
    await world.database.query(
      "UPDATE payouts SET status = 'FAILED', tries = 1, failure_code = 'x' WHERE id = $1",
      [id],
    );
    await world.database.query("UPDATE earnings SET status = 'READY'");
    await world.database.query("UPDATE payout_items SET released_at = now()");
    await replaceAccount(consultantId);
    const retried = await withDb(world.database, (db) =>
      retryPayout(db, { payoutId: id, operator }),
    );
    expect(codesOf(retried)).toEqual([]);
    expect((await world.run()).report).toMatchObject({ completed: 1, withdrawn: 0 });
    expect(await paidTo()).toEqual(["2222"]);
  });

  it("is known by the times when it was approved before the account was kept", async () => {
    const { id, consultantId } = await approvedByPerson();
    const unbind = "UPDATE payouts SET approved_account_id = NULL, approved_amount_paise = NULL";
    await world.database.query(unbind);
    const [shown] = (await withDb(world.database, (db) => listPayouts(db, { ids: [id], limit: 1 })))
      .payouts;
    expect(shown?.accountNotes).not.toContain("changed-since-approval");
    await replaceAccount(consultantId);
    expect((await world.run()).report).toMatchObject({ skipped: 1, withdrawn: 1 });
    expect(await row(id)).toEqual({ ...WAITS, code: "ACCOUNT_CHANGED" });
  });
});

it("a payout that the batch approved follows the payee's active account", async () => {
  const { consultantId } = await world.payout({ account: FIRST });
  await replaceAccount(consultantId);
  expect((await world.run()).report).toMatchObject({ completed: 1, withdrawn: 0 });
  expect(await paidTo()).toEqual(["2222"]);
});

it("an organization's payout follows the payee's active account", async () => {
  const { consultantId } = await world.payout({ account: FIRST, organization: true });
  await replaceAccount(consultantId);
  expect((await world.run()).report).toMatchObject({ organizations: { completed: 1 } });
  expect(await paidTo()).toEqual(["2222"]);
});

it("a payout of another amount or of other sales than were approved is not sent", async () => {
  const first = await approvedByPerson();
  const second = await approvedByPerson({ account: SECOND });
  await world.database.query("UPDATE payouts SET approved_amount_paise = 1 WHERE id = $1", [
    first.id,
  ]);
  await world.database.query("UPDATE payouts SET approved_items = 'others' WHERE id = $1", [
    second.id,
  ]);
  const { report, verdict } = await world.run();
  expect(report).toMatchObject({ skipped: 2, withdrawn: 2, succeeded: 0 });
  expect(verdict.kind).toBe("completed");
  for (const { id } of [first, second])
    expect(await row(id)).toEqual({ ...WAITS, code: "PAYOUT_CHANGED" });
});

describe("a payout with a sale that was refunded after it was made", () => {
  const two: PayeeSeed = { payouts: [{ earnings: [{}, { grossPaise: 200_000n }] }] };

  it.each([
    ["approved by the batch", () => world.payout(two)],
    [
      "approved by a person",
      () => approvedByPerson({ payouts: [{ ...two.payouts?.[0], status: "PENDING" }] }),
    ],
  ])("%s is not sent; rejected, the next batch pays what is left", async (_, make) => {
    const payout = await make();
    const { id } = payout;
    await refundInside(payout);
    const dry = await world.run({ dryRun: true });
    const run = await world.run();
    for (const { report, verdict } of [dry, run]) {
      expect(report).toMatchObject({ skipped: 1, withdrawn: 1, succeeded: 0 });
      expect(report.items).toMatchObject([{ code: "EARNINGS_REFUNDED" }]);
      expect(report.items[0]?.message).toContain("₹900.00 of it");
      expect(verdict.kind).toBe("completed");
    }
    expect(await row(id)).toEqual({ ...WAITS, code: "EARNINGS_REFUNDED" });
    expect(codesOf(await approve(id))).toEqual(["EARNINGS_REFUNDED"]);
    const [shown] = (await withDb(world.database, (db) => listPayouts(db, { ids: [id], limit: 1 })))
      .payouts;
    expect(shown).toMatchObject({ refundedPaise: 90_000n });
    const details = await withDb(world.database, (db) => showPayout(db, id));
    expect(details?.uncovered).toContain("Reject it: the next batch pays what is left");

    await withDb(world.database, (db) =>
      rejectPayout(db, { payoutId: id, operator: { by: "Asha", reason: "refunded" } }),
    );
    expect((await runBatch(world.database)).report).toMatchObject({ created: 1 });
    expect((await world.run()).report).toMatchObject({ completed: 1, grossPaise: 180_000n });
  });

  it("of an organization stays where it is and is not sent; rejected, the next batch pays the rest", async () => {
    const payout = await world.payout({ ...two, organization: true });
    await refundInside(payout);
    const dry = await world.run({ dryRun: true });
    const run = await world.run();
    for (const { report, verdict } of [dry, run]) {
      expect(report.organizations).toMatchObject({ skipped: 1, withdrawn: 1, succeeded: 0 });
      expect(verdict.kind).toBe("completed");
    }
    expect(await row(payout.id)).toEqual({ ...WAITS, code: "EARNINGS_REFUNDED" });
    expect((await world.run()).verdict.kind).toBe("completed");
    await withDb(world.database, (db) =>
      rejectPayout(db, { payoutId: payout.id, operator: { by: "Asha", reason: "refunded" } }),
    );
    expect((await runBatch(world.database)).report).toMatchObject({ organizations: 1 });
    expect((await world.run()).report.organizations).toMatchObject({ completed: 1 });
  });

  it("is sent when the debt was taken off other earnings", async () => {
    const payout = await world.payout(two);
    await refundInside(payout);
    await world.database.query(
      "UPDATE earning_recoveries SET recovered_gross_paise = gross_paise, recovered_amount_paise = amount_paise",
    );
    expect((await world.run()).report).toMatchObject({ completed: 1, withdrawn: 0 });
  });

  it("is not tried again after a failure", async () => {
    const payout = await world.payout(two);
    await world.database.query(
      `UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = now(),
              tax_paise = 0, net_paise = amount_paise`,
    );
    await world.database.query("UPDATE payouts SET status = 'FAILED', tries = 1");
    await world.database.query("UPDATE earnings SET status = 'READY'");
    await world.database.query("UPDATE payout_items SET released_at = now()");
    await refundInside(payout);
    const retried = await withDb(world.database, (db) =>
      retryPayout(db, { payoutId: payout.id, operator }),
    );
    expect(codesOf(retried)).toEqual(["EARNINGS_REFUNDED"]);
  });
});

describe("the account in list and show", () => {
  it("is masked, with its age, and says whether it changed since last paid", async () => {
    const payee = await seedPayee(world.database, { account: FIRST, payouts: [{}] });
    const { consultantId } = payee;
    await world.run();
    const paid = await withDb(world.database, (db) => showPayout(db, payee.payouts[0]?.id ?? ""));
    expect(paid?.attempts).toMatchObject([{ account: "HDFC0001220 …1111" }]);
    await world.database.query(
      "UPDATE payout_accounts SET created_at = created_at - interval '12 days'",
    );
    const waiting = await world.database.query<{ id: string }>(
      "SELECT id FROM payouts WHERE status <> 'COMPLETED'",
    );
    expect(waiting).toEqual([]);
    const earning = await nextPayout(consultantId);
    const listed = () =>
      withDb(world.database, async (db) => {
        const { payouts } = await listPayouts(db, { ids: [earning], limit: 1 });
        return payouts[0];
      });
    expect(await listed()).toMatchObject({
      account: "HDFC0001220 …1111",
      accountAgeDays: 12,
      accountNotes: [],
    });
    await replaceAccount(consultantId);
    expect(await listed()).toMatchObject({
      account: "SBIN0002655 …2222",
      accountAgeDays: 0,
      accountNotes: ["changed-since-last-paid"],
    });
    const shown = await withDb(world.database, (db) => showPayout(db, earning));
    expect(shown).toMatchObject({ account: "SBIN0002655 …2222", accountAgeDays: 0 });
    expect(JSON.stringify(shown, (_, value: unknown) => String(value))).not.toMatch(/99\d{10}/);
  });

  /** Another payout of the payee, made by the batch. */
  async function nextPayout(consultantId: string): Promise<string> {
    await world.database.query(
      `WITH earning AS (
         INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
         VALUES ($1, 'BK-next', '2026-06-20', 100000, 10000, 90000) RETURNING id
       ), posted AS (
         INSERT INTO ledger_transactions (key, kind, earning_id)
         SELECT 'earning-released:' || id, 'earning-released', id FROM earning RETURNING id
       )
       INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
       SELECT posted.id, account.id, CASE account.code WHEN 'PLATFORM_CLEARING' THEN 90000 ELSE -90000 END
       FROM posted, ledger_accounts AS account
       WHERE account.code = 'PLATFORM_CLEARING' OR account.consultant_id = $1`,
      [consultantId],
    );
    await runBatch(world.database);
    const [made] = await world.database.query<{ id: string }>(
      "SELECT id FROM payouts WHERE status = 'APPROVED'",
    );
    return made?.id ?? "";
  }
});

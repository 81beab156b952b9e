import { randomUUID } from "node:crypto";
import { expect, it } from "vitest";
import { openDatabase } from "../../../../lib/db/client.ts";
import { releaseHold, retryPayout, showPayout } from "../../../../lib/payouts/operate/index.ts";
import { runBatch } from "../../../support/batch-run.ts";
import { seedPayee, type SeededPayee, type SeededPayout } from "../../../support/payout-world.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

const closed = { initialState: "failed", endReason: "bank_account_closed" } as const;

/** A payee with two approved payouts, of which the first is refused for good. */
async function refusedPayee(): Promise<{ payee: SeededPayee; waiting: SeededPayout }> {
  const payee = await seedPayee(world.database, { payouts: [{}, {}] });
  world.sandbox.addFaults({ on: "POST /payouts", ...closed });
  await world.run({ limit: 1 });
  const waiting = payee.payouts[1];
  if (!waiting) throw new Error("the payee has no second payout");
  return { payee, waiting };
}

const statusOf = async (payoutId: string): Promise<string | undefined> =>
  (
    await world.database.query<{ status: string }>(
      "SELECT status::text FROM payouts WHERE id = $1",
      [payoutId],
    )
  )[0]?.status;

/** Makes another row the payee's active account, as an import does. */
async function giveAccount(
  consultantId: string,
  account: { ifsc: string; accountNumber: string },
): Promise<void> {
  await world.database.query(
    "UPDATE payout_accounts SET active = false WHERE consultant_id = $1 AND active",
    [consultantId],
  );
  await world.database.query(
    `INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number)
     VALUES ($1, 'bank_account', $2, $3)`,
    [consultantId, account.ifsc, account.accountNumber],
  );
}

async function withDb<T>(work: (db: ReturnType<typeof openDatabase>) => Promise<T>): Promise<T> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "a person",
    readOnly: false,
    connections: 1,
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

const operator = { by: "Asha", reason: "the bank says it is open again" };

it("does not send what is approved for a refused account, and says so", async () => {
  const { waiting } = await refusedPayee();
  const before = world.callsTo("POST /payouts");

  const planned = await world.run({ dryRun: true });
  const { verdict, report } = await world.run();

  expect(world.callsTo("POST /payouts")).toBe(before);
  expect(await statusOf(waiting.id)).toBe("APPROVED");
  const item = expect.objectContaining({
    payoutId: waiting.id,
    outcome: "held",
    code: "ON_HOLD",
  }) as unknown;
  expect(report).toMatchObject({ found: 0, skipped: 0, held: 1, left: 0, items: [item] });
  expect(planned.report).toMatchObject({
    found: 0,
    skipped: 0,
    held: 1,
    planned: 0,
    items: [item],
  });
  expect(verdict).toMatchObject({ kind: "completed" });
  expect((verdict as { warning?: string }).warning).toContain("1 payout that is due was not sent");
  expect(report.items[0]?.message).toContain("another account of the payee is imported");
});

it("pays the others beside one that is held", async () => {
  const { waiting } = await refusedPayee();
  const other = await world.payout();
  const { report } = await world.run();
  expect(report).toMatchObject({ succeeded: 1, held: 1 });
  expect([await statusOf(waiting.id), await statusOf(other.id)]).toEqual(["APPROVED", "COMPLETED"]);
});

it("goes on when an account that differs is active, without anybody's release", async () => {
  const { payee, waiting } = await refusedPayee();
  const failed = payee.payouts[0]?.id ?? "";
  const advice = async (): Promise<string | null | undefined> =>
    (await withDb((db) => showPayout(db, failed)))?.nextStep;
  expect(await advice()).toMatch(/^get another account/);
  await giveAccount(payee.consultantId, { ifsc: "HDFC0001220", accountNumber: "912345670000" });
  expect(await advice()).toMatch(/^nothing to do about the account/);
  expect((await runBatch(world.database)).report).toMatchObject({ created: 1, onHold: 0 });
  expect((await world.run()).report).toMatchObject({ succeeded: 2, held: 0 });
  expect(await statusOf(waiting.id)).toBe("COMPLETED");
});

it("stays on hold when the same account is imported once more", async () => {
  const { payee, waiting } = await refusedPayee();
  if (payee.account?.kind !== "bank_account") throw new Error("the payee has no bank account");
  await giveAccount(payee.consultantId, payee.account);
  const { verdict, report } = await runBatch(world.database);
  expect(report).toMatchObject({ created: 0, onHold: 1, retryLater: 0 });
  expect(report.items).toMatchObject([
    {
      message: expect.stringContaining("import") as string,
      consultantRef: expect.any(String) as string,
    },
  ]);
  expect(verdict).toMatchObject({
    warning: expect.stringContaining("import it with --update-accounts") as string,
  });
  expect((await world.run()).report).toMatchObject({ succeeded: 0, held: 1 });
  expect(await statusOf(waiting.id)).toBe("APPROVED");
});

it("goes on when a person releases the account, who is written down", async () => {
  const { payee, waiting } = await refusedPayee();
  const released = await withDb((db) =>
    releaseHold(db, { consultant: payee.consultantId, kind: "refused_account", operator }),
  );
  expect(released).toMatchObject({ done: true, kinds: ["refused_account"] });
  expect((await world.run()).report).toMatchObject({ succeeded: 1, held: 0 });
  expect(await statusOf(waiting.id)).toBe("COMPLETED");
  expect(
    await world.database.query(
      "SELECT actor, action, detail->>'kind' AS kind FROM audit_log WHERE category = 'hold' ORDER BY id",
    ),
  ).toEqual([
    { actor: "job:payouts/process-payouts", action: "placed", kind: "refused_account" },
    { actor: "Asha", action: "released", kind: "refused_account" },
  ]);
});

it("is on hold again when it is refused again after a release", async () => {
  const { payee, waiting } = await refusedPayee();
  await withDb((db) =>
    releaseHold(db, { consultant: payee.consultantId, kind: undefined, operator }),
  );
  world.sandbox.addFaults({ on: "POST /payouts", ...closed });
  await world.run();
  expect(await statusOf(waiting.id)).toBe("FAILED");
  expect((await runBatch(world.database)).report).toMatchObject({ created: 0, onHold: 1 });
});

it("is not tried again by hand while its account is on hold", async () => {
  const { payee } = await refusedPayee();
  const failed = payee.payouts[0]?.id ?? "";
  const retried = await withDb((db) => retryPayout(db, { payoutId: failed, operator }));
  expect(retried).toMatchObject({
    done: false,
    refusals: [
      {
        code: "CONSULTANT_ON_HOLD",
        remedy: "Wait until another account of the payee is imported with --update-accounts.",
      },
    ],
  });
});

it("holds an account from which the money came back later", async () => {
  const payout = await world.payout();
  await world.run();
  const [sent] = world.sandbox.payouts();
  world.sandbox.movePayout(sent?.id ?? "", { status: "reversed", reason: "bank_account_closed" });
  await runReconcile({ database: world.database, sandbox: world.sandbox });
  expect(await statusOf(payout.id)).toBe("REVERSED");
  expect((await runBatch(world.database)).report).toMatchObject({ created: 0, onHold: 1 });
});

it("holds an account of which the provider makes no fund account", async () => {
  const payout = await world.payout();
  const error = { reason: "invalid_ifsc_code" };
  world.sandbox.addFaults({ on: "POST /fund_accounts", status: 400, error });
  await world.run();
  expect(await statusOf(payout.id)).toBe("FAILED");
  const { report } = await runBatch(world.database);
  expect(report.items).toMatchObject([{ outcome: "on_hold", code: "REFUSED_ACCOUNT" }]);
});

it("gives a dead run's claim back instead of sending it to a refused account", async () => {
  const { waiting } = await refusedPayee();
  await world.database.query(
    `UPDATE payouts SET status = 'PROCESSING', claimed_by = $2, claimed_at = now() - interval '1 hour',
            tax_paise = 0, net_paise = amount_paise WHERE id = $1`,
    [waiting.id, randomUUID()],
  );
  expect((await world.run({ dryRun: true })).report).toMatchObject({
    found: 1,
    skipped: 1,
    planned: 0,
  });
  expect((await world.run()).report).toMatchObject({ found: 1, skipped: 1, succeeded: 0 });
  expect(await statusOf(waiting.id)).toBe("APPROVED");
});

it("keeps the hold as it was placed: it ends once, and is never deleted", async () => {
  await refusedPayee();
  const set = (change: string): Promise<unknown> =>
    world.database.query(`UPDATE payout_account_holds SET ${change}`);
  await expect(set("reason = 'x'")).rejects.toMatchObject({
    constraint: "payout_account_holds_released_once",
  });
  await expect(set("released_at = now()")).rejects.toMatchObject({
    constraint: "payout_account_holds_released",
  });
  await set("released_at = now(), released_by = 'Asha'");
  await expect(set("released_at = NULL, released_by = NULL")).rejects.toMatchObject({
    constraint: "payout_account_holds_released_once",
  });
  await expect(world.database.query("DELETE FROM payout_account_holds")).rejects.toThrow();
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { payoutTables } from "../../../../lib/payouts/pay/index.ts";
import { showPayout } from "../../../../lib/payouts/operate/index.ts";
import { openDatabase } from "../../../../lib/db/client.ts";
import { startSandbox, type Sandbox } from "../../../../scripts/sandbox/razorpay/index.ts";
import { runBatch } from "../../../support/batch-run.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import {
  checkMoneyInvariants,
  runPayouts,
  seedPayees,
  type RunResult,
  type SeededPayout,
} from "../../../support/payout-world.ts";
import type { BatchReport } from "../../../../lib/payouts/batch/index.ts";
import {
  DOCUMENTED_REASONS,
  nextStep,
  REASON_RULES,
  ruleOf,
  type DocumentedReason,
  type ReasonRule,
} from "../../../../lib/provider/index.ts";

/** All that the provider has not decided yet, or for good: one payee for each documented reason. */
const reasons = DOCUMENTED_REASONS.filter((reason) => reason !== "payout_processed");
const failing = reasons.filter((reason) => REASON_RULES[reason].state === "failed");
const waiting = reasons.filter((reason) => REASON_RULES[reason].state !== "failed");

let database: TestDatabase;
let sandbox: Sandbox;
const payouts = new Map<DocumentedReason, SeededPayout>();
let first: RunResult;
let batch: BatchReport;
let planned: RunResult;
let second: RunResult;

beforeAll(async () => {
  [database, sandbox] = await Promise.all([createTestDatabase(), startSandbox()]);
  const payees = await seedPayees(
    database,
    reasons.map(() => ({})),
  );
  for (const [index, reason] of reasons.entries()) {
    const payout = payees[index]?.payouts[0];
    if (!payout?.accountNumber) throw new Error("a payee was not seeded");
    payouts.set(reason, payout);
    const { state } = REASON_RULES[reason];
    sandbox.addFaults({
      on: "POST /payouts",
      match: { account_number: payout.accountNumber },
      initialState: state === "processed" ? "processing" : state,
      endReason: reason,
      ...(state === "processing" ? { endState: "processing" } : {}),
    });
  }
  first = await runPayouts({ database, sandbox });
  batch = (await runBatch(database)).report;
  planned = await runPayouts({ database, sandbox, dryRun: true });
  second = await runPayouts({ database, sandbox });
});
afterAll(async () => {
  try {
    await checkMoneyInvariants(database, sandbox);
  } finally {
    await sandbox.close();
    await database.drop();
  }
});

const payoutOf = (reason: DocumentedReason): SeededPayout => {
  const payout = payouts.get(reason);
  if (!payout) throw new Error(`no payout of ${reason}`);
  return payout;
};

/** Every attempt for the payee of this reason, oldest first. */
const attemptsOf = (reason: DocumentedReason): Promise<{ mode: string; state: string }[]> =>
  database.query<{ mode: string; state: string }>(
    `SELECT attempt.mode, attempt.state::text FROM payout_attempts attempt JOIN payouts payout ON payout.id = attempt.payout_id
     WHERE payout.consultant_id = $1 ORDER BY attempt.created_at, attempt.id`,
    [payoutOf(reason).consultantId],
  );

const holdsOf = (reason: DocumentedReason): Promise<unknown[]> =>
  database.query(
    `SELECT hold.reason, hold.placed_by FROM payout_account_holds hold JOIN payout_accounts account ON account.id = hold.payout_account_id
     WHERE account.consultant_id = $1 AND hold.released_at IS NULL`,
    [payoutOf(reason).consultantId],
  );

const leftOut = (reason: DocumentedReason): string | undefined =>
  batch.items.find(({ consultantId }) => consultantId === payoutOf(reason).consultantId)?.code;

describe.each(failing)("failed for %s", (reason) => {
  const rule: ReasonRule = REASON_RULES[reason];

  it("is reported with the next step", async () => {
    const { id } = payoutOf(reason);
    expect(first.report.items).toContainEqual(
      expect.objectContaining({ payoutId: id, outcome: "failed", code: reason }),
    );
    const table = payoutTables(first.report).find(({ title }) => title === "Reasons");
    expect(table?.rows).toContainEqual(["failed", reason, "1", id, nextStep(reason)]);
    const db = openDatabase({
      url: database.url,
      applicationName: "test",
      readOnly: true,
      connections: 1,
    });
    try {
      const shown = await showPayout(db, id);
      expect(shown).toMatchObject({ status: "FAILED", nextStep: nextStep(reason) });
      expect(shown?.accountStop ?? "").toContain(
        rule.action === "new-details" ? `REFUSED_ACCOUNT: ${rule.means}` : "",
      );
    } finally {
      await db.close();
    }
  });

  it(`has its action: ${rule.action}`, async () => {
    const modes = (await attemptsOf(reason)).map(({ mode }) => mode);
    const held = rule.action === "new-details" ? [{ reason, placed_by: PAY_RUN }] : [];
    expect(await holdsOf(reason)).toEqual(held);
    switch (rule.action) {
      case "new-details":
        expect(leftOut(reason)).toBe("REFUSED_ACCOUNT");
        expect(modes).toEqual(["IMPS"]);
        return;
      case "retry":
        expect(leftOut(reason)).toBe(rule.waitMinutes === 0 ? undefined : "RETRY_LATER");
        expect(modes).toEqual(rule.waitMinutes === 0 ? ["IMPS", "IMPS"] : ["IMPS"]);
        return;
      case "other-mode":
      case "split-or-other-mode":
        expect(leftOut(reason)).toBeUndefined();
        expect(modes).toEqual(["IMPS", "NEFT"]);
        return;
      case "our-money":
      case "support":
        expect(leftOut(reason)).toBeUndefined();
        expect(modes).toEqual(["IMPS", "IMPS"]);
        return;
      case "none":
      case "wait":
        throw new Error(`${rule.action} is no action of a failed payout`);
    }
  });
});

const PAY_RUN = "job:payouts/process-payouts";

it.each(waiting)("waits for what the provider has not decided: %s", async (reason) => {
  const { id, consultantId } = payoutOf(reason);
  expect(await database.query("SELECT status::text FROM payouts WHERE id = $1", [id])).toEqual([
    { status: "PROCESSING" },
  ]);
  expect(await attemptsOf(reason)).toEqual([{ mode: "IMPS", state: "ACCEPTED" }]);
  expect(await holdsOf(reason)).toEqual([]);
  expect(batch.items.some((item) => item.consultantId === consultantId)).toBe(false);
});

it("plans in the dry run what the run does", () => {
  expect(planned.report).toMatchObject({
    found: second.report.found,
    planned: second.report.succeeded,
  });
  expect(second.report).toMatchObject({ failed: 0, unknown: 0, skipped: 0 });
});

it("sends again by the same mode once the wait is over", async () => {
  await database.query("SET session_replication_role = replica");
  await database.query(
    "UPDATE payout_attempts SET settled_at = settled_at - interval '61 minutes' WHERE state = 'FAILED'",
  );
  await database.query("SET session_replication_role = origin");
  const again = (await runBatch(database)).report;
  const late = failing.filter((reason) => (ruleOf(reason)?.waitMinutes ?? 0) > 0);
  expect(again.created).toBe(late.length);
  await runPayouts({ database, sandbox });
  for (const reason of late) {
    expect(await attemptsOf(reason), reason).toEqual([
      { mode: "IMPS", state: "FAILED" },
      { mode: "IMPS", state: "PROCESSED" },
    ]);
  }
});

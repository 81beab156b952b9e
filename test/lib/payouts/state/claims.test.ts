import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { takeOverClaim, type ClaimResult } from "../../../../lib/payouts/state/claim.ts";
import type { ClaimedPayout } from "../../../../lib/payouts/state/decide.ts";
import { dueItems, find } from "../../../../lib/payouts/pay/find-due.ts";
import {
  ClaimLostError,
  failPayouts,
  returnAllToDue,
} from "../../../../lib/payouts/state/release.ts";
import { completePayouts } from "../../../../lib/payouts/state/complete.ts";
import { inTransaction, type Db } from "../../../../lib/db/client.ts";
import { noLease, type Lease } from "../../../../lib/support/lease.ts";
import {
  seedApprovedPayouts,
  seedPayee,
  seedPayees,
  settingsFor,
} from "../../../support/payout-world.ts";
import { share } from "../../../support/share.ts";
import { claimOne, prepareOne } from "../one.ts";
import { inFlight, paid, untouched, unknown, viewOf } from "../rows.ts";
import { impatient, inSession, untilBlocked, withDb } from "../sessions.ts";
import { useWorld } from "../world.ts";

const world = useWorld();

describe("what is due", () => {
  it("is paid oldest approval first, whatever the order of the rows", async () => {
    const times = ["2026-07-04", "2026-07-01", "2026-07-03", "2026-07-02"];
    const payees = await seedPayees(
      world.database,
      times.map((day) => ({ payouts: [{ approvedAt: `${day}T00:00:00Z` }] })),
    );
    await world.run({ limit: 3 });

    const claimed = await world.database.query<{ id: string }>(
      "SELECT id FROM payouts WHERE claimed_at IS NOT NULL",
    );
    const oldest = [1, 3, 2].map((index) => payees[index]?.payouts[0]?.id);
    expect(new Set(claimed.map(({ id }) => id))).toEqual(new Set(oldest));
    expect(await viewOf(world.database, payees[0]?.payouts[0]?.id ?? "")).toEqual(untouched);
  });

  it("comes page by page, each payout once", async () => {
    const count = share(1050);
    await seedApprovedPayouts(world.database, { count, payees: 30 });
    const { report, verdict } = await world.run({ razorpayX: { timeoutMs: 30_000 } });
    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({
      found: count,
      processed: count,
      succeeded: count,
      completed: count,
    });
    expect(world.sandbox.payouts()).toHaveLength(count);
  });

  it("is nothing that is pending, and nothing after three tries, which waits for a person", async () => {
    const { payouts } = await seedPayee(world.database, {
      payouts: [{ status: "PENDING" }, { tries: 3 }, { tries: 4 }, { tries: 2 }],
    });
    const { report, verdict } = await world.run();
    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 1, succeeded: 1, outOfTries: 2 });
    expect((await viewOf(world.database, payouts[3]?.id ?? "")).status).toBe("COMPLETED");
    expect(world.callsTo("POST /payouts")).toBe(1);
  });

  it("a second run changes nothing", async () => {
    await seedApprovedPayouts(world.database, { count: 5 });
    await world.run();
    const calls = world.sandbox.callCount();
    const { report, verdict } = await world.run();
    expect(verdict).toEqual({ kind: "completed" });
    expect(report.found).toBe(0);
    expect(world.sandbox.callCount()).toBe(calls);
  });

  it("is counted as a try only when it is refused for certain", async () => {
    const payout = await world.payout();
    const refuse = { on: "POST /payouts", status: 400 } as const;
    for (let tries = 1; tries <= 3; tries++) {
      world.sandbox.addFaults(refuse);
      await world.run();
      expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "FAILED", tries });
      await approveAgain(payout.id);
    }
    const { report } = await world.run();
    expect(report).toMatchObject({ found: 0, outOfTries: 1 });
    expect(world.callsTo("POST /payouts")).toBe(3);
  });
});

describe("a claim", () => {
  it("that another run wins is skipped, and the provider is not called for it", async () => {
    const [, second] = await seedApprovedPayouts(world.database, { count: 2 });
    const running = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("UPDATE payouts SET claimed_at = now() WHERE id = $1", [second?.id]);
      const run = world.run();
      await untilBlocked(world.database);
      await client.query("UPDATE payouts SET status = 'REJECTED' WHERE id = $1", [second?.id]);
      await client.query(
        "UPDATE earnings SET status = 'READY' WHERE id IN (SELECT earning_id FROM payout_items WHERE payout_id = $1)",
        [second?.id],
      );
      await client.query("UPDATE payout_items SET released_at = now() WHERE payout_id = $1", [
        second?.id,
      ]);
      await client.query("COMMIT");
      return { run };
    });
    const { report, verdict } = await running.run;

    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 2, processed: 1, succeeded: 1, skipped: 1 });
    expect(report.items).toMatchObject([{ payoutId: second?.id, code: "CLAIMED_ELSEWHERE" }]);
    const writes = world.sandbox.calls().filter(({ mutating }) => mutating);
    expect(writes.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "POST /contacts",
      "POST /fund_accounts",
      "POST /payouts",
    ]);
  });

  it("by several at once is won by one", async () => {
    const payout = await world.payout();
    const claims = await Promise.all(
      Array.from({ length: 4 }, () => withDb(world.database, (db) => claim(db, payout.id))),
    );
    expect(claims.map(({ kind }) => kind).sort()).toEqual(["claimed", "lost", "lost", "lost"]);
  });

  it("by two whole runs at once pays each payout once", async () => {
    await seedApprovedPayouts(world.database, { count: 40, payees: 8 });
    const [one, other] = await Promise.all([world.run(), world.run()]);
    expect(one.report.succeeded + other.report.succeeded).toBe(40);
    expect(one.report.completed + other.report.completed).toBe(40);
    expect(world.sandbox.payouts()).toHaveLength(40);
  });

  it("of a payout whose items do not add up to it is refused, and it stays approved", async () => {
    const [wrong, right] = await seedApprovedPayouts(world.database, { count: 2 });
    await setAmount(wrong?.id ?? "", -1n);
    const { report, verdict } = await world.run();
    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(report.items).toMatchObject([{ payoutId: wrong?.id, code: "PAYOUT_ITEMS_DISAGREE" }]);
    expect(await viewOf(world.database, wrong?.id ?? "")).toEqual(untouched);
    expect(await viewOf(world.database, right?.id ?? "")).toEqual(paid);
    await setAmount(wrong?.id ?? "", 1n);
  });

  it("of a payout that is more than its sale is refused, though its item says the same", async () => {
    const [wrong] = await seedApprovedPayouts(world.database, { count: 1 });
    const times = async (factor: string): Promise<void> => {
      // As the owner of the database could: the triggers are off.
      await world.database.query(
        `SET session_replication_role = replica;
         UPDATE payouts SET gross_paise = gross_paise ${factor}, amount_paise = amount_paise ${factor} WHERE id = '${wrong?.id ?? ""}';
         UPDATE payout_items SET gross_paise = gross_paise ${factor}, amount_paise = amount_paise ${factor}
         WHERE payout_id = '${wrong?.id ?? ""}';
         SET session_replication_role = DEFAULT`,
      );
    };
    await times("* 50");
    const { report, verdict } = await world.run();
    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(report.items).toMatchObject([{ payoutId: wrong?.id, code: "PAYOUT_ITEMS_DISAGREE" }]);
    expect(world.sandbox.payouts()).toEqual([]);
    expect(await viewOf(world.database, wrong?.id ?? "")).toEqual(untouched);
    await times("/ 50");
  });

  it.each([
    ["NO_PAYOUT_ACCOUNT", { account: null }],
    ["NO_TAX_PROFILE", { taxProfile: false }],
    ["NON_RESIDENT", { resident: false }],
    ["CURRENCY_NOT_SUPPORTED", { payouts: [{ currency: "USD" }] }],
  ] as const)("is refused as %s without a call, the earnings released", async (code, seed) => {
    const payout = await world.payout(seed);
    const { report, verdict } = await world.run();
    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-failed" });
    expect(report).toMatchObject({ processed: 1, failed: 1, grossPaise: 0n });
    expect(report.items).toMatchObject([{ payoutId: payout.id, outcome: "failed", code }]);
    expect(await viewOf(world.database, payout.id)).toEqual({
      ...untouched,
      status: "FAILED",
      tries: 1,
      earnings: ["READY"],
      held: false,
    });
    expect(world.sandbox.calls().some(({ mutating }) => mutating)).toBe(false);
  });
});

describe("a claim that a dead run left without an attempt", () => {
  const held = (fence: bigint): Lease => ({ ...noLease, fence });

  it("is taken over at once under a newer fence, with the tax that was reserved", async () => {
    const payout = await abandoned({ fence: 7n });
    const { report, runId } = await world.run({ lease: held(8n) });
    expect(report).toMatchObject({ found: 1, processed: 1, succeeded: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
    expect(await claimOf(payout.id)).toEqual({ claimedBy: runId, fence: 8n });
  });

  it("takes no other payout's place in the run that returned it", async () => {
    const [first, second] = await seedPayees(world.database, [
      { payouts: [{ approvedAt: "2026-07-01T00:00:00Z" }] },
      { payouts: [{ approvedAt: "2026-07-02T00:00:00Z" }] },
    ]);
    const [returned, other] = [first, second].map((payee) => payee?.payouts[0]?.id ?? "");
    await withDb(world.database, async (db) => {
      await claimed(db, returned ?? "", { fence: 7n });
      const ports = {
        db,
        runId: randomUUID(),
        lease: held(8n),
        settings: settingsFor({ sandbox: world.sandbox }),
      };
      const found = await find(ports, { kind: "consultant", limit: 1000 });
      const met: string[] = [];
      for await (const { id } of dueItems(ports, [found])) {
        met.push(id);
        if (id !== returned) continue;
        await inTransaction(db, (tx) =>
          returnAllToDue(tx, { runId: OLD_RUN }, [{ payoutId: id, reason: "X" }]),
        );
      }
      expect(met).toEqual([returned, other]);
    });
  });

  it.each([7n, 6n])("is left alone under the same or an older fence (%s)", async (fence) => {
    const payout = await abandoned({ fence: 7n });
    const { report } = await world.run({ lease: held(fence) });
    expect(report.found).toBe(0);
    expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "PROCESSING" });
  });

  it("is taken over with the lock off only after 45 minutes", async () => {
    const payout = await abandoned({ fence: null });
    expect((await world.run()).report.found).toBe(0);
    await age(payout.id, "44 minutes");
    expect((await world.run()).report.found).toBe(0);
    await age(payout.id, "46 minutes");
    expect((await world.run()).report).toMatchObject({ found: 1, succeeded: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
  });

  it.each(["PREPARED", "UNKNOWN", "ACCEPTED"])(
    "is not one when there is an attempt in state %s: it is never touched",
    async (state) => {
      const payout = await world.payout();
      if (state === "PREPARED") {
        await withDb(world.database, async (db) => {
          await attempt(db, await claimed(db, payout.id));
        });
      } else if (state === "UNKNOWN") {
        world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
        await world.run({ lease: held(7n) });
      } else {
        world.sandbox.addFaults({ on: "POST /payouts", endState: "processing" });
        await world.run({ lease: held(7n) });
      }
      await age(payout.id, "3 days");
      const before = await viewOf(world.database, payout.id);
      const sent = world.callsTo("POST /payouts");

      const { report } = await world.run({ lease: held(99n) });

      expect(report).toMatchObject({ found: 0, inDoubtBefore: state === "ACCEPTED" ? 0 : 1 });
      expect(await viewOf(world.database, payout.id)).toEqual(before);
      expect(world.callsTo("POST /payouts")).toBe(sent);
      if (state === "ACCEPTED") expect(before).toEqual(inFlight);
      if (state === "UNKNOWN") expect(before).toEqual(unknown("connection-lost"));
    },
  );

  it("after an attempt that was turned away is taken over, under the next attempt's key", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults({ on: "POST /payouts", lowBalance: true });
    await world.run();
    await withDb(world.database, (db) => claimed(db, payout.id, { fence: 3n }));

    const { report } = await world.run({ lease: held(4n) });

    expect(report).toMatchObject({ found: 1, succeeded: 1 });
    expect((await viewOf(world.database, payout.id)).attempts).toEqual([
      "REFUSED insufficient-balance",
      "PROCESSED",
    ]);
  });

  it("of a payee who has no account any more is refused, its tax taken back", async () => {
    const payout = await abandoned({ fence: 1n });
    await world.database.query("UPDATE payout_accounts SET active = false");
    const { report } = await world.run({ lease: held(2n) });
    expect(report.items).toMatchObject([{ code: "NO_PAYOUT_ACCOUNT", outcome: "failed" }]);
    expect(await viewOf(world.database, payout.id)).toMatchObject({
      status: "FAILED",
      deductions: ["RESERVED", "reversed"],
    });
  });

  it("is taken over by one of several", async () => {
    const payout = await abandoned({ fence: 7n });
    const runs = await Promise.all([8n, 9n, 10n].map((fence) => world.run({ lease: held(fence) })));
    expect(runs.reduce((sum, { report }) => sum + report.succeeded, 0)).toBe(1);
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
    expect(world.callsTo("POST /payouts")).toBe(1);
  });

  it("counts against the limit, and before what is approved", async () => {
    const payout = await abandoned({ fence: 7n });
    const waiting = await world.payout();
    const { report } = await world.run({ lease: held(8n), limit: 1 });
    expect(report).toMatchObject({ found: 1, succeeded: 1 });
    expect((await viewOf(world.database, payout.id)).status).toBe("COMPLETED");
    expect(await viewOf(world.database, waiting.id)).toEqual(untouched);
  });
});

describe("a run whose claim was taken over", () => {
  it("can neither insert an attempt nor change the payout", async () => {
    const payout = await world.payout();
    await withDb(world.database, async (db) => {
      const stale = await claimed(db, payout.id, { runId: OLD_RUN, fence: 1n });
      const newer = { runId: NEW_RUN, fence: 2n };
      const taken = await takeOverClaim(db, {
        payoutId: payout.id,
        claimedBy: OLD_RUN,
        claimant: newer,
      });
      expect(taken.kind).toBe("claimed");

      const old = { runId: OLD_RUN };
      const payoutId = payout.id;
      await expect(attempt(db, stale, OLD_RUN)).rejects.toBeInstanceOf(ClaimLostError);
      const paid = [{ payoutId, attemptId: null }];
      for (const change of [
        inTransaction(db, (tx) => completePayouts(tx, old, paid)),
        inTransaction(db, (tx) => returnAllToDue(tx, old, [{ payoutId, reason: "X" }])),
        inTransaction(db, (tx) => failPayouts(tx, old, [{ payoutId, code: "X", message: "x" }])),
        takeOverClaim(db, { payoutId: payout.id, claimedBy: OLD_RUN, claimant: newer }).then(
          ({ kind }) => {
            if (kind === "lost") throw new ClaimLostError(payout.id);
          },
        ),
      ]) {
        await expect(change).rejects.toBeInstanceOf(ClaimLostError);
      }
      expect(await claimOf(payout.id)).toEqual({ claimedBy: NEW_RUN, fence: 2n });
      await expect(attempt(db, stale, NEW_RUN)).resolves.toBeDefined();
    });
  });

  it("can't insert an attempt by plain SQL either", async () => {
    const payout = await abandoned({ fence: 1n });
    await world.database.query("UPDATE payouts SET claimed_by = $1", [NEW_RUN]);
    await expect(
      world.database.query(
        `INSERT INTO payout_attempts (payout_id, attempt_no, payout_account_id, run_id, idempotency_key,
           reference_id, mode, amount_paise, request_hash, request_body)
         SELECT $1, 1, id, $2, 'key-1', 'reference-1', 'IMPS', $3, repeat('0', 64), '{}' FROM payout_accounts`,
        [payout.id, OLD_RUN, payout.amountPaise],
      ),
    ).rejects.toMatchObject({ constraint: "payout_attempts_claimed" });
  });

  it("loses nothing when its attempt and the take-over meet: the attempt wins", async () => {
    const payout = await world.payout();
    await withDb(world.database, (db) => claimed(db, payout.id, { runId: OLD_RUN, fence: 1n }));

    const takeOver = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payouts WHERE id = $1 FOR UPDATE", [payout.id]);
      const result = withDb(world.database, (db) =>
        takeOverClaim(db, {
          payoutId: payout.id,
          claimedBy: OLD_RUN,
          claimant: { runId: NEW_RUN, fence: 2n },
        }),
      );
      await untilBlocked(world.database);
      await client.query(
        `INSERT INTO payout_attempts (payout_id, attempt_no, payout_account_id, run_id, idempotency_key,
           reference_id, mode, amount_paise, request_hash, request_body)
         SELECT $1, 1, id, $2, 'key-1', 'reference-1', 'IMPS', $3, repeat('0', 64), '{}' FROM payout_accounts`,
        [payout.id, OLD_RUN, payout.amountPaise],
      );
      await client.query("COMMIT");
      return result;
    });

    expect(takeOver).toEqual({ kind: "lost" });
    expect((await claimOf(payout.id)).claimedBy).toBe(OLD_RUN);
  });

  it("loses nothing when the take-over comes first: no attempt is inserted", async () => {
    const payout = await world.payout();
    const stale = await withDb(world.database, (db) =>
      claimed(db, payout.id, { runId: OLD_RUN, fence: 1n }),
    );
    const prepared = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("UPDATE payouts SET claimed_by = $2 WHERE id = $1", [payout.id, NEW_RUN]);
      const result = withDb(world.database, (db) => attempt(db, stale, OLD_RUN)).catch(
        (error: unknown) => error,
      );
      await untilBlocked(world.database);
      await client.query("COMMIT");
      return result;
    });
    expect(prepared).toBeInstanceOf(ClaimLostError);
    expect((await viewOf(world.database, payout.id)).attempts).toEqual([]);
  });
});

describe("rows that another session holds", () => {
  it("all of them: nothing is done although work waits, and that is red", async () => {
    await seedApprovedPayouts(world.database, { count: 3 });
    const { report, verdict } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payouts FOR UPDATE");
      return world.run({ database: impatient(world.database) });
    });
    expect(verdict).toMatchObject({
      kind: "failed",
      code: "work-left-behind",
      message: "3 payouts wait and none was handled; each was passed over: ROW_LOCKED.",
    });
    expect(report).toMatchObject({ found: 3, processed: 0, skipped: 3 });
    expect(world.sandbox.calls().some(({ mutating }) => mutating)).toBe(false);
  });

  it("all of many: no more are tried than were in hand at first, and the run says why it stops", async () => {
    await seedApprovedPayouts(world.database, { count: 80 });
    const { report, verdict } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payouts FOR UPDATE");
      return world.run({ database: impatient(world.database, "20ms") });
    });
    expect(verdict).toMatchObject({ kind: "failed", code: "rows-locked" });
    expect(report.processed).toBe(0);
    expect(report.skipped).toBeGreaterThanOrEqual(30);
    // A locked row lets no other in: sixteen are in hand at any time.
    expect(report.skipped).toBeLessThanOrEqual(30 + 15);
    expect(report).toMatchObject({ claimed: 0, left: report.skipped });
  });

  it("for so long that the run's session is not free: it ends as that, and says who holds what", async () => {
    await seedApprovedPayouts(world.database, { count: 40 });
    const { report, verdict } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      // As an UPDATE of theirs holds them: claims can be made, contacts can not be kept.
      await client.query("SELECT 1 FROM consultants FOR NO KEY UPDATE");
      return world.run({ database: impatient(world.database, "9s"), sessionWaitMs: 5_000 });
    });
    if (verdict.kind !== "broken") throw new Error(`the run was ${verdict.kind}`);
    expect(verdict.error).toMatchObject({
      code: "DB_BUSY",
      message: expect.stringMatching(
        /wait for rows or all of consultants held by session \d+ \(another program\)/,
      ) as string,
    });
    expect(report.claimed).toBeGreaterThan(0);
    expect(report).toMatchObject({ processed: 0, skipped: report.claimed, left: report.claimed });
    expect(world.callsTo("POST /payouts")).toBe(0);
  });

  it("an account: what was claimed is due again, and is paid when the account is free", async () => {
    const payout = await world.payout();
    const { report, verdict } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payout_accounts FOR UPDATE");
      return world.run({ database: impatient(world.database) });
    });
    expect(verdict).toMatchObject({ code: "work-left-behind" });
    expect(report).toMatchObject({ found: 1, succeeded: 0, skipped: 1 });
    expect(await viewOf(world.database, payout.id)).toMatchObject({
      status: "APPROVED",
      attempts: [],
    });
    const again = await world.run();
    expect(again.report).toMatchObject({ found: 1, succeeded: 1 });
  });

  it("one of them: the others are paid, and the run says that one waits", async () => {
    const [locked, ...others] = await seedApprovedPayouts(world.database, { count: 3 });
    const { report, verdict } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM payouts WHERE id = $1 FOR UPDATE", [locked?.id]);
      return world.run({ database: impatient(world.database) });
    });
    expect(verdict).toMatchObject({
      kind: "partial",
      reason: "payouts-left",
      message: "2 of 3 payouts were sent; 1 waits for the next run.",
    });
    expect(report).toMatchObject({ succeeded: 2, skipped: 1 });
    expect(await viewOf(world.database, locked?.id ?? "")).toEqual(untouched);
    for (const { id } of others) expect(await viewOf(world.database, id)).toEqual(paid);
  });

  it("one that was claimed meanwhile: it stays claimed, unsent, for the next run", async () => {
    const [locked] = await seedApprovedPayouts(world.database, { count: 2 });
    const { report, verdict } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      return world.run({
        database: impatient(world.database),
        lease: { ...noLease, fence: 1n },
        wrapGateway: (gateway) => ({
          ...gateway,
          createFundAccount: async (input, options) => {
            const answer = await gateway.createFundAccount(input, options);
            const account = input.account.kind === "vpa" ? "" : input.account.accountNumber;
            if (account === locked?.accountNumber)
              await client.query("SELECT 1 FROM payouts WHERE id = $1 FOR UPDATE", [locked.id]);
            return answer;
          },
        }),
      });
    });
    expect(verdict).toMatchObject({ kind: "partial", reason: "payouts-left" });
    expect(report).toMatchObject({ succeeded: 1, skipped: 1 });
    expect(await viewOf(world.database, locked?.id ?? "")).toMatchObject({
      status: "PROCESSING",
      attempts: [],
    });
    const again = await world.run({ lease: { ...noLease, fence: 2n } });
    expect(again.report).toMatchObject({ found: 1, succeeded: 1 });
    expect(await viewOf(world.database, locked?.id ?? "")).toEqual(paid);
  });

  it("a tax profile that is held only delays the claim of its payee", async () => {
    const payout = await world.payout();
    const result = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      await client.query("SELECT 1 FROM tax_profiles FOR UPDATE");
      const run = world.run();
      await untilBlocked(world.database);
      await client.query("COMMIT");
      return run;
    });
    expect(result.verdict).toEqual({ kind: "completed" });
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
  });
});

const OLD_RUN = "00000000-0000-4000-8000-000000000001";
const NEW_RUN = "00000000-0000-4000-8000-000000000002";

async function claim(
  db: Db,
  payoutId: string,
  { runId = OLD_RUN, fence = null }: { runId?: string; fence?: bigint | null } = {},
): Promise<ClaimResult> {
  return claimOne(db, payoutId, { runId, fence });
}

async function claimed(
  db: Db,
  payoutId: string,
  claimant: { runId?: string; fence?: bigint | null } = {},
): Promise<ClaimedPayout> {
  const result = await claim(db, payoutId, claimant);
  if (result.kind !== "claimed") throw new Error(`the claim was ${result.kind}`);
  return result.payout;
}

const attempt = (db: Db, payout: ClaimedPayout, runId = OLD_RUN): ReturnType<typeof prepareOne> =>
  prepareOne(db, { payout, runId });

async function abandoned({ fence }: { fence: bigint | null }): ReturnType<typeof world.payout> {
  const payout = await world.payout();
  await withDb(world.database, (db) => claimed(db, payout.id, { fence }));
  return payout;
}

async function age(payoutId: string, interval: string): Promise<void> {
  await world.database.query("UPDATE payouts SET claimed_at = now() - $2::interval WHERE id = $1", [
    payoutId,
    interval,
  ]);
}

async function claimOf(
  payoutId: string,
): Promise<{ claimedBy: string | null; fence: bigint | null }> {
  const [row] = await world.database.query<{ claimedBy: string | null; fence: bigint | null }>(
    `SELECT claimed_by AS "claimedBy", claim_fence AS fence FROM payouts WHERE id = $1`,
    [payoutId],
  );
  if (!row) throw new Error(`there is no payout ${payoutId}`);
  return row;
}

async function setAmount(payoutId: string, changePaise: bigint): Promise<void> {
  await world.database.query(
    "UPDATE payouts SET amount_paise = amount_paise + $2, gross_paise = gross_paise + $2 WHERE id = $1",
    [payoutId, changePaise],
  );
}

/** What a person does who has mended the cause of a failure: link the earnings and approve again. */
async function approveAgain(payoutId: string): Promise<void> {
  for (const sql of [
    "UPDATE payout_items SET released_at = NULL WHERE payout_id = $1",
    `UPDATE earnings SET status = 'LINKED'
     WHERE id IN (SELECT earning_id FROM payout_items WHERE payout_id = $1)`,
    `UPDATE payouts SET status = 'APPROVED', tax_paise = NULL, net_paise = NULL, claimed_by = NULL
     WHERE id = $1`,
  ]) {
    await world.database.query(sql, [payoutId]);
  }
}

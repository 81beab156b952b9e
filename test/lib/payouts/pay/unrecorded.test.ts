import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { openTcpProxy, type TcpProxy } from "../../../support/tcp-proxy.ts";
import { countByStatus, failed, inFlight, paid, turnedAway, unknown, viewOf } from "../rows.ts";
import { endSessions, inSession, impatient } from "../sessions.ts";
import { useWorld } from "../world.ts";
import { isConnectionError } from "../../../../lib/db/sqlstate.ts";
import type { PayoutProvider } from "../../../../lib/provider/index.ts";

const world = useWorld();
let line: TcpProxy;
beforeEach(async () => void (line = await openTcpProxy(world.database.url)));
afterEach(() => line.close());
const throughLine = (): { url: string } => ({ url: line.through(world.database.url) });

/** Does `what` after the provider's answer and before it is recorded. */
function afterAnswer(what: () => unknown): (gateway: PayoutProvider) => PayoutProvider {
  return (gateway) => ({
    ...gateway,
    createPayout: async (request, options) => {
      const answer = await gateway.createPayout(request, options);
      await what();
      return answer;
    },
  });
}

/** After twenty answers: those, and what is in hand, which is sixteen and one more for each answer. */
const MOST_TOUCHED = 20 + (16 + 20);

const sent = { ...inFlight, attempts: ["PREPARED"] };

describe("an answer that can't be recorded, because the database", () => {
  it("ended the session and is back at once: it is recorded in the next try", async () => {
    const payout = await world.payout();
    const { verdict, report } = await world.run({
      wrapGateway: afterAnswer(() => endSessions(world.database)),
    });
    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 1, completed: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
    expect(world.callsTo("POST /payouts")).toBe(1);
  });

  it("broke the line and is back at once: it is recorded in the next try", async () => {
    const payout = await world.payout();
    const { verdict } = await world.run({
      database: throughLine(),
      wrapGateway: afterAnswer(() => line.drop()),
    });
    expect(verdict).toEqual({ kind: "completed" });
    expect(await viewOf(world.database, payout.id)).toEqual(paid);
  });

  it("stays away: the payout stays in processing with its attempt, its earnings linked", async () => {
    const payout = await world.payout();
    const { verdict, report } = await world.run({
      database: throughLine(),
      wrapGateway: afterAnswer(() => line.cut()),
    });
    expect(verdict).toMatchObject({ kind: "failed", code: "answer-not-recorded" });
    expect(report).toMatchObject({ found: 1, processed: 1, succeeded: 0, unknown: 1 });
    expect(report.unknownNetPaise).toBe(payout.amountPaise);
    expect(report.items).toMatchObject([{ code: "ANSWER_NOT_RECORDED", outcome: "unknown" }]);
    expect(await viewOf(world.database, payout.id)).toEqual(sent);

    line.restore();
    const again = await world.run();
    expect(again.report).toMatchObject({ found: 0, inDoubtBefore: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual(sent);
    expect(world.callsTo("POST /payouts")).toBe(1);
  });

  it("stays away in a run of many: the report says what was done, nothing more is sent", async () => {
    await seedApprovedPayouts(world.database, { count: 80 });
    let answers = 0;
    const { verdict, report } = await world.run({
      database: throughLine(),
      wrapGateway: afterAnswer(() => {
        if (++answers === 20) line.cut();
      }),
    });
    expect(verdict).toMatchObject({ kind: "failed", code: "answer-not-recorded" });
    expect(report.found).toBe(80);
    expect(report.unknown).toBeGreaterThan(0);
    const counts = await countByStatus(world.database);
    expect(counts["COMPLETED"]).toBeUndefined();
    expect(counts["APPROVED"]).toBeGreaterThanOrEqual(80 - MOST_TOUCHED);
    const accepted = world.sandbox.payouts().length;
    expect(accepted).toBeLessThanOrEqual(MOST_TOUCHED);
    const live = await world.database.query(
      "SELECT 1 FROM payout_attempts WHERE state IN ('PREPARED', 'ACCEPTED')",
    );
    expect(live.length).toBeGreaterThanOrEqual(accepted);
  });

  it.each([
    ["an attempt is committed", "INSERT INTO payout_attempts", 1, { kind: "broken" }],
    ["an answer is recorded", "UPDATE payout_attempts", 1, { code: "answer-not-recorded" }],
  ])("falls silent while %s: the run ends by itself", async (_when, text, time, verdict) => {
    await seedApprovedPayouts(world.database, { count: 5 });
    void line.when({ text, time }, () => line.silence());
    const ended = await world.run({ database: throughLine(), silenceMs: 700 });
    expect(ended.verdict).toMatchObject(verdict);
    if (ended.verdict.kind === "broken") expect(isConnectionError(ended.verdict.error)).toBe(true);
    line.drop();
  });

  it("goes away while final states are recorded: one is tried, not each in turn", async () => {
    await seedApprovedPayouts(world.database, { count: 5 });
    let lists = 0;
    const log = silentLog();
    const warn = vi.spyOn(log, "warn");
    const { verdict, report } = await world.run({
      database: throughLine(),
      log,
      wrapGateway: (gateway) => ({
        ...gateway,
        listPayouts: async (query, options) => {
          const answer = await gateway.listPayouts(query, options);
          // The first list is the question whether the provider is there.
          if (++lists === 2) line.cut();
          return answer;
        },
      }),
    });
    expect(verdict).toMatchObject({ kind: "completed" });
    expect(report).toMatchObject({ succeeded: 5, completed: 0 });
    expect(warn).toHaveBeenCalledTimes(1);
  });

  it("lets nobody have the row: the payout stays in processing with its attempt", async () => {
    const payout = await world.payout();
    const { verdict, report } = await inSession(world.database, async (client) => {
      await client.query("BEGIN");
      return world.run({
        database: impatient(world.database),
        wrapGateway: afterAnswer(() => client.query("SELECT 1 FROM payout_attempts FOR UPDATE")),
      });
    });
    expect(verdict).toMatchObject({ kind: "partial", reason: "outcome-unknown" });
    expect(report.items).toMatchObject([{ code: "ANSWER_NOT_RECORDED", outcome: "unknown" }]);
    expect(await viewOf(world.database, payout.id)).toEqual(sent);
  });
});

describe("a commit whose confirmation is lost", () => {
  it.each<[string, Fault | undefined, object, object, object]>([
    ["accepted", undefined, paid, { succeeded: 1, completed: 1 }, { kind: "completed" }],
    [
      "paid at once",
      { on: "POST /payouts", initialState: "processed" },
      paid,
      { succeeded: 1, completed: 1 },
      { kind: "completed" },
    ],
    [
      "refused",
      { on: "POST /payouts", status: 400, error: { reason: "imps_not_allowed" } },
      failed("REFUSED imps_not_allowed"),
      { failed: 1, skipped: 0 },
      { kind: "partial", reason: "payouts-failed" },
    ],
    [
      "failed at the provider",
      { on: "POST /payouts", initialState: "failed", endReason: "bank_account_closed" },
      failed("FAILED bank_account_closed"),
      { failed: 1, skipped: 0 },
      { kind: "partial", reason: "payouts-failed" },
    ],
    [
      "turned away",
      { on: "POST /payouts", status: 401 },
      turnedAway("credentials"),
      { skipped: 1, processed: 0 },
      { kind: "failed", code: "credentials" },
    ],
  ])("(%s) counts as what it was", async (_title, fault, becomes, counts, verdict) => {
    const payout = await world.payout();
    if (fault) world.sandbox.addFaults(fault);
    const result = await world.run({
      database: throughLine(),
      wrapGateway: afterAnswer(() => line.loseNextAnswerTo("COMMIT")),
    });
    expect(await viewOf(world.database, payout.id)).toEqual(becomes);
    expect(result.report).toMatchObject(counts);
    expect(result.verdict).toMatchObject(verdict);
  });

  it("(unknown, a single statement) counts as unknown", async () => {
    const payout = await world.payout();
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    const { report } = await world.run({
      database: throughLine(),
      wrapGateway: afterAnswer(() => line.drop()),
    });
    expect(report).toMatchObject({ unknown: 1 });
    expect(await viewOf(world.database, payout.id)).toEqual(unknown("connection-lost"));
  });

  it("of the claim ends the run, and the next run takes the claim over", async () => {
    const payout = await world.payout();
    const ended = await world.run({
      database: throughLine(),
      lease: { fence: 1n, assertTrusted: () => line.loseNextAnswerTo("COMMIT") },
    });
    expect(ended.verdict.kind).toBe("broken");
    expect(await viewOf(world.database, payout.id)).toMatchObject({ status: "PROCESSING" });
    expect(world.callsTo("POST /payouts")).toBe(0);
    const { report } = await world.run({ lease: { fence: 2n, assertTrusted: () => undefined } });
    expect(report).toMatchObject({ found: 1, completed: 1 });
  });
});

describe("a database that goes away between payouts", () => {
  it("ends the run with the database's error, and loses nothing", async () => {
    await seedApprovedPayouts(world.database, { count: 5 });
    const ended = await world.run({
      database: throughLine(),
      wrapGateway: (gateway) => ({
        ...gateway,
        createContact: (input, options) => {
          line.cut();
          return gateway.createContact(input, options);
        },
      }),
    });
    expect(ended).toMatchObject({
      verdict: { kind: "broken" },
      report: { found: 5, claimed: 5, succeeded: 0, skipped: 5, left: 5 },
    });
    expect(ended.report.reasons).toEqual({ "skipped RUN_ENDED": 5 });
    expect(world.callsTo("POST /payouts")).toBe(0);
    line.restore();
    await world.database.query(
      "UPDATE payouts SET claimed_at = now() - interval '1 hour' WHERE status = 'PROCESSING'",
    );
    const { report } = await world.run();
    expect(report).toMatchObject({ found: 5, completed: 5 });
  });
});

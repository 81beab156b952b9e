import { describe, expect, it } from "vitest";
import type { Fault } from "../../../../scripts/sandbox/razorpay/index.ts";
import { openDatabase } from "../../../../lib/db/client.ts";
import { ClaimLostError } from "../../../../lib/payouts/state/release.ts";
import { recordOutcome } from "../../../../lib/payouts/state/outcome.ts";
import { LeaseLostError } from "../../../../lib/support/lease.ts";
import { seedApprovedPayouts } from "../../../support/payout-world.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { digestOf, failed, inFlight, paid, unknown, viewOf } from "../rows.ts";
import { useWorld } from "../world.ts";

const world = useWorld();
const onPayout = (fault: Omit<Fault, "on">): Fault => ({ on: "POST /payouts", ...fault });
const stuck = (options: Partial<Parameters<typeof runStuck>[0]> = {}) =>
  runStuck({ database: world.database, sandbox: world.sandbox, ...options });

/** A payout whose answer was lost; `accepted` says whether the provider has it all the same. */
async function lostAnswer({ accepted }: { accepted: boolean }): Promise<string> {
  const { id } = await world.payout();
  world.sandbox.addFaults(onPayout(accepted ? { dropAfter: true } : { dropBefore: true }));
  await world.run();
  expect(await viewOf(world.database, id)).toMatchObject({ status: "PROCESSING", held: true });
  return id;
}

/** As if the attempt had been made so long ago. */
async function age(interval: string): Promise<void> {
  await world.database.query(`UPDATE payout_attempts SET created_at = created_at - $1::interval`, [
    interval,
  ]);
}

describe("a payout whose answer was lost", () => {
  it("is completed when the provider has paid it", async () => {
    const id = await lostAnswer({ accepted: true });
    const { verdict, report } = await stuck();
    expect(verdict).toEqual({ kind: "completed" });
    expect(report).toMatchObject({ found: 1, settled: 1, closed: 0 });
    expect(await viewOf(world.database, id)).toEqual(paid);
  });

  it("stays in flight while the provider has not finished", async () => {
    const { id } = await world.payout();
    world.sandbox.addFaults(onPayout({ dropAfter: true, endState: "processing" }));
    await world.run();
    expect((await stuck()).report).toMatchObject({
      found: 1,
      atProvider: 1,
      inFlight: { count: 1 },
      overdue: 0,
    });
    expect(await viewOf(world.database, id)).toEqual(inFlight);
  });

  it("is failed and its earnings are released when the provider says that it failed", async () => {
    const { id } = await world.payout();
    world.sandbox.addFaults(
      onPayout({ dropAfter: true, endState: "failed", endReason: "bank_account_frozen" }),
    );
    await world.run();
    await stuck();
    expect(await viewOf(world.database, id)).toEqual(failed("FAILED bank_account_frozen"));
  });

  it("waits while the provider does not have it and an hour has not passed", async () => {
    const id = await lostAnswer({ accepted: false });
    const before = await digestOf(world.database);
    const { verdict, report } = await stuck();
    expect(verdict).toMatchObject({
      kind: "completed",
      note: expect.stringMatching(/^1 payout is still open/) as string,
    });
    expect(report).toMatchObject({ waiting: 1, closed: 0 });
    expect(await digestOf(world.database)).toEqual(before);
    expect(await viewOf(world.database, id)).toEqual(unknown("connection-lost"));
  });

  it("is approved again after the hour, and then paid once under a second key", async () => {
    const id = await lostAnswer({ accepted: false });
    await age("61 minutes");
    const { verdict, report } = await stuck();
    expect(report).toMatchObject({ closed: 1 });
    expect(verdict).toEqual({
      kind: "completed",
      warning:
        "1 payout is due again and not paid yet: 1 never accepted by the provider. The next run of payouts/process-payouts pays it: start it by hand if its schedule is too late.",
    });
    expect(await viewOf(world.database, id)).toMatchObject({
      status: "APPROVED",
      tries: 0,
      attempts: ["REFUSED NEVER_ACCEPTED"],
      deductions: ["RESERVED", "reversed"],
    });

    await world.run();
    const [first, ...more] = world.sandbox.payouts();
    expect(more).toEqual([]);
    expect(first?.idempotency_key).toMatch(/-2$/);
    expect(await viewOf(world.database, id)).toMatchObject({
      status: "COMPLETED",
      attempts: ["REFUSED NEVER_ACCEPTED", "PROCESSED"],
    });
  });

  it("stays as it is when the provider can not be asked, and is red after a day", async () => {
    const id = await lostAnswer({ accepted: false });
    await age("25 hours");
    world.sandbox.addFaults({ on: "GET /payouts", times: -1, status: 503 });
    const { verdict, report } = await stuck();
    expect(report).toMatchObject({ unanswered: 1, overdue: 1 });
    expect(verdict).toMatchObject({ kind: "failed", code: "stuck-too-long" });
    expect(await viewOf(world.database, id)).toMatchObject({ status: "PROCESSING", held: true });
  });

  it("is never closed by a run that has lost its lease", async () => {
    const id = await lostAnswer({ accepted: false });
    await age("2 hours");
    const lease = {
      fence: 7n,
      assertTrusted: () => {
        throw new LeaseLostError("test");
      },
    };
    await expect(stuck({ lease })).rejects.toThrow(LeaseLostError);
    expect(await viewOf(world.database, id)).toMatchObject({
      attempts: ["UNKNOWN connection-lost"],
    });
  });
});

describe("an attempt that was committed and perhaps never sent", () => {
  it("is settled like any other whose answer is missing", async () => {
    const id = await lostAnswer({ accepted: true });
    // What a kill between commit and answer leaves.
    await world.database.query(`ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_guard`);
    await world.database.query(
      `UPDATE payout_attempts SET state = 'PREPARED', failure_code = NULL`,
    );
    await world.database.query(`ALTER TABLE payout_attempts ENABLE TRIGGER payout_attempts_guard`);
    await stuck();
    expect(await viewOf(world.database, id)).toEqual(paid);
  });
});

describe("what no job may mend", () => {
  it("becomes one finding, however often it is seen, and nothing is changed", async () => {
    const id = await lostAnswer({ accepted: true });
    const differing = () =>
      stuck({
        wrapGateway: (gateway) => ({
          ...gateway,
          findPayoutsByReference: async (reference, options) => {
            const answer = await gateway.findPayoutsByReference(reference, options);
            if (answer.kind !== "accepted") return answer;
            return {
              ...answer,
              value: answer.value.map((payout) => ({ ...payout, amountPaise: 1n })),
            };
          },
        }),
      });
    expect((await differing()).verdict).toMatchObject({ kind: "failed", code: "records-differ" });
    await differing();
    expect(
      await world.database.query(
        `SELECT kind, severity::text AS severity, subject_id FROM findings`,
      ),
    ).toEqual([{ kind: "amount-differs", severity: "critical", subject_id: id }]);
    expect(await viewOf(world.database, id)).toMatchObject({ status: "PROCESSING" });
  });
});

describe("several runs", () => {
  it("at once settle each payout once", async () => {
    await seedApprovedPayouts(world.database, { count: 12 });
    world.sandbox.addFaults(onPayout({ dropAfter: true, times: 4 }));
    await world.run();
    const reports = await Promise.all([stuck(), stuck(), stuck()]);
    const [{ count } = { count: 0n }] = await world.database.query<{ count: bigint }>(
      `SELECT count(*) AS count FROM payouts WHERE status = 'COMPLETED'`,
    );
    expect(count).toBe(12n);
    expect(reports.map(({ verdict }) => verdict.kind)).toEqual([
      "completed",
      "completed",
      "completed",
    ]);
  });

  it("leave nothing to change for the next", async () => {
    await lostAnswer({ accepted: true });
    await stuck();
    const before = await digestOf(world.database);
    expect((await stuck()).report.found).toBe(0);
    expect(await digestOf(world.database)).toEqual(before);
  });
});

describe("a dry run", () => {
  it("decides the same and changes nothing", async () => {
    await lostAnswer({ accepted: true });
    const before = await digestOf(world.database);
    const { report } = await stuck({ dryRun: true });
    expect(report).toMatchObject({ found: 1, settled: 1 });
    expect(await digestOf(world.database)).toEqual(before);
  });
});

describe("a process that wakes up after its payout was taken over", () => {
  it("changes nothing any more, though the payout is still in flight", async () => {
    const { id } = await world.payout();
    world.sandbox.addFaults(onPayout({ dropAfter: true, endState: "processing" }));
    const { runId } = await world.run();
    await stuck();
    const [attempt] = await world.database.query<{ id: string }>(`SELECT id FROM payout_attempts`);
    const db = openDatabase({
      url: world.database.url,
      applicationName: "a run that slept",
      readOnly: false,
      connections: 1,
    });
    try {
      const ref = { attemptId: attempt?.id ?? "", payoutId: id, runId };
      const failure = { code: "BAD_REQUEST_ERROR", reason: "late", field: null, description: "" };
      await expect(
        recordOutcome(db, ref, { kind: "refused", httpStatus: 400, failure, body: null }),
      ).rejects.toThrow(ClaimLostError);
    } finally {
      await db.close();
    }
    expect(await viewOf(world.database, id)).toEqual(inFlight);
  });
});

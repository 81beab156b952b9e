import { describe, expect, it } from "vitest";
import { refundEarning } from "../../../../lib/earnings/refund.ts";
import { LeaseLostError, noLease, type Lease } from "../../../../lib/support/lease.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { seedPayees, type PayeeSeed, type SeededPayout } from "../../../support/payout-world.ts";
import { digestOf, failed, paid, turnedAway, unknown, untouched, viewOf } from "../rows.ts";
import { withDb } from "../sessions.ts";
import { useWorld } from "../world.ts";

const world = useWorld();
const held = (fence: bigint): Lease => ({ ...noLease, fence });
const waiting = { ...untouched, status: "PENDING" };
const refusedAtClaim = {
  ...untouched,
  status: "FAILED",
  tries: 1,
  earnings: ["READY"],
  held: false,
};

/** One payout each, in the order of the seeds. */
async function given(...seeds: PayeeSeed[]): Promise<SeededPayout[]> {
  const payees = await seedPayees(world.database, seeds);
  return payees.flatMap(({ payouts }) => payouts);
}

const organization = (seed: PayeeSeed = {}): PayeeSeed => ({ ...seed, organization: true });

async function audited(payoutId: string): Promise<string[]> {
  const rows = await world.database.query<{ said: string }>(
    `SELECT concat_ws(' ', actor, action, reason) AS said FROM audit_log
     WHERE subject_type = 'payout' AND subject_id = $1 ORDER BY id`,
    [payoutId],
  );
  return rows.map(({ said }) => said.replace("job:payouts/", ""));
}

describe("an organization's payout", () => {
  it("is paid by the same run after the consultants', without approval, counted apart and audited", async () => {
    const [late, own, early] = await given(
      organization({ payouts: [{ approvedAt: "2026-05-02T00:00:00Z" }] }),
      {},
      organization({ payouts: [{ approvedAt: "2026-05-01T00:00:00Z" }] }),
    );

    const { report, verdict, runId } = await world.run({ razorpayX: { requestsPerSecond: 1 } });

    expect(verdict).toEqual({ kind: "completed" });
    const one = { found: 1, claimed: 1, processed: 1, succeeded: 1, completed: 1, failed: 0 };
    expect(report).toMatchObject({ ...one, grossPaise: own?.amountPaise });
    expect(report.organizations).toMatchObject({
      found: 2,
      claimed: 2,
      processed: 2,
      succeeded: 2,
      completed: 2,
      grossPaise: (late?.amountPaise ?? 0n) + (early?.amountPaise ?? 0n),
    });
    const { grossPaise, taxPaise, netPaise } = report.organizations;
    expect(taxPaise + netPaise).toBe(grossPaise);
    const order = await world.database.query("SELECT id FROM payouts ORDER BY claimed_at");
    expect(order.map(({ id }) => id as string)).toEqual([own?.id, early?.id, late?.id]);
    for (const payout of [late, early]) {
      expect(await viewOf(world.database, payout?.id ?? "")).toEqual(paid);
      expect(await audited(payout?.id ?? "")).toEqual([
        "process-payouts claimed",
        "process-payouts completed",
      ]);
    }
    expect(await audited(own?.id ?? "")).toEqual([]);
    const [entry] = await world.database.query(
      "SELECT detail FROM audit_log WHERE action = 'claimed' AND subject_id = $1",
      [early?.id],
    );
    expect(entry?.["detail"]).toMatchObject({ runId, amountPaise: String(early?.amountPaise) });
  });

  it("is counted by the run that claimed it when two run at once, and paid once", async () => {
    await given(
      ...Array.from({ length: 20 }, () => organization()),
      ...Array.from({ length: 4 }, () => ({})),
    );

    const runs = await Promise.all([world.run(), world.run()]);

    const counts = runs.map(({ report }) => report.organizations);
    const sum = (of: (each: (typeof counts)[number]) => number): number =>
      counts.reduce((total, each) => total + of(each), 0);
    expect(sum(({ claimed }) => claimed)).toBe(20);
    expect(sum(({ succeeded }) => succeeded)).toBe(20);
    expect(sum(({ completed }) => completed)).toBe(20);
    for (const [index, { runId }] of runs.entries()) {
      const [own] = await world.database.query(
        `SELECT count(*)::int AS n, COALESCE(sum(amount_paise), 0)::bigint AS paise FROM payouts
         WHERE claimed_by = $1 AND organization_id IS NOT NULL`,
        [runId],
      );
      expect(counts[index]).toMatchObject({
        claimed: own?.["n"] as number,
        processed: own?.["n"] as number,
        grossPaise: own?.["paise"] as bigint,
      });
    }
    expect(world.sandbox.payouts()).toHaveLength(24);
  });

  it("that was claimed by another run is in no number but skipped", async () => {
    await given(organization(), organization());
    const [one] = await world.database.query<{ id: string }>("SELECT id FROM payouts");
    const other = await world.run({
      wrapGateway: (gateway) => ({
        ...gateway,
        // Before the first claim: everything that was found is paid by somebody else.
        listPayouts: async (...args) => {
          if (world.callsTo("POST /payouts") === 0) await world.run();
          return gateway.listPayouts(...args);
        },
      }),
    });

    expect(one).toBeDefined();
    expect(other.verdict).toEqual({ kind: "completed" });
    expect(other.report.organizations).toMatchObject({
      found: 2,
      claimed: 0,
      processed: 0,
      completed: 0,
      skipped: 2,
      grossPaise: 0n,
    });
  });

  it("with an error makes the run partial, stops no other, and is no consultant's error", async () => {
    const [bad, good, own] = await given(
      organization({ account: null }),
      organization(),
      {},
      organization({ taxProfile: false }),
    );

    const { report, verdict } = await world.run();

    expect(verdict).toMatchObject({
      kind: "partial",
      reason: "payouts-failed",
      message: "1 of 3 organization payouts were sent; 2 failed.",
    });
    expect(report).toMatchObject({ found: 1, succeeded: 1, failed: 0, items: [], reasons: {} });
    expect(report.organizations).toMatchObject({ claimed: 3, succeeded: 1, failed: 2 });
    expect(report.organizations.items).toMatchObject([
      { payoutId: bad?.id, code: "NO_PAYOUT_ACCOUNT" },
      { code: "NO_TAX_PROFILE" },
    ]);
    expect(await viewOf(world.database, bad?.id ?? "")).toEqual(refusedAtClaim);
    expect(await audited(bad?.id ?? "")).toEqual([
      "process-payouts claimed",
      "process-payouts failed NO_PAYOUT_ACCOUNT",
    ]);
    for (const each of [good, own]) {
      expect(await viewOf(world.database, each?.id ?? "")).toEqual(paid);
    }
  });

  it("is not blamed for a consultant's error", async () => {
    await given({ account: null }, organization());
    const { report, verdict } = await world.run();
    expect(verdict).toMatchObject({ message: "0 of 1 payout was sent; 1 failed." });
    expect(report).toMatchObject({ failed: 1 });
    expect(report.organizations).toMatchObject({ succeeded: 1, failed: 0, items: [] });
  });

  it("that the provider refuses is FAILED and its earnings are released", async () => {
    const [payout] = await given(organization());
    world.sandbox.addFaults({ on: "POST /payouts", status: 400 });
    const { report } = await world.run();
    expect(report.organizations).toMatchObject({ claimed: 1, failed: 1, unknown: 0 });
    const view = await viewOf(world.database, payout?.id ?? "");
    expect(view).toEqual(failed(view.attempts[0] ?? ""));
    expect((await audited(payout?.id ?? "")).at(-1)).toMatch(/^process-payouts failed \w/);
  });

  it("in doubt stays PROCESSING with its earnings, is an error, and is not sent again", async () => {
    const [payout] = await given(organization());
    world.sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    const { report, verdict } = await world.run({ lease: held(1n) });
    expect(verdict).toMatchObject({ kind: "partial", reason: "outcome-unknown" });
    expect(report).toMatchObject({ unknown: 0 });
    expect(report.organizations).toMatchObject({
      unknown: 1,
      unknownNetPaise: payout?.amountPaise,
    });
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual(unknown("connection-lost"));

    expect((await world.run({ lease: held(2n) })).report.organizations.found).toBe(0);
    expect(world.sandbox.payouts()).toHaveLength(1);

    await runStuck(world);
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual(paid);
    expect((await audited(payout?.id ?? "")).at(-1)).toBe("handle-stuck-payouts completed");
  });

  it("turned away for a reason that is not its own is PENDING again, and the run stops", async () => {
    const [payout, next] = await given(organization(), organization());
    world.sandbox.addFaults({ on: "POST /payouts", status: 401 });
    const { report, verdict } = await world.run({ razorpayX: { requestsPerSecond: 1 } });
    expect(verdict).toMatchObject({ kind: "failed", code: "credentials" });
    expect(report.organizations).toMatchObject({ claimed: 1, processed: 0, skipped: 1 });
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual({
      ...turnedAway("credentials"),
      status: "PENDING",
    });
    expect(await viewOf(world.database, next?.id ?? "")).toEqual(waiting);
    expect((await audited(payout?.id ?? "")).at(-1)).toBe("process-payouts returned credentials");

    await world.run();
    expect((await viewOf(world.database, payout?.id ?? "")).status).toBe("COMPLETED");
  });

  it("that the provider never got is PENDING again once the wait is over", async () => {
    const [payout] = await given(organization());
    world.sandbox.addFaults({ on: "POST /payouts", dropBefore: true });
    await world.run();
    await world.database.query(
      "UPDATE payout_attempts SET created_at = now() - interval '2 hours'",
    );
    expect((await runStuck(world)).report).toMatchObject({ closed: 1 });
    expect(await viewOf(world.database, payout?.id ?? "")).toMatchObject({
      status: "PENDING",
      held: true,
      attempts: ["REFUSED NEVER_ACCEPTED"],
    });
    expect((await audited(payout?.id ?? "")).at(-1)).toBe(
      "handle-stuck-payouts returned NEVER_ACCEPTED",
    );
  });

  it("that a dead run left claimed is taken over, and only then", async () => {
    const [payout] = await given(organization());
    await world.run({
      lease: {
        ...held(7n),
        assertTrusted: () => {
          if (world.callsTo("POST /contacts") > 0) throw new LeaseLostError("test");
        },
      },
    });
    expect(await viewOf(world.database, payout?.id ?? "")).toMatchObject({ status: "PROCESSING" });
    expect((await world.run({ lease: held(7n) })).report.organizations.found).toBe(0);

    const { report } = await world.run({ lease: held(8n) });

    expect(report.organizations).toMatchObject({ found: 1, claimed: 1, succeeded: 1 });
    expect(report.found).toBe(0);
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual(paid);
    expect(await audited(payout?.id ?? "")).toEqual([
      "process-payouts claimed",
      "process-payouts claimed",
      "process-payouts completed",
    ]);
  });

  it("waits for a person after three tries, and counts in limit and caps with the consultants'", async () => {
    const seeds = [
      {},
      {},
      organization(),
      organization(),
      organization({ payouts: [{ tries: 3 }] }),
    ];
    await given(...seeds);

    expect((await world.run({ caps: { runCount: 3 } })).verdict).toMatchObject({
      code: "cap-exceeded",
      message: expect.stringMatching(/^4 payouts are due/) as string,
    });
    expect((await world.run({ caps: { runPaise: 3_599_99n } })).verdict).toMatchObject({
      code: "cap-exceeded",
    });
    const { report } = await world.run({ limit: 3 });
    expect(report).toMatchObject({ found: 2, succeeded: 2 });
    expect(report.organizations).toMatchObject({ found: 1, succeeded: 1, outOfTries: 1 });
  });

  it("is planned by a dry run as a run would pay it, and nothing is written", async () => {
    await given(organization(), organization({ account: null }), {});
    const before = await digestOf(world.database);
    const { report } = await world.run({ dryRun: true });
    expect(report).toMatchObject({ found: 1, planned: 1, failed: 0 });
    expect(report.organizations).toMatchObject({
      found: 2,
      planned: 1,
      failed: 1,
      claimed: 0,
      processed: 0,
    });
    expect(await digestOf(world.database)).toEqual(before);
  });

  it("left behind while consultants are paid makes the run red", async () => {
    const [payout] = await given(organization(), {});
    await world.database.query(
      `CREATE FUNCTION refuse_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`,
    );
    await world.database.query(
      `CREATE TRIGGER a_refuse_claim BEFORE UPDATE ON payouts FOR EACH ROW
       WHEN (NEW.organization_id IS NOT NULL) EXECUTE FUNCTION refuse_claim()`,
    );
    const { report, verdict } = await world.run();
    expect(report).toMatchObject({ succeeded: 1 });
    expect(verdict).toMatchObject({
      kind: "failed",
      code: "work-left-behind",
      message: expect.stringMatching(/^1 organization payout waits and none was handled/) as string,
    });
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual(waiting);
  });
});

describe("a claim looks once more at what nobody approved, and refuses", () => {
  const cases: [code: string, spoil: string, restore: string][] = [
    [
      "CURRENCY_MIXED",
      "UPDATE earnings SET currency = 'USD' WHERE id = $1",
      "UPDATE earnings SET currency = 'INR' WHERE id = $1",
    ],
    [
      "CURRENCY_NOT_SUPPORTED",
      "UPDATE payouts SET currency = 'USD' WHERE $1::uuid IS NOT NULL AND organization_id IS NOT NULL",
      "UPDATE payouts SET currency = 'INR' WHERE $1::uuid IS NOT NULL",
    ],
    [
      "PAYOUT_ITEMS_DISAGREE",
      "UPDATE payouts SET amount_paise = amount_paise - 1 WHERE $1::uuid IS NOT NULL AND organization_id IS NOT NULL",
      "UPDATE payouts SET amount_paise = amount_paise + 1 WHERE $1::uuid IS NOT NULL AND organization_id IS NOT NULL",
    ],
  ];
  it.each(cases)("as %s: FAILED and released, the others paid", async (code, spoil, restore) => {
    const [bad, good] = await given(organization({ payouts: [{ earnings: [{}, {}] }] }), {});
    const [earning = ""] = bad?.earningIds ?? [];
    await world.database.query(spoil, [earning]);
    const planned = await world.run({ dryRun: true });
    expect(planned.report.organizations.items).toMatchObject([{ payoutId: bad?.id, code }]);

    const { report } = await world.run();

    expect(report.organizations).toMatchObject({ claimed: 1, failed: 1, items: [{ code }] });
    expect(await viewOf(world.database, bad?.id ?? "")).toEqual({
      ...refusedAtClaim,
      earnings: ["READY", "READY"],
    });
    expect((await viewOf(world.database, good?.id ?? "")).status).toBe("COMPLETED");
    expect((await audited(bad?.id ?? "")).at(-1)).toBe(`process-payouts failed ${code}`);
    await world.database.query(restore, [earning]);
  });

  it.each([
    ["NET_NOT_POSITIVE", 1_000_00n, 900_00n],
    ["NET_DISAGREES", 100_00n, 90_00n],
  ])("as %s what refunds have changed since", async (code, gross, amount) => {
    const [payout] = await given(organization());
    const [earningId = ""] = payout?.earningIds ?? [];
    // What a program does that knows nothing of payouts.
    await world.database.query("UPDATE earnings SET status = 'READY'");
    const refunded = await withDb(world.database, (db) =>
      refundEarning(db, { earningId, key: "r", grossPaise: gross, amountPaise: amount }),
    );
    expect(refunded).toEqual({ kind: "refunded" });
    await world.database.query("UPDATE earnings SET status = 'LINKED'");
    const planned = await world.run({ dryRun: true });
    expect(planned.report.organizations.items).toMatchObject([{ code }]);

    const { report } = await world.run();

    expect(report.organizations.items).toMatchObject([{ payoutId: payout?.id, code }]);
    expect(await viewOf(world.database, payout?.id ?? "")).toEqual(refusedAtClaim);
    expect(world.callsTo("POST /payouts")).toBe(0);
  });

  it("as NET_NOT_POSITIVE what tax takes up entirely, which for a consultant is complete", async () => {
    const seed: PayeeSeed = {
      panStatus: "missing",
      payouts: [{ earnings: [{ grossPaise: 1_000_00n, platformFeePaise: 950_00n }] }],
    };
    const [theirs, own] = await given(organization(seed), seed);
    const planned = await world.run({ dryRun: true });
    expect(planned.report.organizations.items).toMatchObject([{ code: "NET_NOT_POSITIVE" }]);

    const { report } = await world.run();

    expect(report.organizations.items).toMatchObject([{ code: "NET_NOT_POSITIVE" }]);
    expect(await viewOf(world.database, theirs?.id ?? "")).toEqual(refusedAtClaim);
    expect((await viewOf(world.database, own?.id ?? "")).status).toBe("COMPLETED");
    expect(world.callsTo("POST /payouts")).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import type { ClaimResult } from "../../../../lib/payouts/state/claim.ts";
import { placeHold, releaseHold, type HoldReach } from "../../../../lib/payouts/operate/index.ts";
import { newUuid } from "../../../../lib/support/random.ts";
import type { PayeeSeed } from "../../../support/payout-world.ts";
import { runStuck } from "../../../support/stuck-run.ts";
import { claimOne } from "../one.ts";
import { paid, viewOf } from "../rows.ts";
import { snapshot } from "../snapshot.ts";
import { inSession, untilBlocked, withDb } from "../sessions.ts";
import { everyPayout, useWorld } from "../world.ts";

const world = useWorld();
const operator = { by: "Asha", reason: "the buyer disputes the sale" };

async function hold(consultant: string): Promise<HoldReach> {
  const change = await withDb(world.database, (db) =>
    placeHold(db, { consultant, kind: "open_dispute", operator }),
  );
  if (!change.done) throw new Error(change.refusal.message);
  return change.reach;
}

async function release(consultant: string): Promise<void> {
  await withDb(world.database, (db) => releaseHold(db, { consultant, kind: undefined, operator }));
}

const stuck = () => runStuck({ database: world.database, sandbox: world.sandbox });

/** Attempts and claims are so many hours older. */
async function hoursPass(hours: number): Promise<void> {
  await world.database.query(`
    ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_settled_once;
    UPDATE payout_attempts SET created_at = created_at - interval '${hours} hours';
    ALTER TABLE payout_attempts ENABLE TRIGGER payout_attempts_settled_once;
    UPDATE payouts SET claimed_at = claimed_at - interval '${hours} hours'`);
}

const kinds: [string, PayeeSeed][] = [
  ["a consultant's", {}],
  ["an organization's", { organization: true }],
];
const nothingSent = (): void => {
  expect(world.sandbox.payouts()).toEqual([]);
};
/** The numbers of the kind that the payee is of. */
const ofKind = (seed: PayeeSeed, counts: object): object =>
  seed.organization ? { organizations: counts } : counts;

describe.each(kinds)("a due payout (%s) whose payee is on hold", (_, seed) => {
  it("is not sent, is named, and leaves the run green; released, it is paid", async () => {
    const { id, consultantId, amountPaise } = await world.payout(seed);
    expect(await hold(consultantId)).toEqual({ due: 1, pending: 0, processing: 0, inDoubt: 0 });
    const before = await snapshot(world.database);

    const dry = await world.run({ dryRun: true });
    const held = await world.run();
    for (const { verdict, report } of [dry, held]) {
      const named = {
        payoutId: id,
        outcome: "held",
        code: "ON_HOLD",
        message: expect.stringContaining("open_dispute") as string,
      };
      const counts = { found: 0, held: 1, heldPaise: amountPaise, items: [named] };
      expect(report).toMatchObject(ofKind(seed, counts));
      expect(verdict).toMatchObject({
        kind: "completed",
        warning: expect.stringMatching(/^1 payout that is due was not sent/) as string,
      });
    }
    expect(await snapshot(world.database)).toEqual(before);
    nothingSent();

    await release(consultantId);
    const { report } = await world.run();
    expect(report).toMatchObject(ofKind(seed, { found: 1, completed: 1, held: 0 }));
    expect(await viewOf(world.database, id)).toMatchObject({ status: "COMPLETED" });
  });

  it("is in doubt, and due again when the provider never got it: it waits for the release", async () => {
    world.sandbox.addFaults(everyPayout({ dropBefore: true }));
    const { id, consultantId } = await world.payout(seed);
    await world.run();
    world.sandbox.clearFaults();
    expect(await hold(consultantId)).toEqual({ due: 0, pending: 0, processing: 1, inDoubt: 1 });
    const asked = world.callsTo("POST /payouts");
    await world.run();
    expect(world.callsTo("POST /payouts")).toBe(asked);
    await hoursPass(2);

    const { verdict, report } = await stuck();
    expect(report).toMatchObject({ closed: 1, held: 1 });
    expect(report.items).toMatchObject([{ message: expect.stringContaining("on hold") as string }]);
    expect(verdict).toMatchObject({ warning: expect.stringContaining("on hold") as string });

    const held = await world.run();
    expect(held.report).toMatchObject(ofKind(seed, { found: 0, held: 1 }));
    nothingSent();
    await release(consultantId);
    await world.run();
    expect(await viewOf(world.database, id)).toMatchObject({ status: "COMPLETED" });
  });

  it("is given back by the run that had claimed it: it waits for the release", async () => {
    const { id, consultantId } = await world.payout(seed);
    world.sandbox.addFaults(everyPayout({ lowBalance: true }));
    let reach: HoldReach | undefined;
    const { verdict } = await world.run({
      wrapGateway: (gateway) => ({
        ...gateway,
        createPayout: async (...call) => {
          reach = await hold(consultantId);
          return gateway.createPayout(...call);
        },
      }),
    });
    expect(verdict).toMatchObject({ kind: "failed", code: "insufficient-balance" });
    expect(reach).toEqual({ due: 0, pending: 0, processing: 1, inDoubt: 1 });
    world.sandbox.clearFaults();

    expect((await world.run()).report).toMatchObject(ofKind(seed, { found: 0, held: 1 }));
    nothingSent();
    await release(consultantId);
    await world.run();
    expect(await viewOf(world.database, id)).toMatchObject({ status: "COMPLETED" });
  });

  it("was claimed a moment before the hold: it is not sent, is due again and waits", async () => {
    const { id, consultantId } = await world.payout(seed);
    let reach: HoldReach | undefined;
    const { verdict, report } = await world.run({
      wrapGateway: (gateway) => ({
        ...gateway,
        createFundAccount: async (...call) => {
          reach = await hold(consultantId);
          return gateway.createFundAccount(...call);
        },
      }),
    });
    expect(reach).toEqual({ due: 0, pending: 0, processing: 1, inDoubt: 0 });
    expect(report).toMatchObject(
      ofKind(seed, { found: 1, skipped: 1, left: 0, reasons: { "skipped ON_HOLD": 1 } }),
    );
    expect(verdict).toMatchObject({ kind: "completed", warning: expect.any(String) as string });
    nothingSent();
    expect(await viewOf(world.database, id)).toMatchObject({
      status: seed.organization ? "PENDING" : "APPROVED",
      attempts: [],
      deductions: ["RESERVED", "reversed"],
    });
    await release(consultantId);
    await world.run();
    expect(await viewOf(world.database, id)).toMatchObject({ status: "COMPLETED" });
  });

  it("was left by a dead run: taken over, it is due again and waits", async () => {
    const { id, consultantId } = await world.payout(seed);
    await claim(id);
    await hold(consultantId);
    await hoursPass(1);
    const dry = await world.run({ dryRun: true });
    const { verdict, report } = await world.run();
    for (const each of [dry.report, report]) {
      expect(each).toMatchObject(
        ofKind(seed, { found: 1, skipped: 1, left: 0, reasons: { "skipped ON_HOLD": 1 } }),
      );
    }
    expect(verdict).toMatchObject({ kind: "completed", warning: expect.any(String) as string });
    expect(await viewOf(world.database, id)).toMatchObject({
      status: seed.organization ? "PENDING" : "APPROVED",
      deductions: ["RESERVED", "reversed"],
    });
    nothingSent();
    await release(consultantId);
    await world.run();
    expect(await viewOf(world.database, id)).toMatchObject({ status: "COMPLETED" });
  });
});

it("a hold that is placed after the run has read what is due stops the claim, and nobody else's", async () => {
  const first = await world.payout();
  const second = await world.payout();
  const { verdict, report } = await world.run({
    wrapGateway: (gateway) => ({
      ...gateway,
      listPayouts: async (filter, options) => {
        if (filter.count === 1) await hold(first.consultantId);
        return gateway.listPayouts(filter, options);
      },
    }),
  });
  expect(report).toMatchObject({ completed: 1 });
  expect(verdict.kind).toBe("completed");
  expect(await viewOf(world.database, first.id)).toMatchObject({
    status: "APPROVED",
    attempts: [],
  });
  expect(await viewOf(world.database, second.id)).toEqual(paid);
});

describe("a hold and a claim at the same moment", () => {
  const PLACE = `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
                 VALUES ($1, 'manual', 'r', 'p')`;

  it("the claim waits for a hold that is being placed, and sees it", async () => {
    const { id, consultantId } = await world.payout();
    const result = await inSession(world.database, async (person) => {
      await person.query("BEGIN");
      await person.query(PLACE, [consultantId]);
      const claiming = claim(id);
      await untilBlocked(world.database);
      await person.query("COMMIT");
      return claiming;
    });
    expect(result).toMatchObject({ kind: "held" });
    expect(await viewOf(world.database, id)).toMatchObject({ status: "APPROVED", deductions: [] });
  });

  it("the claim goes on when the hold is not placed after all", async () => {
    const { id, consultantId } = await world.payout();
    const result = await inSession(world.database, async (person) => {
      await person.query("BEGIN");
      await person.query(PLACE, [consultantId]);
      const claiming = claim(id);
      await untilBlocked(world.database);
      await person.query("ROLLBACK");
      return claiming;
    });
    expect(result).toMatchObject({ kind: "claimed" });
  });

  it("is refused by the database itself, whoever claims", async () => {
    const { id, consultantId } = await world.payout();
    await hold(consultantId);
    await expect(
      world.database.query(
        "UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = now() WHERE id = $1",
        [id],
      ),
    ).rejects.toMatchObject({ constraint: "payouts_not_on_hold" });
  });
});

async function claim(payoutId: string): Promise<ClaimResult> {
  const claimant = { runId: newUuid(), fence: null };
  return withDb(world.database, (db) => claimOne(db, payoutId, claimant));
}

import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Db } from "../../../../lib/db/client.ts";
import { prepareAttempts, type AttemptInput } from "../../../../lib/payouts/state/attempt.ts";
import { claimPayouts } from "../../../../lib/payouts/state/claim.ts";
import type { ClaimedPayout } from "../../../../lib/payouts/state/decide.ts";
import { recordOutcomes, type Recording } from "../../../../lib/payouts/state/outcome.ts";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import {
  seedApprovedPayouts,
  seedPayee,
  seedPayees,
  type SeededPayout,
} from "../../../support/payout-world.ts";
import { untouched, viewOf } from "../rows.ts";
import { withDb } from "../sessions.ts";
import { useWorld } from "../world.ts";

const world = useWorld();
const OTHER_RUN = "00000000-0000-4000-8000-00000000000f";

describe("several payouts claimed at once", () => {
  it("are each won or lost, in the order in which they were asked for", async () => {
    const [first, second, third] = await seedApprovedPayouts(world.database, { count: 3 });
    await change("UPDATE payouts SET tries = 3 WHERE id = $1", second);
    const results = await claim([third, second, first]);
    expect(results.map(({ kind }) => kind)).toEqual(["claimed", "lost", "claimed"]);
    expect(results.flatMap((each) => (each.kind === "claimed" ? each.payout.id : []))).toEqual([
      third?.id,
      first?.id,
    ]);
    expect(await viewOf(world.database, second?.id ?? "")).toEqual({ ...untouched, tries: 3 });
  });

  it("are taxed each on its own payee's year", async () => {
    const payees = await seedPayees(world.database, [
      {},
      { panStatus: "missing" },
      { category: "company" },
    ]);
    const together = await claim(payees.map(({ payouts }) => payouts[0]));
    const taxes = together.map((each) => each.kind === "claimed" && each.payout.taxPaise);
    expect(taxes).toEqual([0n, 50_00n, 1_00n]);
  });

  it("are none when two are of one payee: the second would not count the first", async () => {
    const { payouts } = await seedPayee(world.database, { payouts: [{}, {}] });
    await expect(claim(payouts)).rejects.toMatchObject({ code: "CLAIM_ORDER" });
    for (const { id } of payouts) expect(await viewOf(world.database, id)).toEqual(untouched);
  });

  it("are none when one does not add up", async () => {
    const [wrong, right] = await seedApprovedPayouts(world.database, { count: 2 });
    await change("UPDATE payouts SET amount_paise = amount_paise - 1 WHERE id = $1", wrong);
    await expect(claim([right, wrong])).rejects.toMatchObject({ code: "PAYOUT_ITEMS_DISAGREE" });
    expect(await viewOf(world.database, right?.id ?? "")).toEqual(untouched);
    await change("UPDATE payouts SET amount_paise = amount_paise + 1 WHERE id = $1", wrong);
  });
});

describe("several attempts made at once", () => {
  it("are made for what the run still holds, and for nothing else", async () => {
    const runId = randomUUID();
    const [kept, lost] = await claimed(runId, 2);
    await change("UPDATE payouts SET claimed_by = $2 WHERE id = $1", lost, OTHER_RUN);
    const attempts = await prepare(runId, [lost, kept]);
    expect(attempts.map((attempt) => typeof attempt?.body)).toEqual(["undefined", "string"]);
    expect((await viewOf(world.database, kept?.id ?? "")).attempts).toEqual(["PREPARED"]);
    expect((await viewOf(world.database, lost?.id ?? "")).attempts).toEqual([]);
  });
});

describe("several answers recorded at once", () => {
  it("keep their own outcomes; one that comes too late changes nothing and stops none", async () => {
    const runId = randomUUID();
    const payouts = await claimed(runId, 5);
    const attempts = await prepare(runId, payouts);
    const recordings = payouts.map((payout, index): Recording => ({
      payoutId: payout.id,
      attemptId: attempts[index]?.id ?? "",
      outcome: OUTCOMES[index] ?? unknown,
    }));
    const handOver = "UPDATE payouts SET claimed_by = $2, claimed_at = now() WHERE id = $1";
    await change(handOver, payouts[4], OTHER_RUN);

    const lost = await withDb(world.database, (db) => recordOutcomes(db, { runId }, recordings));

    expect([...lost]).toEqual([payouts[4]?.id]);
    const views = await Promise.all(payouts.map(({ id }) => viewOf(world.database, id)));
    expect(views.map(({ status, attempts: own }) => [status, ...own])).toEqual([
      ["FAILED", "REFUSED bank_account_invalid"],
      ["APPROVED", "REFUSED insufficient-balance"],
      ["PROCESSING", "UNKNOWN timeout"],
      ["PROCESSING", "UNKNOWN timeout"],
      ["PROCESSING", "PREPARED"],
    ]);
    // The same once more: all of it is known.
    const again = await withDb(world.database, (db) => recordOutcomes(db, { runId }, recordings));
    expect(again.size).toBe(3);
  });
});

const unknown = {
  kind: "unknown",
  httpStatus: undefined,
  cause: "timeout",
  body: undefined,
} as const;
const OUTCOMES: readonly Recording["outcome"][] = [
  {
    kind: "refused",
    httpStatus: 400,
    failure: { code: "X", reason: "bank_account_invalid", field: null, description: "no" },
    body: null,
  },
  { kind: "turned-away", httpStatus: 400, fault: "insufficient-balance", body: undefined },
  unknown,
];

function claim(payouts: readonly (SeededPayout | undefined)[], runId: string = randomUUID()) {
  return withDb(world.database, (db) =>
    claimPayouts(db, {
      payoutIds: payouts.map((payout) => payout?.id ?? ""),
      claimant: { runId, fence: null },
      tax: defaultTaxPolicy,
    }),
  );
}

async function claimed(runId: string, count: number): Promise<ClaimedPayout[]> {
  const results = await claim(await seedApprovedPayouts(world.database, { count }), runId);
  return results.flatMap((each) => (each.kind === "claimed" ? each.payout : []));
}

async function prepare(runId: string, payouts: readonly (ClaimedPayout | undefined)[]) {
  const inputs = payouts.flatMap((payout): AttemptInput[] =>
    payout
      ? [
          {
            payout,
            fundAccountId: "fa_00000000000001",
            mode: "IMPS",
            accountNumber: "7878780080316316",
            narration: "Consultant payout",
          },
        ]
      : [],
  );
  const prepared = await withDb(world.database, (db: Db) => prepareAttempts(db, { runId, inputs }));
  return prepared.map((each) => {
    if (each && "held" in each) throw new Error(each.held);
    return each;
  });
}

async function change(
  statement: string,
  payout: { id: string } | undefined,
  ...more: unknown[]
): Promise<void> {
  await world.database.query(statement, [payout?.id, ...more]);
}

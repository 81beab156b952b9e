import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, inTransaction, type Db, type DbSession } from "../../../../lib/db/client.ts";
import { takeOverClaim, type ClaimResult } from "../../../../lib/payouts/state/claim.ts";
import type { ClaimedPayout } from "../../../../lib/payouts/state/decide.ts";
import { completePayouts } from "../../../../lib/payouts/state/complete.ts";
import { abandonedClaims } from "../../../../lib/payouts/state/due.ts";
import { lockHeld } from "../../../../lib/payouts/state/held.ts";
import { keepContactId, keepFundAccountId } from "../../../../lib/payouts/state/payee.ts";
import {
  ClaimLostError,
  failPayouts,
  releaseEarnings,
  returnAllToDue,
} from "../../../../lib/payouts/state/release.ts";
import { reversePayout } from "../../../../lib/payouts/state/reverse.ts";
import { recordOutcome, type AttemptRef } from "../../../../lib/payouts/state/outcome.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { seedPayee, type PayeeSeed, type SeededPayout } from "../../../support/payout-world.ts";
import { claimOne, prepareOne } from "../one.ts";
import { meanwhile } from "../meanwhile.ts";
import { viewOf } from "../rows.ts";
import { takeOverInDoubt, takeOverUnsent } from "../../../../lib/payouts/state/take-over.ts";
import type { ProviderPayout } from "../../../../lib/provider/index.ts";

/** Each test has a payee of its own in it. What the statements do is asked of the statements alone. */
let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  const { url } = database;
  db = openDatabase({ url, applicationName: "a run under test", readOnly: false, connections: 1 });
});
afterAll(async () => {
  await db.close();
  await database.drop();
});

describe("a claim", () => {
  it.each([
    ["waits for approval", { status: "PENDING" }],
    ["is out of tries", { tries: 3 }],
  ] as const)("of a payout that %s is lost, and nothing is written", async (_, seed) => {
    const payout = await given({ payouts: [seed] });
    const before = await viewOf(database, payout.id);
    expect(await claim(payout.id)).toEqual({ kind: "lost" });
    expect(await viewOf(database, payout.id)).toEqual(before);
  });

  it.each([{ organization: true }, {}])(
    "of a payout that has failed is lost, whosever it is",
    async (seed) => {
      const { payout } = await failedOne(seed);
      expect(await claim(payout.id)).toEqual({ kind: "lost" });
    },
  );

  it.each([
    ["of an organization from PENDING", { organization: true }],
    ["of a consultant from APPROVED", {}],
  ])("is won %s", async (_, seed) => {
    const payout = await given(seed);
    expect(await claim(payout.id)).toMatchObject({ kind: "claimed" });
  });

  it.each(["claimed_by = gen_random_uuid()", "status = 'FAILED'"])(
    "is lost as a whole when the row is no longer its own before its tax is written (%s)",
    async (change) => {
      const payout = await given();
      const claimed = by((db) =>
        claim(payout.id, {
          db: meanwhile(db, {
            before: /SET tax_paise/,
            change: `UPDATE payouts SET ${change} WHERE id = '${payout.id}'`,
          }),
        }),
      );
      await expect(claimed).rejects.toBeInstanceOf(ClaimLostError);
      expect(await viewOf(database, payout.id)).toMatchObject({
        status: "APPROVED",
        deductions: [],
      });
    },
  );
});

describe("a claim that is taken over", () => {
  const takeOver = (payoutId: string, claimedBy: string) =>
    by((db) =>
      takeOverClaim(db, { payoutId, claimedBy, claimant: { runId: randomUUID(), fence: 9n } }),
    );

  it("must be of a payout in processing", async () => {
    const { payout, runId } = await failedOne();
    expect(await takeOver(payout.id, runId)).toEqual({ kind: "lost" });
  });

  it("must be held by the run from which it is taken", async () => {
    const { id } = (await claimedOne()).payout;
    expect(await takeOver(id, randomUUID())).toEqual({ kind: "lost" });
  });

  it("must be taxed", async () => {
    const { payout, runId } = await claimedOne();
    await change(`UPDATE payouts SET tax_paise = NULL, net_paise = NULL WHERE id = $1`, payout.id);
    expect(await takeOver(payout.id, runId)).toEqual({ kind: "lost" });
  });

  it("must have no attempt that may be alive", async () => {
    const { payout, runId } = await attempted();
    expect(await takeOver(payout.id, runId)).toEqual({ kind: "lost" });
  });

  it("may have an attempt that was refused", async () => {
    const { payout, runId } = await refusedOnce();
    expect(await takeOver(payout.id, runId)).toMatchObject({ kind: "claimed" });
  });
});

describe("what a run looks for as abandoned", () => {
  const isAbandoned = async (
    payoutId: string,
    options: { kind?: "consultant" | "organization"; runId?: string; fence?: bigint | null } = {},
  ): Promise<boolean> => {
    const { kind = "consultant", runId = randomUUID(), fence = null } = options;
    const found = await by((db) => abandonedClaims(db, { kind, runId, fence, limit: 1000 }));
    return found.some(({ id }) => id === payoutId);
  };
  const age = (payoutId: string) =>
    change("UPDATE payouts SET claimed_at = now() - interval '46 minutes' WHERE id = $1", payoutId);

  it("is a claim with an older fence, however young, or one that is old, whatever its fence", async () => {
    const { payout } = await claimedOne({ fence: 7n });
    expect(await isAbandoned(payout.id, { fence: 8n })).toBe(true);
    expect(await isAbandoned(payout.id, { fence: 7n })).toBe(false);
    await age(payout.id);
    expect(await isAbandoned(payout.id)).toBe(true);
  });

  it("is never what the run itself holds", async () => {
    const { payout, runId } = await claimedOne();
    await age(payout.id);
    expect(await isAbandoned(payout.id, { runId })).toBe(false);
  });

  it("is of the kind that is looked for", async () => {
    const { payout } = await claimedOne({ seed: { organization: true } });
    await age(payout.id);
    expect(await isAbandoned(payout.id, { kind: "consultant" })).toBe(false);
    expect(await isAbandoned(payout.id, { kind: "organization" })).toBe(true);
  });

  it("is in processing: nothing that has failed", async () => {
    const { payout } = await failedOne();
    await age(payout.id);
    expect(await isAbandoned(payout.id)).toBe(false);
  });

  it("has no attempt that may be alive; one that was refused does not count", async () => {
    const alive = await attempted();
    const refused = await refusedOnce();
    for (const { payout } of [alive, refused]) await age(payout.id);
    expect(await isAbandoned(alive.payout.id)).toBe(false);
    expect(await isAbandoned(refused.payout.id)).toBe(true);
  });
});

describe("what only the holder of a payout in processing may do", () => {
  const steps: [string, (tx: DbSession, held: { payoutId: string; runId: string }) => unknown][] = [
    [
      "fail it",
      (tx, { payoutId, runId }) =>
        failPayouts(tx, { runId }, [{ payoutId, code: "X", message: "x" }]),
    ],
    [
      "complete it",
      (tx, { payoutId, runId }) => completePayouts(tx, { runId }, [{ payoutId, attemptId: null }]),
    ],
    [
      "return it",
      (tx, { payoutId, runId }) => returnAllToDue(tx, { runId }, [{ payoutId, reason: "X" }]),
    ],
  ];
  const doing = (
    step: (typeof steps)[number][1],
    held: { payoutId: string; runId: string },
  ): Promise<unknown> =>
    by((db) => inTransaction(db, (tx) => Promise.resolve(step(tx, held)))).catch(
      (error: unknown) => error,
    );

  it.each(steps)("%s: another run can't", async (_, step) => {
    const { payout } = await claimedOne();
    const before = await viewOf(database, payout.id);
    const done = await doing(step, { payoutId: payout.id, runId: randomUUID() });
    expect(done).toBeInstanceOf(ClaimLostError);
    expect(await viewOf(database, payout.id)).toEqual(before);
  });

  it.each(steps)("%s: the same run can't once it has failed", async (_, step) => {
    const { payout, runId } = await failedOne();
    const before = await viewOf(database, payout.id);
    expect(await doing(step, { payoutId: payout.id, runId })).toBeInstanceOf(ClaimLostError);
    expect(await viewOf(database, payout.id)).toEqual(before);
  });

  it("lock it: another run can't, and the same run can't once it has failed", async () => {
    const lock = (payoutId: string, runId: string): Promise<ReadonlySet<string>> =>
      by((db) => lockHeld(db, { payoutIds: [payoutId], runId }));
    const { payout, runId } = await claimedOne();
    expect(await lock(payout.id, randomUUID())).toEqual(new Set());
    expect(await lock(payout.id, runId)).toEqual(new Set([payout.id]));
    const failed = await failedOne();
    expect(await lock(failed.payout.id, failed.runId)).toEqual(new Set());
  });

  it("take it over in doubt: only from its holder, and only in processing", async () => {
    const takeOver = (payoutId: string, claimedBy: string) =>
      by((db) =>
        takeOverInDoubt(
          db,
          { payoutId, claimedBy },
          {
            runId: randomUUID(),
            fence: 9n,
          },
        ),
      );
    const held = await attempted();
    expect(await takeOver(held.payout.id, randomUUID())).toBe(false);
    const failed = await failedOne();
    expect(await takeOver(failed.payout.id, failed.runId)).toBe(false);
    expect(await takeOver(held.payout.id, held.runId)).toBe(true);
  });
});

describe("what a dead run never sent", () => {
  const giveBack = (payoutId: string, claimedBy: string) =>
    by((db) =>
      inTransaction(db, (tx) =>
        takeOverUnsent(tx, { payoutId, claimedBy }, { runId: randomUUID(), fence: 9n }),
      ),
    );

  it("is taken from its holder alone, in processing, and with no attempt that may be alive", async () => {
    const held = await claimedOne();
    expect(await giveBack(held.payout.id, randomUUID())).toBe(false);
    const failed = await failedOne();
    expect(await giveBack(failed.payout.id, failed.runId)).toBe(false);
    const alive = await attempted();
    expect(await giveBack(alive.payout.id, alive.runId)).toBe(false);
    const refused = await refusedOnce();
    expect(await giveBack(refused.payout.id, refused.runId)).toBe(true);
    expect(await giveBack(held.payout.id, held.runId)).toBe(true);
    expect(await giveBack(held.payout.id, held.runId)).toBe(false);
  });

  it("is taken even if its tax was never assessed", async () => {
    const { payout, runId } = await claimedOne();
    await change(`UPDATE payouts SET tax_paise = NULL, net_paise = NULL WHERE id = $1`, payout.id);
    expect(await giveBack(payout.id, runId)).toBe(true);
  });
});

describe("an answer that comes late", () => {
  it.each(["acceptance", "refusal", "silence"])(
    "changes nothing when it is a %s of an attempt that was refused",
    async (kind) => {
      const { ref } = await refusedOnce();
      expect(await recording(ref, kind)).toBeInstanceOf(ClaimLostError);
    },
  );

  it.each(["refusal", "silence"])(
    "changes nothing when it is a %s of an attempt that was accepted",
    async (kind) => {
      const { ref } = await acceptedOne();
      expect(await recording(ref, kind)).toBeInstanceOf(ClaimLostError);
    },
  );

  it("is of the provider's payout that is known already, or changes nothing", async () => {
    const { ref, provider } = await acceptedOne();
    const record = (answer: ProviderPayout) => by((db) => recordAccepted(db, ref, answer));
    await expect(record({ ...provider, id: `pout_${randomUUID()}` })).rejects.toBeInstanceOf(
      ClaimLostError,
    );
    await record({ ...provider, status: "processed" });
    expect(await viewOf(database, ref.payoutId)).toMatchObject({ status: "COMPLETED" });
  });
});

describe("the earnings of a payout", () => {
  it("are released once: those that have gone into another payout stay there", async () => {
    const { payout } = await failedOne();
    await change("UPDATE earnings SET status = 'LINKED' WHERE id = $1", payout.earningIds[0]);
    const released = "SELECT released_at FROM payout_items WHERE payout_id = $1";
    const before = await database.query(released, [payout.id]);
    await by((db) =>
      inTransaction(db, (tx) => releaseEarnings(tx, [payout.id], { from: "LINKED" })),
    );
    expect((await viewOf(database, payout.id)).earnings).toEqual(["LINKED"]);
    expect(await database.query(released, [payout.id])).toEqual(before);
  });

  it("are released only from the status in which the payout held them", async () => {
    const { payout } = await claimedOne();
    await change("UPDATE payouts SET status = 'FAILED' WHERE id = $1", payout.id);
    await change("UPDATE earnings SET status = 'PAID' WHERE id = $1", payout.earningIds[0]);
    await by((db) =>
      inTransaction(db, (tx) => releaseEarnings(tx, [payout.id], { from: "LINKED" })),
    );
    expect((await viewOf(database, payout.id)).earnings).toEqual(["PAID"]);
  });

  it("are paid only where they are linked and the payout holds them", async () => {
    const { payout, ref, provider } = await acceptedOne({
      payouts: [{ earnings: [{}, {}, {}] }],
    });
    const [linked, ready, left] = payout.earningIds;
    await change("UPDATE earnings SET status = 'READY' WHERE id = $1", ready);
    // The database refuses that an earning leaves a payout that is being paid.
    await database.query("ALTER TABLE payout_items DISABLE TRIGGER payout_items_release");
    await change("UPDATE payout_items SET released_at = now() WHERE earning_id = $1", left);
    await database.query("ALTER TABLE payout_items ENABLE TRIGGER payout_items_release");
    const processed: ProviderPayout = { ...provider, status: "processed" };
    await by((db) => recordAccepted(db, ref, processed));
    const statuses = await database.query<{ id: string; status: string }>(
      "SELECT id, status::text AS status FROM earnings WHERE id = ANY ($1::uuid[])",
      [payout.earningIds],
    );
    expect(Object.fromEntries(statuses.map(({ id, status }) => [id, status]))).toEqual({
      [linked ?? ""]: "PAID",
      [ready ?? ""]: "READY",
      [left ?? ""]: "LINKED",
    });
  });
});

describe("a reversal", () => {
  it("is of the payout that paid, or changes nothing", async () => {
    const { payout, ref, provider } = await paidOne();
    const another = { ...provider, id: "pout_another" };
    await expect(reverse(payout, ref, another)).rejects.toBeInstanceOf(ClaimLostError);
  });

  it("is of an attempt that was paid, or changes nothing", async () => {
    const { payout, ref, provider } = await paidOne();
    await setState(ref.attemptId, "ACCEPTED");
    await expect(reverse(payout, ref, provider)).rejects.toBeInstanceOf(ClaimLostError);
  });

  it("changes nothing when the payout is not completed any more", async () => {
    const { payout, ref, provider } = await paidOne();
    await by(async (db) => {
      const racing = meanwhile(db, {
        before: /SET status = 'REVERSED'/,
        change: `UPDATE payouts SET status = 'REVERSED' WHERE id = '${payout.id}'`,
      });
      await expect(reverse(payout, ref, provider, racing)).rejects.toBeInstanceOf(ClaimLostError);
    });
    expect(await viewOf(database, payout.id)).toMatchObject({ status: "COMPLETED", held: true });
  });
});

describe("what the provider calls a payee", () => {
  it("is kept once: the first of two runs wins", async () => {
    const { consultantId, payoutAccountId = "" } = await seedPayee(database);
    await by(async (db) => {
      for (const number of [1, 2]) {
        await keepContactId(db, { consultantId, contactId: `cont_${consultantId}_${number}` });
        await keepFundAccountId(db, {
          payoutAccountId,
          fundAccountId: `fa_${consultantId}_${number}`,
        });
      }
    });
    expect(
      await database.query(
        `SELECT provider_contact_id AS contact, provider_fund_account_id AS account
         FROM consultants JOIN payout_accounts ON consultant_id = consultants.id
         WHERE consultants.id = $1`,
        [consultantId],
      ),
    ).toEqual([{ contact: `cont_${consultantId}_1`, account: `fa_${consultantId}_1` }]);
  });
});

/** One session serves all: nothing here happens at once. */
function by<T>(work: (session: Db) => Promise<T>): Promise<T> {
  return work(db);
}

async function given(seed: PayeeSeed = {}): Promise<SeededPayout> {
  const [payout] = (await seedPayee(database, seed)).payouts;
  if (!payout) throw new Error("the payee has no payout");
  return payout;
}

async function change(statement: string, id: string | undefined): Promise<void> {
  await database.query(statement, [id]);
}

async function claim(
  payoutId: string,
  options: { db?: Db; runId?: string; fence?: bigint | null } = {},
): Promise<ClaimResult> {
  const { runId = randomUUID(), fence = null } = options;
  return claimOne(options.db ?? db, payoutId, { runId, fence });
}

interface Held {
  payout: SeededPayout;
  claimed: ClaimedPayout;
  runId: string;
}

async function claimedOne({
  seed = {},
  fence = null,
}: { seed?: PayeeSeed; fence?: bigint | null } = {}): Promise<Held> {
  const payout = await given(seed);
  const runId = randomUUID();
  const result = await claim(payout.id, { runId, fence });
  if (result.kind !== "claimed") throw new Error(`the claim was ${result.kind}`);
  return { payout, claimed: result.payout, runId };
}

async function failedOne(seed: PayeeSeed = {}): Promise<Held> {
  const held = await claimedOne({ seed });
  const { payout, runId } = held;
  await by((db) =>
    inTransaction(db, (tx) =>
      failPayouts(tx, { runId }, [{ payoutId: payout.id, code: "REFUSED", message: "refused" }]),
    ),
  );
  return held;
}

async function attempted(seed: PayeeSeed = {}): Promise<Held & { ref: AttemptRef }> {
  const held = await claimedOne({ seed });
  const { id: attemptId } = await by((db) =>
    prepareOne(db, { payout: held.claimed, runId: held.runId }),
  );
  return { ...held, ref: { attemptId, payoutId: held.payout.id, runId: held.runId } };
}

/** Still held by its run, with an attempt that the provider has turned down. */
async function refusedOnce(): Promise<Held & { ref: AttemptRef }> {
  const held = await attempted();
  await setState(held.ref.attemptId, "REFUSED");
  return held;
}

async function acceptedOne(
  seed: PayeeSeed = {},
): Promise<Held & { ref: AttemptRef; provider: ProviderPayout }> {
  const held = await attempted(seed);
  const provider = theirs(held.claimed.netPaise);
  await by((db) => recordAccepted(db, held.ref, provider));
  return { ...held, provider };
}

async function paidOne(): Promise<Held & { ref: AttemptRef; provider: ProviderPayout }> {
  const held = await attempted();
  const provider: ProviderPayout = { ...theirs(held.claimed.netPaise), status: "processed" };
  await by((db) => recordAccepted(db, held.ref, provider));
  return { ...held, provider };
}

function recordAccepted(db: Db, ref: AttemptRef, provider: ProviderPayout): Promise<void> {
  const accepted = { kind: "accepted", provider, httpStatus: 200, body: null } as const;
  return recordOutcome(db, ref, accepted);
}

function theirs(amountPaise: bigint): ProviderPayout {
  return {
    id: `pout_${randomUUID()}`,
    status: "processing",
    statusText: "processing",
    statusReason: null,
    amountPaise,
    feesPaise: 0n,
    feesTaxPaise: 0n,
    utr: null,
    mode: "IMPS",
    referenceId: null,
    fundAccountId: "fa_00000000000001",
    statusSource: null,
    purpose: "payout",
    debitedElsewhere: false,
    createdAt: new Date("2026-07-06T15:37:00Z"),
  };
}

/** Past the guard of the table, which lets no attempt go back. */
async function setState(attemptId: string, state: string): Promise<void> {
  await database.query("ALTER TABLE payout_attempts DISABLE TRIGGER USER");
  await change(`UPDATE payout_attempts SET state = '${state}' WHERE id = $1`, attemptId);
  await database.query("ALTER TABLE payout_attempts ENABLE TRIGGER USER");
}

function recording(ref: AttemptRef, kind: string): Promise<unknown> {
  const failure = { code: "BAD_REQUEST_ERROR", reason: "late", field: null, description: "" };
  return by(async (db): Promise<unknown> => {
    if (kind === "refusal")
      return recordOutcome(db, ref, { kind: "refused", httpStatus: 400, failure, body: null });
    if (kind === "silence") {
      const silence = {
        kind: "unknown",
        httpStatus: undefined,
        cause: "late",
        body: null,
      } as const;
      return recordOutcome(db, ref, silence);
    }
    return recordAccepted(db, ref, theirs(1n));
  }).catch((error: unknown) => error);
}

function reverse(
  { id: payoutId }: SeededPayout,
  { attemptId }: AttemptRef,
  provider: ProviderPayout,
  given?: Db,
): Promise<boolean> {
  const reversal = { payoutId, attemptId, provider, actor: "job:test" };
  return given ? reversePayout(given, reversal) : by((db) => reversePayout(db, reversal));
}

import { expect, it } from "vitest";
import {
  approvePayout,
  listPayouts,
  placeHold,
  rejectPayout,
  releaseHold,
  retryPayout,
  showPayout,
  type PayoutChange,
} from "../../../../lib/payouts/operate/index.ts";
import {
  createPayoutCycle,
  type EarningSpec,
  type PayoutCycle,
} from "../../../support/payout-cycle.ts";

const operator = { by: "Asha", reason: "looked at it" };
const large: EarningSpec = { gross: 900_000n, fee: 1n };

/** A consultant with two earnings in one payout: APPROVED, or PENDING when they are large. */
async function given(
  spec: EarningSpec = {},
): Promise<{ cycle: PayoutCycle; consultant: string; earnings: string[]; payoutId: string }> {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  const earnings = [await cycle.earning(consultant, spec), await cycle.earning(consultant, spec)];
  await cycle.batch();
  const [payout] = await cycle.query<{ id: string }>("SELECT id FROM payouts");
  return { cycle, consultant, earnings, payoutId: payout?.id ?? "" };
}

async function stateOf(cycle: PayoutCycle, payoutId: string): Promise<unknown> {
  const [row] = await cycle.query(
    `SELECT p.status::text AS status,
            (SELECT count(*)::int FROM payout_items i WHERE i.payout_id = p.id AND i.released_at IS NULL) AS held,
            (SELECT array_agg(action ORDER BY id) FROM audit_log
             WHERE subject_id = p.id::text AND category = 'payout' AND action NOT LIKE 'created%') AS audited
     FROM payouts p WHERE p.id = $1`,
    [payoutId],
  );
  return row;
}

function codes(change: PayoutChange): string[] {
  return change.done ? [] : change.refusals.map(({ code }) => code);
}

it("approves what waits for a person, and says who did it to whoever comes second", async () => {
  const { cycle, payoutId } = await given(large);
  const db = cycle.client();

  expect(await approvePayout(db, { payoutId, operator })).toEqual({
    done: true,
    payoutId,
    consultantRef: "C-1",
    amountPaise: 1_799_998n,
  });
  const second = await approvePayout(db, { payoutId, operator: { by: "Binu", reason: null } });

  expect(second).toMatchObject({
    done: false,
    refusals: [
      {
        message: expect.stringMatching(
          /^it is APPROVED, not PENDING; approved by Asha on 20/,
        ) as string,
      },
    ],
  });
  expect(await stateOf(cycle, payoutId)).toEqual({
    status: "APPROVED",
    held: 2,
    audited: ["approved"],
  });
  expect(
    await cycle.query("SELECT actor, reason FROM audit_log WHERE action = 'approved'"),
  ).toEqual([{ actor: "Asha", reason: "looked at it" }]);
});

it("lets one of several people approve at once and tells the others", async () => {
  const { cycle, payoutId } = await given(large);

  const results = await Promise.all(
    ["Asha", "Binu", "Charu"].map((by) =>
      approvePayout(cycle.client(), { payoutId, operator: { by, reason: null } }),
    ),
  );

  expect(results.filter(({ done }) => done)).toHaveLength(1);
  expect(results.flatMap(codes)).toEqual(["IS_APPROVED", "IS_APPROVED"]);
  expect(await stateOf(cycle, payoutId)).toMatchObject({ audited: ["approved"] });
});

it("lets either an approval or a rejection win, never half of both", async () => {
  const { cycle, payoutId } = await given(large);
  const [approved, rejected] = await Promise.all([
    approvePayout(cycle.client(), { payoutId, operator }),
    rejectPayout(cycle.client(), { payoutId, operator }),
  ]);

  // An approved payout can be rejected as well, so the rejection happens either way.
  expect(rejected.done).toBe(true);
  expect(await stateOf(cycle, payoutId)).toMatchObject({
    status: "REJECTED",
    held: 0,
    audited: approved.done ? ["approved", "rejected"] : ["rejected"],
  });
  expect(await cycle.breaches()).toEqual([]);
});

it.each([
  ["PENDING", large],
  ["APPROVED", {}],
])("rejects a %s payout and puts its earnings into the next batch", async (was, spec) => {
  const { cycle, payoutId } = await given(spec);

  const change = await rejectPayout(cycle.client(), { payoutId, operator });

  expect(change).toMatchObject({ done: true, note: "2 earnings are READY again" });
  expect(await stateOf(cycle, payoutId)).toEqual({
    status: "REJECTED",
    held: 0,
    audited: ["rejected"],
  });
  expect(
    await cycle.query("SELECT detail->>'was' AS was FROM audit_log WHERE action = 'rejected'"),
  ).toEqual([{ was }]);
  expect(await cycle.breaches()).toEqual([]);
  expect((await cycle.batch()).report.created).toBe(1);
  expect(await cycle.breaches()).toEqual([]);
});

it.each(["PREPARED", "UNKNOWN", "ACCEPTED", "PROCESSED"] as const)(
  "never rejects or approves a payout whose attempt is %s",
  async (state) => {
    const { cycle, payoutId } = await given();
    await cycle.attempt(payoutId, state);
    const db = cycle.client();

    expect(codes(await rejectPayout(db, { payoutId, operator }))).toEqual(["IS_PROCESSING"]);
    expect(codes(await approvePayout(db, { payoutId, operator }))).toEqual(["IS_PROCESSING"]);
    expect(await stateOf(cycle, payoutId)).toEqual({
      status: "PROCESSING",
      held: 2,
      audited: null,
    });
  },
);

it("tries a payout again that the provider refused, with the same earnings", async () => {
  const { cycle, payoutId } = await given();
  await cycle.fail(payoutId);

  const change = await retryPayout(cycle.client(), { payoutId, operator });

  expect(change).toMatchObject({ done: true, note: "2 earnings are linked again" });
  expect(await stateOf(cycle, payoutId)).toEqual({
    status: "APPROVED",
    held: 2,
    audited: ["retried"],
  });
  expect(await cycle.breaches()).toEqual([]);
  await cycle.attempt(payoutId, "PROCESSED");
  expect(await cycle.breaches()).toEqual([]);
});

it.each([
  [
    "PREPARED",
    "OUTCOME_UNKNOWN",
    "the outcome of attempt 1 at the provider is unknown; it must be looked up first",
  ],
  [
    "UNKNOWN",
    "OUTCOME_UNKNOWN",
    "the outcome of attempt 1 at the provider is unknown; it must be looked up first",
  ],
  [
    "ACCEPTED",
    "STILL_AT_PROVIDER",
    "attempt 1 was accepted by the provider, which has not finished it",
  ],
  ["PROCESSED", "ALREADY_PAID", "attempt 1 was paid by the provider"],
] as const)("never tries again while an attempt is %s", async (state, code, message) => {
  const { cycle, payoutId } = await given();
  await cycle.attempt(payoutId, state);

  const change = await retryPayout(cycle.client(), { payoutId, operator });

  expect(codes(change)).toEqual([code, "IS_PROCESSING"]);
  expect(change).toMatchObject({ refusals: [{ message }, {}] });
  expect(await stateOf(cycle, payoutId)).toMatchObject({ status: "PROCESSING", held: 2 });
});

it("does not try a FAILED payout again while one of its attempts may be alive", async () => {
  const { cycle, payoutId } = await given();
  await cycle.attempt(payoutId, "UNKNOWN");
  // The state graph forbids this; the rule must hold even if somebody went around it.
  await cycle.query("ALTER TABLE payouts DISABLE TRIGGER payouts_status_graph");
  await cycle.query("UPDATE payouts SET status = 'FAILED'");
  await cycle.query("UPDATE earnings SET status = 'READY'");
  await cycle.query("UPDATE payout_items SET released_at = now()");

  expect(codes(await retryPayout(cycle.client(), { payoutId, operator }))).toEqual([
    "OUTCOME_UNKNOWN",
  ]);
});

it("does not send money again that left and came back", async () => {
  const { cycle, payoutId } = await given();
  await cycle.attempt(payoutId, "ACCEPTED");
  await cycle.query("UPDATE payout_attempts SET state = 'REVERSED'");
  await cycle.query("UPDATE payouts SET status = 'FAILED'");
  await cycle.query("UPDATE earnings SET status = 'READY'");
  await cycle.query("UPDATE payout_items SET released_at = now()");

  expect(codes(await retryPayout(cycle.client(), { payoutId, operator }))).toEqual([
    "MONEY_CAME_BACK",
  ]);
});

it("leaves a payout alone after three tries", async () => {
  const { cycle, payoutId } = await given();
  const db = cycle.client();
  await cycle.fail(payoutId);
  for (let tries = 1; tries < 3; tries++) {
    expect((await retryPayout(db, { payoutId, operator })).done).toBe(true);
    await cycle.fail(payoutId);
  }

  expect(codes(await retryPayout(db, { payoutId, operator }))).toEqual(["OUT_OF_TRIES"]);
});

it("does not try a payout again whose earnings are in another one", async () => {
  const { cycle, payoutId } = await given();
  await cycle.fail(payoutId);
  await cycle.batch();

  const change = await retryPayout(cycle.client(), { payoutId, operator });

  expect(codes(change)).toEqual(["EARNINGS_IN_ANOTHER_PAYOUT"]);
  expect(change).toMatchObject({
    refusals: [{ message: "2 of its 2 earnings are in another payout" }],
  });
  expect(await cycle.breaches()).toEqual([]);
});

it("says everything that is in the way of a retry at once", async () => {
  const { cycle, consultant, earnings, payoutId } = await given();
  await cycle.fail(payoutId);
  await cycle.query(
    "INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise) VALUES ($1, 'r', 100, 100)",
    [earnings[0]],
  );
  await cycle.query("UPDATE earnings SET hold_until = india_today() + 1 WHERE id = $1", [
    earnings[1],
  ]);
  await placeHold(cycle.client(), { consultant, kind: "manual", operator });

  expect(codes(await retryPayout(cycle.client(), { payoutId, operator }))).toEqual([
    "CONSULTANT_ON_HOLD",
    "EARNINGS_HELD_BACK",
    "EARNINGS_REFUNDED",
  ]);
});

it("gives the earnings to either a retry or a batch that come at once", async () => {
  const { cycle, payoutId } = await given();
  await cycle.fail(payoutId);

  const [change, { report }] = await Promise.all([
    retryPayout(cycle.client(), { payoutId, operator }),
    cycle.batch({ db: cycle.client() }),
  ]);

  expect(Number(change.done) + report.created).toBe(1);
  expect(await cycle.breaches()).toEqual([]);
});

it.each([
  ["approve", approvePayout],
  ["reject", rejectPayout],
  ["retry", retryPayout],
])("says that there is no such payout to %s", async (_what, change) => {
  const cycle = await createPayoutCycle();
  const payoutId = "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42";

  expect(codes(await change(cycle.client(), { payoutId, operator }))).toEqual(["UNKNOWN_PAYOUT"]);
});

it("does not approve for a consultant on hold", async () => {
  const { cycle, payoutId } = await given(large);
  const db = cycle.client();
  await placeHold(db, { consultant: "C-1", kind: "open_dispute", operator });

  expect(codes(await approvePayout(db, { payoutId, operator }))).toEqual(["CONSULTANT_ON_HOLD"]);

  await releaseHold(db, { consultant: "C-1", kind: undefined, operator });
  expect((await approvePayout(db, { payoutId, operator })).done).toBe(true);
});

it("refuses a rejection, and takes it back whole, when earnings are not where the items say", async () => {
  const { cycle, earnings, payoutId } = await given();
  await cycle.query("UPDATE earnings SET status = 'READY' WHERE id = $1", [earnings[0]]);

  const change = await rejectPayout(cycle.client(), { payoutId, operator });

  expect(codes(change)).toEqual(["INCONSISTENT"]);
  expect(await stateOf(cycle, payoutId)).toEqual({ status: "APPROVED", held: 2, audited: null });
});

it("places and releases holds, by id or by reference, with an audit entry for each", async () => {
  const { cycle, consultant } = await given();
  const db = cycle.client();

  expect(await placeHold(db, { consultant: "C-1", kind: "manual", operator })).toEqual({
    done: true,
    consultant: { id: consultant, ref: "C-1" },
    kinds: ["manual"],
    reach: { due: 1, pending: 0, processing: 0, inDoubt: 0 },
    open: ["manual"],
  });
  expect(await placeHold(db, { consultant, kind: "manual", operator })).toMatchObject({
    done: false,
    refusal: {
      code: "ALREADY_ON_HOLD",
      message: expect.stringMatching(
        /^consultant C-1 is on hold already \(manual\) since .* IST, by Asha$/,
      ) as string,
    },
  });
  await placeHold(db, { consultant, kind: "suspended", operator });
  await placeHold(db, { consultant, kind: "open_dispute", operator });
  expect(await releaseHold(db, { consultant, kind: "suspended", operator })).toMatchObject({
    kinds: ["suspended"],
  });
  expect(await releaseHold(db, { consultant, kind: undefined, operator })).toMatchObject({
    kinds: ["open_dispute", "manual"],
  });
  expect(await releaseHold(db, { consultant, kind: "manual", operator })).toMatchObject({
    done: false,
    refusal: { code: "NOT_ON_HOLD" },
  });
  expect(await placeHold(db, { consultant: "C-9", kind: "manual", operator })).toMatchObject({
    done: false,
    refusal: { code: "UNKNOWN_CONSULTANT" },
  });
  const audited = await cycle.query(
    "SELECT action, detail->>'kind' AS kind FROM audit_log WHERE category = 'hold' ORDER BY id",
  );
  expect(audited.map(({ action, kind }) => `${String(action)} ${String(kind)}`)).toEqual([
    "placed manual",
    "placed suspended",
    "placed open_dispute",
    "released suspended",
    "released open_dispute",
    "released manual",
  ]);
});

it("lists payouts oldest first, filtered, and says when there are more", async () => {
  const { cycle, consultant, payoutId } = await given();
  await cycle.fail(payoutId);
  await cycle.batch();
  await cycle.earning(await cycle.consultant("C-2"), large);
  await cycle.batch();
  const db = cycle.client();
  const all = { status: undefined, consultantId: undefined, limit: 50 };

  const { payouts, more } = await listPayouts(db, all);
  expect(more).toBe(false);
  expect(payouts.map(({ consultantRef, status }) => `${consultantRef} ${status}`)).toEqual([
    "C-1 FAILED",
    "C-1 APPROVED",
    "C-2 PENDING",
  ]);
  expect(await listPayouts(db, { ...all, limit: 2 })).toMatchObject({
    more: true,
    payouts: [{}, {}],
  });
  expect((await listPayouts(db, { ...all, status: "PENDING" })).payouts).toHaveLength(1);
  expect((await listPayouts(db, { ...all, consultantId: consultant })).payouts).toHaveLength(2);
});

it("shows a payout with its earnings, attempts and audit, and nothing about the account", async () => {
  const { cycle, payoutId } = await given();
  await cycle.fail(payoutId);
  await retryPayout(cycle.client(), { payoutId, operator });

  const shown = await showPayout(cycle.client(), payoutId);

  expect(shown).toMatchObject({
    id: payoutId,
    consultantRef: "C-1",
    status: "APPROVED",
    items: [{ amountPaise: 85_000n, earningStatus: "LINKED" }, {}],
    attempts: [
      { attemptNo: 1, state: "REFUSED", failureCode: "bank_account_invalid", httpStatus: 400 },
    ],
    audit: [{ action: "created-approved" }, { action: "retried", actor: "Asha" }],
  });
  expect(Object.keys(shown ?? {})).not.toContain("name");
  expect(await showPayout(cycle.client(), "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42")).toBeUndefined();
});

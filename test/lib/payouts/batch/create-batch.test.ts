import { expect, it } from "vitest";
import { LeaseLostError, type Lease } from "../../../../lib/support/lease.ts";
import { createPayoutCycle, type PayoutCycle } from "../../../support/payout-cycle.ts";

interface Made {
  ref: string;
  status: string;
  amount: bigint;
  gross: bigint;
  items: number;
}

function payouts(cycle: PayoutCycle): Promise<Made[]> {
  return cycle.query<Made & Record<string, unknown>>(
    `SELECT c.external_ref AS ref, p.status::text AS status, p.amount_paise AS amount,
            p.gross_paise AS gross, count(i.earning_id)::int AS items
     FROM payouts p JOIN consultants c ON c.id = p.consultant_id
     JOIN payout_items i ON i.payout_id = p.id AND i.released_at IS NULL
     GROUP BY p.id, c.external_ref ORDER BY c.external_ref`,
  );
}

it("puts everything that is due to a consultant into one payout", async () => {
  const cycle = await createPayoutCycle();
  const asha = await cycle.consultant("C-1");
  await cycle.earning(asha);
  await cycle.earning(asha, { gross: 50_000n, fee: 10_000n });
  const { verdict, report } = await cycle.batch({ runId: "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42" });

  expect(verdict).toEqual({ kind: "completed" });
  expect(await payouts(cycle)).toEqual([
    { ref: "C-1", status: "APPROVED", amount: 125_000n, gross: 150_000n, items: 2 },
  ]);
  expect(report).toMatchObject({
    found: 1,
    created: 1,
    approved: 1,
    earnings: 2,
    amountPaise: 125_000n,
    grossPaise: 150_000n,
  });
  expect(await cycle.breaches()).toEqual([]);
  const [approved] = await cycle.query("SELECT approved_at FROM payouts");
  expect(approved?.["approved_at"]).toBeInstanceOf(Date);
  expect(await cycle.query("SELECT actor, action, subject_type, detail FROM audit_log")).toEqual([
    {
      actor: "job:payouts/create-payout-batch",
      action: "created-approved",
      subject_type: "payout",
      detail: { runId: "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42", earnings: 2, amountPaise: "125000" },
    },
  ]);
});

it.each([
  ["one paisa below the minimum is carried", 49_999n, undefined],
  ["exactly the minimum is paid", 50_000n, "APPROVED"],
  ["exactly the limit is approved at once", 500_000n, "APPROVED"],
  ["one paisa above the limit waits for a person", 500_001n, "PENDING"],
])("%s", async (_what, amount, status) => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant, { gross: amount + 1n, fee: 1n });

  const { verdict, report } = await cycle.batch();

  expect(verdict.kind).toBe("completed");
  expect((await payouts(cycle)).map((payout) => payout.status)).toEqual(status ? [status] : []);
  const carried = status === undefined;
  expect(report).toMatchObject({ carried: carried ? 1 : 0, carriedPaise: carried ? amount : 0n });
  if (carried) expect(report.items[0]).toMatchObject({ code: "BELOW_MINIMUM" });
  const [pending] = await cycle.query(
    "SELECT count(*)::int AS n FROM payouts WHERE status = 'PENDING' AND approved_at IS NOT NULL",
  );
  expect(pending).toEqual({ n: 0 });
});

it("adds what was carried to what is due the next time", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant, { gross: 30_000n, fee: 1n });
  await cycle.batch();
  await cycle.earning(consultant, { gross: 30_000n, fee: 1n });
  await cycle.batch();

  expect(await payouts(cycle)).toMatchObject([{ amount: 59_998n, items: 2 }]);
});

it("leaves an earning alone until its hold date has come in India", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant, { gross: 60_000n, fee: 1n, holdUntil: "india_today()" });
  await cycle.earning(consultant, { gross: 70_000n, fee: 1n, holdUntil: "india_today() - 30" });
  await cycle.earning(consultant, { gross: 80_000n, fee: 1n, holdUntil: "india_today() + 1" });

  await cycle.batch();

  expect(await payouts(cycle)).toMatchObject([{ gross: 130_000n, items: 2 }]);
  expect(await cycle.breaches()).toEqual([]);
});

it("takes the day from the database's clock, in India", async () => {
  const cycle = await createPayoutCycle();

  expect(
    await cycle.query(
      "SELECT india_today() = ((now() AT TIME ZONE 'UTC') + interval '5 hours 30 minutes')::date AS same",
    ),
  ).toEqual([{ same: true }]);
});

it("leaves out a consultant on hold with the reason, and takes one whose hold was released", async () => {
  const cycle = await createPayoutCycle();
  const held = await cycle.consultant("held");
  const freed = await cycle.consultant("freed");
  for (const id of [held, freed]) await cycle.earning(id);
  for (const kind of ["suspended", "open_dispute"]) {
    await cycle.query(
      "INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by) VALUES ($1, $2::hold_kind, 'r', 'p')",
      [held, kind],
    );
  }
  await cycle.query(
    `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by, released_by, released_at)
     VALUES ($1, 'manual', 'r', 'p', 'q', now())`,
    [freed],
  );

  const { verdict, report } = await cycle.batch();

  expect(verdict).toEqual({
    kind: "completed",
    warning: expect.stringContaining(
      "1 consultant is on hold, so its earnings (₹850.00) got no payout.",
    ) as string,
  });
  expect((await payouts(cycle)).map(({ ref }) => ref)).toEqual(["freed"]);
  expect(report).toMatchObject({ found: 2, created: 1, onHold: 1, onHoldPaise: 85_000n });
  expect(report.items).toEqual([
    {
      consultantId: held,
      consultantRef: "held",
      currency: "INR",
      outcome: "on_hold",
      code: "OPEN_DISPUTE+SUSPENDED",
      message: "open hold: open_dispute, suspended; no payout until the hold is released",
    },
  ]);
});

it("subtracts refunds, and leaves out what was refunded entirely", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  const partly = await cycle.earning(consultant);
  const entirely = await cycle.earning(consultant);
  for (const [id, key, gross, amount] of [
    [partly, "r1", 40_000n, 34_000n],
    [entirely, "r2", 50_000n, 42_500n],
    [entirely, "r3", 50_000n, 42_500n],
  ]) {
    await cycle.query(
      "INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise) VALUES ($1, $2, $3, $4)",
      [id, key, gross, amount],
    );
  }

  await cycle.batch();

  expect(await payouts(cycle)).toMatchObject([{ gross: 60_000n, amount: 51_000n, items: 1 }]);
  expect(await cycle.query("SELECT id FROM earnings WHERE status = 'READY'")).toEqual([
    { id: entirely },
  ]);
});

it("refuses what is not INR by name and pays the same consultant's rupees", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);
  await cycle.earning(consultant, { currency: "USD" });

  const { verdict, report } = await cycle.batch();

  expect(verdict).toMatchObject({ kind: "partial", reason: "consultants-refused" });
  expect(await payouts(cycle)).toMatchObject([{ amount: 85_000n, items: 1 }]);
  expect(report).toMatchObject({ found: 2, created: 1, refused: 1 });
  expect(report.items[0]).toMatchObject({ currency: "USD", code: "CURRENCY_NOT_SUPPORTED" });
});

it("refuses a consultant whose earning is READY in another payout, and goes on with the others", async () => {
  const cycle = await createPayoutCycle();
  const ids: string[] = [];
  for (const ref of ["C-1", "C-2", "C-3"]) ids.push(await cycle.consultant(ref));
  for (const id of ids) await cycle.earning(id);
  await cycle.batch();
  for (const id of ids) await cycle.earning(id);
  await cycle.query("UPDATE earnings SET status = 'READY' WHERE consultant_id = $1", [ids[1]]);

  const { verdict, report } = await cycle.batch();

  expect(verdict).toMatchObject({ kind: "partial", reason: "consultants-refused" });
  expect(report).toMatchObject({ found: 3, created: 2, refused: 1 });
  expect(report.items[0]).toMatchObject({
    consultantId: ids[1],
    code: "EARNING_IN_ANOTHER_PAYOUT",
  });
});

it("reports a consultant whose payout the database refuses, and goes on with the others", async () => {
  const cycle = await createPayoutCycle();
  for (const ref of ["C-1", "C-2", "C-3"]) {
    const id = await cycle.consultant(ref);
    const much = { gross: 9_000_000_000_000_000_000n, fee: 1n };
    // Together they are more than a bigint holds.
    await cycle.earning(id, ref === "C-2" ? much : {});
    await cycle.earning(id, ref === "C-2" ? much : {});
  }

  const { verdict, report } = await cycle.batch();

  expect(verdict).toMatchObject({ kind: "partial", reason: "consultants-refused" });
  expect((await payouts(cycle)).map(({ ref }) => ref)).toEqual(["C-1", "C-3"]);
  expect(report.items).toMatchObject([{ outcome: "refused", code: "NOT_WRITTEN" }]);
  const linked = await cycle.query("SELECT 1 FROM earnings WHERE status = 'LINKED'");
  expect(linked).toHaveLength(4);
});

it("creates nothing new when it runs again", async () => {
  const cycle = await createPayoutCycle();
  for (const ref of ["C-1", "C-2"]) await cycle.earning(await cycle.consultant(ref));
  await cycle.batch();
  const before = await payouts(cycle);

  const { verdict, report } = await cycle.batch();

  expect(verdict).toEqual({ kind: "completed" });
  expect(report).toMatchObject({ found: 0, created: 0 });
  expect(await payouts(cycle)).toEqual(before);
});

it("decides in a dry run as in a run, on a session that can not write", async () => {
  const cycle = await createPayoutCycle();
  const amounts = [40_000n, 60_000n, 600_000n, 90_000n];
  for (const [index, gross] of amounts.entries()) {
    const id = await cycle.consultant(`C-${index}`);
    await cycle.earning(id, { gross, fee: 1n });
    await cycle.earning(id, { gross: 1_000n, fee: 1n, holdUntil: "india_today() + 7" });
    if (index === 3) {
      await cycle.query(
        "INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by) VALUES ($1, 'manual', 'r', 'p')",
        [id],
      );
    }
  }
  await cycle.earning(await cycle.consultant("C-USD"), { currency: "USD" });

  const planned = await cycle.batch({ dryRun: true, db: cycle.client({ readOnly: true }) });
  expect(await payouts(cycle)).toEqual([]);
  const real = await cycle.batch();

  const { dryRun, planned: wouldCreate, created, ...same } = planned.report;
  expect([dryRun, wouldCreate, created]).toEqual([true, 2, 0]);
  expect(real.report).toEqual({ ...same, dryRun: false, planned: 0, created: wouldCreate });
  expect(real.verdict).toMatchObject({ kind: planned.verdict.kind, reason: "consultants-refused" });
});

it("creates at most as many payouts as it was told, and goes on from there", async () => {
  const cycle = await createPayoutCycle();
  for (const ref of ["C-1", "C-2", "C-3"]) await cycle.earning(await cycle.consultant(ref));

  expect((await cycle.batch({ limit: 2 })).report.created).toBe(2);
  expect((await cycle.batch({ limit: 2 })).report.created).toBe(1);
  expect(await cycle.breaches()).toEqual([]);
});

it("reaches every consultant, page after page", async () => {
  const cycle = await createPayoutCycle();
  await cycle.query(
    `INSERT INTO consultants (external_ref, name) SELECT 'C-' || n, 'Asha Example' FROM generate_series(1, 450) n`,
  );
  await cycle.query(
    `INSERT INTO earnings (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
     SELECT id, 'BK-' || external_ref || n, '2026-11-16', 100000, 15000, 85000
     FROM consultants, generate_series(1, 3) n`,
  );

  const { report } = await cycle.batch();

  expect(report).toMatchObject({ found: 450, created: 450, earnings: 1350 });
  expect(await cycle.query("SELECT 1 FROM earnings WHERE status = 'READY'")).toEqual([]);
});

it("stops before the next consultant when it is asked to", async () => {
  const cycle = await createPayoutCycle();
  for (const ref of ["C-1", "C-2"]) await cycle.earning(await cycle.consultant(ref));
  const stop = new AbortController();
  const lease: Lease = { fence: 1n, assertTrusted: () => stop.abort() };

  const { verdict, report } = await cycle.batch({ signal: stop.signal, lease });

  expect(verdict).toEqual({ kind: "interrupted" });
  expect(report.created).toBe(1);
  expect(await cycle.breaches()).toEqual([]);
});

it("writes nothing once its lease can no longer be trusted", async () => {
  const cycle = await createPayoutCycle();
  await cycle.earning(await cycle.consultant("C-1"));
  const lease: Lease = {
    fence: 1n,
    assertTrusted: () => {
      throw new LeaseLostError("batch");
    },
  };

  await expect(cycle.batch({ lease })).rejects.toBeInstanceOf(LeaseLostError);
  expect(await payouts(cycle)).toEqual([]);
});

const SMALL_AFTER_90 = {
  minimumPaise: 50_000n,
  smallAfterDays: 90,
  autoApprovePaise: 500_000n,
  settlementDays: 0,
};

it.each([
  ["is carried on its 90th day", { days: 90, amount: 40_000n }, undefined],
  ["is paid after it", { days: 91, amount: 40_000n }, 40_000n],
  ["of which too little would be left is carried", { days: 91, amount: 199n }, undefined],
  ["of two rupees is paid", { days: 91, amount: 200n }, 200n],
])(
  "a sum below the minimum %s, in a run and in a dry run",
  async (_what, { days, amount }, paid) => {
    const cycle = await createPayoutCycle();
    const consultant = await cycle.consultant("C-1");
    const oldest = await cycle.earning(consultant, { gross: amount - 100n + 1n, fee: 1n });
    await cycle.earning(consultant, { gross: 101n, fee: 1n });
    await cycle.query(
      "UPDATE earnings SET credited_on = CASE WHEN id = $2 THEN india_today() - $1::int ELSE india_today() END",
      [days, oldest],
    );

    const dry = await cycle.batch({
      dryRun: true,
      db: cycle.client({ readOnly: true }),
      settings: SMALL_AFTER_90,
    });
    const { report } = await cycle.batch({ settings: SMALL_AFTER_90 });

    expect((await payouts(cycle)).map((payout) => payout.amount)).toEqual(
      paid === undefined ? [] : [paid],
    );
    const created = paid === undefined ? 0 : 1;
    expect(dry.report).toMatchObject({ planned: created, carried: 1 - created });
    expect(report).toMatchObject({ created, carried: 1 - created });
  },
);

it("carries an old small sum where the setting is 0", async () => {
  const cycle = await createPayoutCycle();
  await cycle.earning(await cycle.consultant("C-1"), { gross: 40_001n, fee: 1n });
  await cycle.query("UPDATE earnings SET credited_on = '2024-01-01'");
  const { report } = await cycle.batch();
  expect(report).toMatchObject({ carried: 1, created: 0 });
});

it("makes the payout of a consultant who owes something in another currency", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);
  const foreign = await cycle.earning(consultant, { currency: "USD" });
  await cycle.query("UPDATE earnings SET status = 'PAID' WHERE id = $1", [foreign]);
  await cycle.query(
    `INSERT INTO earning_recoveries (consultant_id, earning_id, key, gross_paise, amount_paise)
     VALUES ($1, $2, 'a refund', 100, 100)`,
    [consultant, foreign],
  );

  const { verdict, report } = await cycle.batch();

  expect(verdict.kind).toBe("completed");
  expect(report).toMatchObject({ created: 1, changed: 0, recoveredPaise: 0n });
  expect(await payouts(cycle)).toMatchObject([{ amount: 85_000n }]);
});

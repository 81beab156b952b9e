import pg from "pg";
import { expect, it, onTestFinished } from "vitest";
import { refundEarning } from "../../lib/earnings/index.ts";
import { placeHold } from "../../lib/payouts/operate/index.ts";
import { sleep } from "../../lib/support/clock.ts";
import { createPayoutCycle, type PayoutCycle } from "../support/payout-cycle.ts";

/**
 * Holds a consultant's row, so that a batch has read the consultant and waits; `meanwhile` is what the
 * others do then. Returns what the batch made of it.
 */
async function batchOvertakenBy(
  cycle: PayoutCycle,
  consultantId: string,
  meanwhile: (session: pg.Client) => Promise<unknown>,
): Promise<Awaited<ReturnType<PayoutCycle["batch"]>>> {
  const session = new pg.Client({ connectionString: cycle.url });
  await session.connect();
  onTestFinished(() => session.end());
  await session.query("BEGIN");
  await session.query("SELECT 1 FROM consultants WHERE id = $1 FOR NO KEY UPDATE", [consultantId]);
  const batch = cycle.batch({ db: cycle.client() });
  await untilWaiting(cycle);
  await meanwhile(session);
  await session.query("COMMIT");
  return batch;
}

async function untilWaiting(cycle: PayoutCycle): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (performance.now() < deadline) {
    const waiting = await cycle.query(
      "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if (waiting.length > 0) return;
    await sleep(10);
  }
  throw new Error("no session waits for a lock");
}

async function counts(cycle: PayoutCycle): Promise<unknown> {
  const [row] = await cycle.query(
    `SELECT (SELECT count(*)::int FROM payouts) AS payouts,
            (SELECT count(*)::int FROM payout_items) AS items,
            (SELECT count(*)::int FROM audit_log) AS audited,
            (SELECT count(*)::int FROM earnings WHERE status = 'LINKED') AS linked`,
  );
  return row;
}

const nothing = { payouts: 0, items: 0, audited: 0, linked: 0 };

it("is red and writes nothing when everything that was due changed under it", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  const earning = await cycle.earning(consultant);
  await cycle.earning(consultant);

  const { verdict, report } = await batchOvertakenBy(cycle, consultant, () =>
    refundEarning(cycle.client(), {
      earningId: earning,
      key: "rfnd_1",
      grossPaise: 1_000n,
      amountPaise: 850n,
    }),
  );

  expect(verdict).toMatchObject({ kind: "failed", code: "work-left-behind" });
  expect(report).toMatchObject({ found: 1, created: 0, changed: 1 });
  expect(await counts(cycle)).toEqual(nothing);
  expect((await cycle.batch()).report).toMatchObject({ created: 1, amountPaise: 169_150n });
  expect(await cycle.breaches()).toEqual([]);
});

it("notices an earning that was refunded entirely meanwhile", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  const earningId = await cycle.earning(consultant);
  await cycle.earning(consultant);

  const { report } = await batchOvertakenBy(cycle, consultant, () =>
    refundEarning(cycle.client(), {
      earningId,
      key: "rfnd_1",
      grossPaise: 100_000n,
      amountPaise: 85_000n,
    }),
  );

  expect(report).toMatchObject({ created: 0, changed: 1 });
  expect(await counts(cycle)).toEqual(nothing);
});

it("notices a hold date that was set meanwhile, and is green since nothing is due any more", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);

  const { verdict, report } = await batchOvertakenBy(cycle, consultant, (session) =>
    session.query("UPDATE earnings SET hold_until = india_today() + 7"),
  );

  expect(verdict).toEqual({ kind: "completed" });
  expect(report).toMatchObject({ created: 0, changed: 1 });
  expect(await counts(cycle)).toEqual(nothing);
});

it("notices a hold that was placed meanwhile", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);

  const { verdict, report } = await batchOvertakenBy(cycle, consultant, (session) =>
    session.query(
      "INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by) VALUES ($1, 'suspended', 'r', 'p')",
      [consultant],
    ),
  );

  expect(verdict).toEqual({
    kind: "completed",
    warning: expect.stringContaining("1 consultant is on hold") as string,
  });
  expect(report).toMatchObject({ created: 0, onHold: 1 });
  expect(await counts(cycle)).toEqual(nothing);
});

it("makes the others' payouts when one consultant changed, and says that one was left", async () => {
  const cycle = await createPayoutCycle();
  const ids = [await cycle.consultant("C-1"), await cycle.consultant("C-2")];
  for (const id of ids) await cycle.earning(id);
  const changing = ids.toSorted()[0] ?? "";

  const { verdict, report } = await batchOvertakenBy(cycle, changing, async (session) => {
    await session.query(
      `INSERT INTO earning_refunds (earning_id, key, gross_paise, amount_paise)
       SELECT id, 'rfnd_1', 100, 100 FROM earnings WHERE consultant_id = $1`,
      [changing],
    );
  });

  expect(verdict).toMatchObject({ kind: "partial", reason: "changed-meanwhile" });
  expect(report).toMatchObject({ created: 1, changed: 1 });
});

it("never puts an earning into two payouts when four batches run at once", async () => {
  const cycle = await createPayoutCycle();
  for (let number = 0; number < 12; number++) {
    const id = await cycle.consultant(`C-${number}`);
    await cycle.earning(id);
    await cycle.earning(id);
  }

  const runs = await Promise.all([1, 2, 3, 4].map(() => cycle.batch({ db: cycle.client() })));

  expect(runs.map(({ verdict }) => verdict.kind)).toEqual(Array(4).fill("completed"));
  expect(runs.reduce((sum, { report }) => sum + report.created, 0)).toBe(12);
  expect(await counts(cycle)).toEqual({ payouts: 12, items: 24, audited: 12, linked: 24 });
  expect(await cycle.breaches()).toEqual([]);
});

it("sees each hold that is placed at the same moment, or comes before it", async () => {
  const cycle = await createPayoutCycle();
  const ids: string[] = [];
  for (let number = 0; number < 10; number++) {
    ids.push(await cycle.consultant(`C-${number}`));
    await cycle.earning(ids.at(-1) ?? "");
  }
  const holder = cycle.client();
  const holdAll = async (): Promise<void> => {
    for (const consultant of ids) {
      const operator = { by: "Asha", reason: "asked for" };
      await placeHold(holder, { consultant, kind: "manual", operator });
    }
  };

  const [{ verdict, report }] = await Promise.all([cycle.batch({ db: cycle.client() }), holdAll()]);

  expect(verdict.kind).toBe("completed");
  expect(report.created + report.onHold).toBe(10);
  const paid = await cycle.query<{ id: string }>("SELECT consultant_id AS id FROM payouts");
  const leftOut = report.items.map(({ consultantId }) => consultantId);
  expect([...paid.map(({ id }) => id), ...leftOut].sort()).toEqual(ids.toSorted());
  expect(await cycle.breaches()).toEqual([]);
});

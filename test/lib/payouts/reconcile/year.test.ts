import { beforeEach, expect, it } from "vitest";
import { openDatabase } from "../../../../lib/db/client.ts";
import { reconcileLedger } from "../../../../lib/ledger/reconcile/reconcile-ledger.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { silentLog } from "../../../../lib/support/log.ts";
import { noProgress } from "../../../../lib/support/progress.ts";
import { defaultTaxPolicy } from "../../../../lib/tds/index.ts";
import { passingTime } from "../../../support/passing-time.ts";
import { runReconcile } from "../../../support/reconcile-run.ts";
import { useWorld } from "../world.ts";

const time = passingTime();
const world = useWorld({ clock: time.clock });
beforeEach(() => {
  time.restart();
});
const { wrapGateway } = time;

async function ledger(): ReturnType<typeof reconcileLedger> {
  const db = openDatabase({
    url: world.database.url,
    applicationName: "ledger under test",
    readOnly: false,
    connections: 1,
  });
  try {
    return await reconcileLedger({
      dryRun: false,
      settings: { tax: defaultTaxPolicy },
      db,
      clock: systemClock,
      log: silentLog(),
      progress: noProgress,
      signal: new AbortController().signal,
    });
  } finally {
    await db.close();
  }
}

const reconcile = (wrap: typeof wrapGateway = wrapGateway): ReturnType<typeof runReconcile> =>
  runReconcile({ database: world.database, sandbox: world.sandbox, wrapGateway: wrap });

/** What the sandbox has given back, and what is booked back here. */
async function backThereAndHere(): Promise<{ there: string[]; here: string[] }> {
  const here = await world.database.query<{ id: string }>(
    `SELECT attempt.provider_payout_id AS id FROM payouts AS payout
     JOIN payout_attempts AS attempt ON attempt.payout_id = payout.id
     WHERE payout.status = 'REVERSED' ORDER BY 1`,
  );
  const there = world.sandbox.payouts().filter(({ status }) => status === "reversed");
  return { there: there.map(({ id }) => id).sort(), here: here.map(({ id }) => id) };
}

const DAY_OF_PAYMENTS = [0, 60, 120, 180, 240, 300];
/** On which day which payment comes back: after 15, 200 and 40 days, and one in the outage. */
const COMES_BACK = new Map([
  [75, 1],
  [200, 0],
  [220, 3],
  [290, 4],
]);
/** From and to which day nobody compares anything. */
const OUTAGE = { from: 285, to: 306 };

it("over a year each payout that comes back is booked back within a day of a run, however late", async () => {
  const events = [...DAY_OF_PAYMENTS, ...COMES_BACK.keys(), OUTAGE.to, 365];
  const days = [...new Set(events.flatMap((day) => [day, day + 1]))].sort((a, b) => a - b);
  const paid: string[] = [];
  let today = 0;
  for (const day of days) {
    await time.pass(world.database, day - today);
    today = day;
    const isOut = day >= OUTAGE.from && day < OUTAGE.to;
    if (DAY_OF_PAYMENTS.includes(day)) {
      const known = new Set(world.sandbox.payouts().map(({ id }) => id));
      await world.payout();
      await world.run({ wrapGateway });
      paid.push(world.sandbox.payouts().find(({ id }) => !known.has(id))?.id ?? "");
    }
    const back = COMES_BACK.get(day);
    if (back !== undefined) world.sandbox.movePayout(paid[back] ?? "", { status: "reversed" });
    if (isOut) continue;
    const { verdict, report } = await reconcile();
    expect([day, verdict.kind, report.critical]).toEqual([day, "completed", 0]);
    const { there, here } = await backThereAndHere();
    expect([day, here]).toEqual([day, there]);
    const proven = await ledger();
    expect([day, proven.verdict.kind, proven.report.cash?.driftPaise ?? 0n]).toEqual([
      day,
      "completed",
      0n,
    ]);
  }
  expect(paid).toHaveLength(DAY_OF_PAYMENTS.length);
  const { there, here } = await backThereAndHere();
  expect(there).toHaveLength(4);
  expect(here).toEqual(there);
  expect(await world.database.query("SELECT 1 FROM findings")).toEqual([]);
});

/** The bank sends it as a transfer of its own: the statement does not say of which payout it is. */
it("a payout that comes back under another name is drift after a day, although both sides add up", async () => {
  await world.payout();
  await world.run({ wrapGateway });
  await reconcile();
  await time.pass(world.database, 1);
  await reconcile();
  const [paid] = world.sandbox.payouts();
  await time.pass(world.database, 30);
  world.sandbox.movePayout(paid?.id ?? "", { status: "reversed" });
  const asTransfer = (gateway: Parameters<typeof wrapGateway>[0]): typeof gateway => {
    const wrapped = wrapGateway(gateway);
    return {
      ...wrapped,
      listTransactions: async (...call) => {
        const answer = await wrapped.listTransactions(...call);
        if (answer.kind !== "accepted") return answer;
        return {
          ...answer,
          value: answer.value.map((each) =>
            each.creditPaise > 0n && each.payoutId !== null
              ? { ...each, payoutId: null, source: { entity: "bank_transfer", id: "bt_1" } }
              : each,
          ),
        };
      },
    };
  };
  expect((await reconcile(asTransfer)).report).toMatchObject({ reversed: 1 });
  expect((await ledger()).verdict.kind).toBe("completed");

  await time.pass(world.database, 2);
  await reconcile(asTransfer);
  const { verdict, report } = await ledger();
  expect(verdict).toMatchObject({ kind: "failed", code: "books-drift" });
  const cash = report.checks.find(({ code }) => code === "PROVIDER_CASH_DRIFT");
  const [payout] = await world.database.query<{ id: string }>("SELECT id FROM payouts");
  expect(cash?.rows).toContainEqual(
    expect.objectContaining({ subjectType: "payout", subjectId: payout?.id }),
  );
});

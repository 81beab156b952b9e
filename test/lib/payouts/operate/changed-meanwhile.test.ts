import { expect, it } from "vitest";
import { dueGroups } from "../../../../lib/payouts/batch/read-due.ts";
import { linkPayout } from "../../../../lib/payouts/batch/link.ts";
import {
  approvePayout,
  placeHold,
  rejectPayout,
  releaseHold,
  retryPayout,
  setOrganizationPayee,
  type PayoutChange,
} from "../../../../lib/payouts/operate/index.ts";
import { createPayoutCycle, type PayoutCycle } from "../../../support/payout-cycle.ts";
import { meanwhile } from "../meanwhile.ts";

const operator = { by: "Asha", reason: "looked at it" };
const inconsistent = { done: false, refusals: [{ code: "INCONSISTENT" }] };

/** A consultant with two earnings in one payout: APPROVED, or PENDING when they are large. */
async function given({ large = false } = {}): Promise<{
  cycle: PayoutCycle;
  earnings: string[];
  payoutId: string;
}> {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  const spec = large ? { gross: 900_000n } : {};
  const earnings = [await cycle.earning(consultant, spec), await cycle.earning(consultant, spec)];
  await cycle.batch();
  const [payout] = await cycle.query<{ id: string }>("SELECT id FROM payouts");
  return { cycle, earnings, payoutId: payout?.id ?? "" };
}

/** Nothing of a change that met another one may stay. */
async function expectUnchanged(
  cycle: PayoutCycle,
  change: (db: ReturnType<PayoutCycle["client"]>) => Promise<PayoutChange>,
  race: { before: RegExp; change: string },
): Promise<void> {
  const rows = (): Promise<unknown> =>
    cycle.query(`SELECT (SELECT jsonb_agg(p) FROM payouts p) AS payouts,
                        (SELECT jsonb_agg(i ORDER BY earning_id) FROM payout_items i) AS items,
                        (SELECT jsonb_agg(e ORDER BY id) FROM earnings e) AS earnings`);
  const before = await rows();
  expect(await change(meanwhile(cycle.client(), race))).toMatchObject(inconsistent);
  expect(await rows()).toEqual(before);
}

it("an approval hits nothing when the payout is no longer PENDING", async () => {
  const { cycle, payoutId } = await given({ large: true });
  await expectUnchanged(cycle, (db) => approvePayout(db, { payoutId, operator }), {
    before: /SET status = 'APPROVED'/,
    change: "UPDATE payouts SET status = 'REJECTED'",
  });
});

it("a rejection hits nothing when the payout has been claimed", async () => {
  const { cycle, payoutId } = await given();
  await expectUnchanged(cycle, (db) => rejectPayout(db, { payoutId, operator }), {
    before: /SET status = 'REJECTED'/,
    change:
      "UPDATE payouts SET status = 'PROCESSING', claimed_by = gen_random_uuid(), claimed_at = now()",
  });
});

it("a rejection is taken back when an earning of it is no longer LINKED", async () => {
  const { cycle, payoutId, earnings } = await given();
  await expectUnchanged(cycle, (db) => rejectPayout(db, { payoutId, operator }), {
    before: /UPDATE earnings SET status = 'READY'/,
    change: `UPDATE earnings SET status = 'READY' WHERE id = '${earnings[0] ?? ""}'`,
  });
});

it("a rejection leaves alone what the payout has let go of before", async () => {
  const { cycle, payoutId, earnings } = await given();
  // The database refuses it by now: this is of payouts that were made before.
  await cycle.query("ALTER TABLE payout_items DISABLE TRIGGER payout_items_release");
  await cycle.query("UPDATE payout_items SET released_at = '2026-11-01' WHERE earning_id = $1", [
    earnings[0],
  ]);
  await cycle.query("ALTER TABLE payout_items ENABLE TRIGGER payout_items_release");
  expect(await rejectPayout(cycle.client(), { payoutId, operator })).toMatchObject({
    done: true,
    note: "1 earning is READY again",
  });
  expect(
    await cycle.query("SELECT status::text AS status FROM earnings WHERE id = $1", [earnings[0]]),
  ).toEqual([{ status: "LINKED" }]);
});

it.each([
  ["is no longer FAILED", "UPDATE payouts SET status = 'APPROVED'"],
  ["was tried once more", "UPDATE payouts SET tries = tries + 1"],
])("a retry hits nothing when the payout %s", async (_, change) => {
  const { cycle, payoutId } = await given();
  await cycle.fail(payoutId);
  await expectUnchanged(cycle, (db) => retryPayout(db, { payoutId, operator }), {
    before: /UPDATE payouts/,
    change,
  });
});

it("a retry is taken back when an earning of it is no longer READY", async () => {
  const { cycle, payoutId, earnings } = await given();
  await cycle.fail(payoutId);
  await expectUnchanged(cycle, (db) => retryPayout(db, { payoutId, operator }), {
    before: /UPDATE earnings SET status = 'LINKED'/,
    change: `UPDATE earnings SET status = 'PAID' WHERE id = '${earnings[0] ?? ""}'`,
  });
});

it("a retry is taken back when an item of it is held already", async () => {
  const { cycle, payoutId, earnings } = await given();
  await cycle.fail(payoutId);
  await expectUnchanged(cycle, (db) => retryPayout(db, { payoutId, operator }), {
    before: /SET released_at = NULL/,
    change: `UPDATE payout_items SET released_at = NULL WHERE earning_id = '${earnings[0] ?? ""}'`,
  });
});

it.each([
  ["was paid", "status = 'PAID'"],
  ["was held back", "hold_until = india_today() + 1"],
])("a batch makes no payout of an earning that %s after it was read", async (_, change) => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);
  const db = cycle.client();
  const [group] = await dueGroups(db, [consultant], { settlementDays: 0 });
  if (!group) throw new Error("nothing is due");
  const racing = meanwhile(db, {
    before: /UPDATE earnings SET status = 'LINKED'/,
    change: `UPDATE earnings SET ${change}`,
  });
  const runId = "00000000-0000-4000-8000-000000000001";
  expect(await linkPayout(racing, { group, status: "APPROVED", runId })).toEqual({
    kind: "changed",
  });
  expect(await cycle.query("SELECT 1 FROM payouts")).toEqual([]);
});

it("a batch links what has no hold date, and what has one that has come", async () => {
  const cycle = await createPayoutCycle();
  const consultant = await cycle.consultant("C-1");
  await cycle.earning(consultant);
  await cycle.earning(consultant, { holdUntil: "india_today()" });
  expect((await cycle.batch()).report).toMatchObject({ created: 1, earnings: 2 });
});

it("a hold is released once, and only the kind that is named", async () => {
  const cycle = await createPayoutCycle();
  await cycle.consultant("C-1");
  const db = cycle.client();
  for (const kind of ["manual", "suspended", "open_dispute"] as const) {
    await placeHold(db, { consultant: "C-1", kind, operator });
  }
  const release = (kind: "manual" | undefined) =>
    releaseHold(db, { consultant: "C-1", kind, operator });
  expect(await release("manual")).toMatchObject({ done: true, kinds: ["manual"] });
  expect(await release("manual")).toMatchObject({ refusal: { code: "NOT_ON_HOLD" } });
  expect(await release(undefined)).toMatchObject({
    done: true,
    kinds: ["open_dispute", "suspended"],
  });
});

it("an organization that has a payee keeps it", async () => {
  const cycle = await createPayoutCycle();
  const first = await cycle.consultant("C-1");
  await cycle.consultant("C-2");
  const set = (consultant: string) =>
    setOrganizationPayee(cycle.client(), {
      consultant,
      organizationRef: "O-1",
      name: "Example College",
      operator,
    });
  await set("C-1");
  expect(await set("C-2")).toMatchObject({ refusal: { code: "HAS_PAYEE_ALREADY" } });
  expect(await cycle.query("SELECT payee_id FROM organizations")).toEqual([{ payee_id: first }]);
});

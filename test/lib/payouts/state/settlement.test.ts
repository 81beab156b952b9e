import { expect, it } from "vitest";
import { seedBooking, seedPlan } from "../../../../scripts/dev/seed/bookings.ts";
import { createPayoutCycle, type PayoutCycle } from "../../../support/payout-cycle.ts";

interface Capture {
  /** Days ago, in India. */
  daysAgo: number;
  status?: "PAID" | "ORPHANED";
  /** Default: one of the provider's. */
  providerPaymentId?: null;
}

/** The booking of an earning, and the capture of its payment. */
async function capture(cycle: PayoutCycle, earningId: string, capture: Capture): Promise<void> {
  const [earning] = await cycle.query<{ reference: string }>(
    "SELECT booking_reference AS reference FROM earnings WHERE id = $1",
    [earningId],
  );
  const plan = await seedPlan(cycle, { kind: "consultation" });
  const { id, userId } = await seedBooking(cycle, {
    plan,
    status: "CONFIRMED",
    reference: earning?.reference ?? "",
  });
  const { daysAgo, status = "PAID", providerPaymentId } = capture;
  // A whole checkout with its legs is not what is asked about.
  await cycle.query(`
    SET session_replication_role = replica;
    INSERT INTO payments (booking_id, user_id, amount_paise, status, provider_payment_id, captured_at)
    VALUES ('${id}', '${userId}', 118000, '${status}',
            ${providerPaymentId === null ? "NULL" : "'pay_' || gen_random_uuid()"},
            ((india_today() - ${daysAgo})::timestamp + interval '12 hours') AT TIME ZONE 'Asia/Kolkata');
    SET session_replication_role = DEFAULT`);
}

const spec = { gross: 60_000n, fee: 0n };

async function earned(cycle: PayoutCycle, ...captures: (Capture | undefined)[]): Promise<string> {
  const consultant = await cycle.consultant("C-1");
  for (const each of captures) {
    const earning = await cycle.earning(consultant, spec);
    if (each) await capture(cycle, earning, each);
  }
  return consultant;
}

it("pays an earning only when the buyer's money has settled, and says what waits until when", async () => {
  const cycle = await createPayoutCycle();
  const consultantId = await earned(cycle, { daysAgo: 4 }, { daysAgo: 3 }, { daysAgo: 0 });
  const [due] = await cycle.query<{ on: string }>("SELECT (india_today() + 4)::text AS on");

  const dry = await cycle.batch({ dryRun: true, db: cycle.client({ readOnly: true }) });
  const { verdict, report } = await cycle.batch();

  for (const each of [dry.report, report]) {
    expect(each).toMatchObject({ found: 1, earnings: 1, unsettled: 2, unsettledPaise: 120_000n });
    expect(each.items).toEqual([
      {
        consultantId,
        consultantRef: "C-1",
        currency: "INR",
        outcome: "unsettled",
        code: "NOT_SETTLED",
        message: `2 earnings (₹1,200.00) wait: the buyers' money has not settled; the last is due on ${due?.on ?? ""}`,
      },
    ]);
  }
  expect(verdict).toEqual({ kind: "completed" });
  expect(await cycle.breaches()).toEqual([]);
  expect((await cycle.batch()).report).toMatchObject({ found: 0, created: 0, unsettled: 2 });
});

it("does not hold back what has no known capture, or not the provider's", async () => {
  const cycle = await createPayoutCycle();
  await earned(
    cycle,
    undefined,
    { daysAgo: 0, providerPaymentId: null },
    { daysAgo: 0, status: "ORPHANED" },
  );
  expect((await cycle.batch()).report).toMatchObject({ created: 1, earnings: 3, unsettled: 0 });
});

it("does not wait where the setting says so", async () => {
  const cycle = await createPayoutCycle();
  await earned(cycle, { daysAgo: 0 });
  const settings = {
    minimumPaise: 50_000n,
    smallAfterDays: 0,
    autoApprovePaise: 500_000n,
    settlementDays: 0,
  };
  expect((await cycle.batch({ settings })).report).toMatchObject({ created: 1, unsettled: 0 });
});

import { seedBooking, seedPlan, seedReferralCredit, seedUser } from "../seed/bookings.ts";

/**
 * Writes one open checkout without an order, whose slot was last changed two days ago, and says the flags
 * by which a job is started for it.
 */
export async function insertSampleCheckout(url: string): Promise<Readonly<Record<string, string>>> {
  const at = { url };
  const amountPaise = 50_000n;
  const userId = await seedUser(at);
  const referralCreditId = await seedReferralCredit(at, {
    userId,
    amountPaise,
    usedPaise: amountPaise,
  });
  const { paymentId = "" } = await seedBooking(at, {
    plan: await seedPlan(at, { kind: "consultation" }),
    userId,
    slotsAgedHours: 48,
    checkout: { legs: [{ kind: "referral_credit", amountPaise, referralCreditId }] },
  });
  return { "payment-id": paymentId, "user-id": userId };
}

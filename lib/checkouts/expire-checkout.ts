import type { DbSession } from "../db/client.ts";
import { giveBackLegs, type HeldMoney } from "./held-legs.ts";
import type { LockedBooking, LockedPayment } from "./locked-booking.ts";

/** The checkout of a booking that waits for its buyer; there is at most one. */
export function openCheckout({
  payments,
}: Pick<LockedBooking, "payments">): LockedPayment | undefined {
  return payments.find(({ status }) => status === "PENDING");
}

/** PENDING to EXPIRED, by compare-and-swap. Its money goes back by `returnHeld`, after slots and seats. */
export async function expireCheckout(tx: DbSession, { id }: LockedPayment): Promise<boolean> {
  const hit = await tx.execute`
    UPDATE payments SET status = 'EXPIRED', expired_at = now(), updated_at = now()
    WHERE id = ${id}::uuid AND status = 'PENDING'`;
  return hit === 1;
}

export const NOTHING_HELD: HeldMoney = { walletPaise: 0n, creditPaise: 0n };

/** Wallet money and credit that an expired checkout held are back where they came from. */
export async function returnHeld(
  tx: DbSession,
  { id: paymentId, organizationId }: LockedPayment,
  actor: string,
): Promise<HeldMoney> {
  return giveBackLegs(tx, { paymentId, organizationId, actor });
}

import { formatRupees, minPaise, sumPaise, type Paise } from "../support/money.ts";
import { MINIMUM_REFUND_PAISE } from "../provider/index.ts";

export type LegKind = "card" | "wallet" | "referral_credit";

/**
 * The order in which money is refunded: first the buyer's own payment, then an organization's wallet, and free
 * credit last. Credit never turns into money by a partial refund.
 */
export const CASCADE: readonly LegKind[] = ["card", "wallet", "referral_credit"];

/** A leg of a payment and how much of it has neither gone back nor is on its way back. */
export interface LegLeft {
  legId: string;
  kind: LegKind;
  leftPaise: Paise;
}

export interface LegShare {
  legId: string;
  kind: LegKind;
  amountPaise: Paise;
}

type Split =
  | { ok: true; shares: readonly LegShare[] }
  | { ok: false; code: "EXCEEDS_PAID" | "CARD_SHARE_TOO_SMALL"; message: string };

/**
 * Pure: splits an amount over the legs in the order of the cascade, and never takes more from a leg than is
 * left of it. Legs of one kind are taken in the order of their ids. The provider sends back nothing below
 * ₹1: a smaller share of a card goes back by the other legs, or the refund is refused.
 */
export function splitOverLegs(legs: readonly LegLeft[], amountPaise: Paise): Split {
  const leftPaise = sumPaise(legs.map((leg) => leg.leftPaise));
  if (amountPaise > leftPaise) {
    const message = `${formatRupees(leftPaise)} can still go back, and ${formatRupees(amountPaise)} was asked for`;
    return { ok: false, code: "EXCEEDS_PAID", message };
  }
  const shares: LegShare[] = [];
  let openPaise = amountPaise;
  for (const { legId, kind, leftPaise: left } of inCascade(legs)) {
    const share = minPaise(openPaise, left);
    if (share === 0n || (kind === "card" && share < MINIMUM_REFUND_PAISE)) continue;
    shares.push({ legId, kind, amountPaise: share });
    openPaise -= share;
  }
  if (openPaise === 0n) return { ok: true, shares };
  const message = `${formatRupees(openPaise)} would go back by card, and the provider sends nothing below ${formatRupees(MINIMUM_REFUND_PAISE)}`;
  return { ok: false, code: "CARD_SHARE_TOO_SMALL", message };
}

function inCascade(legs: readonly LegLeft[]): LegLeft[] {
  return legs.toSorted(
    (a, b) =>
      CASCADE.indexOf(a.kind) - CASCADE.indexOf(b.kind) ||
      (a.legId < b.legId ? -1 : Number(a.legId > b.legId)),
  );
}

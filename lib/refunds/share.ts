import { minPaise, type Paise } from "../support/money.ts";
import { less, type GrossAndAmount } from "../earnings/take.ts";

/** How much of a payment has gone back, this refund included. */
interface Fraction {
  backPaise: Paise;
  paidPaise: Paise;
}

/**
 * Pure: the consultant's share of a refund. It is the share of all refunds so far, rounded down to the paisa,
 * less the share already charged. So rounding never adds up, and a full refund takes the whole earning. The
 * earning excludes GST and the payment does not, so the share is a fraction of either.
 *
 * Amount and platform fee are shared separately, so that the gross always covers the amount. Never more than the
 * rest of the sale after all other reductions.
 */
export function shareOfRefund(
  earned: GrossAndAmount,
  { backPaise, paidPaise }: Fraction,
  { borne, otherwise }: { borne: GrossAndAmount; otherwise: GrossAndAmount },
): GrossAndAmount {
  const part = (paise: Paise): Paise => (paise * backPaise) / paidPaise;
  const feePaise = earned.grossPaise - earned.amountPaise;
  const left = less(less(earned, borne), otherwise);
  const amountPaise = minPaise(part(earned.amountPaise) - borne.amountPaise, left.amountPaise);
  const feeBorne = borne.grossPaise - borne.amountPaise;
  const feeShare = minPaise(part(feePaise) - feeBorne, left.grossPaise - left.amountPaise);
  if (amountPaise <= 0n) return { grossPaise: 0n, amountPaise: 0n };
  return { amountPaise, grossPaise: amountPaise + (feeShare > 0n ? feeShare : 0n) };
}

import { minPaise, type Paise } from "../support/money.ts";

/** A sale, or the rest of one: the buyer's price without GST, and the consultant's share. */
export interface GrossAndAmount {
  grossPaise: Paise;
  amountPaise: Paise;
}

/**
 * Pure: the part of a debt that one earning can bear. The amount never exceeds the rest of the earning. As much
 * gross as possible follows the amount. Both the rest of the earning and the rest of the debt keep a gross of at
 * least their amount.
 */
export function takeFrom(left: GrossAndAmount, owed: GrossAndAmount): GrossAndAmount {
  const amountPaise = minPaise(left.amountPaise, owed.amountPaise);
  return {
    amountPaise,
    grossPaise: minPaise(
      left.grossPaise - left.amountPaise + amountPaise,
      owed.grossPaise - owed.amountPaise + amountPaise,
    ),
  };
}

export function less(from: GrossAndAmount, taken: GrossAndAmount): GrossAndAmount {
  return {
    grossPaise: from.grossPaise - taken.grossPaise,
    amountPaise: from.amountPaise - taken.amountPaise,
  };
}

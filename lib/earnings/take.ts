import { minPaise, type Paise } from "../support/money.ts";

/** A sale, or what is left of one: what the buyer paid without GST, and what the consultant gets of it. */
export interface GrossAndAmount {
  grossPaise: Paise;
  amountPaise: Paise;
}

/**
 * Pure: how much of what is owed one earning can bear. The amount never takes more than the earning has
 * left. The gross goes along with it, as much as may: what is left of the earning, and what is left of the
 * debt, both keep a gross of at least their amount.
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

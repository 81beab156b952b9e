import type { ReleasedBecause } from "../../notifications/mail.ts";

/** The side that ends a checkout: the buyer, the consultant, or not said. */
export const CANCEL_REASONS = [
  "cancelled-by-buyer",
  "declined",
  "cancelled",
] as const satisfies readonly ReleasedBecause[];

export type CancelReason = (typeof CANCEL_REASONS)[number];

export function isCancelReason(text: string): text is CancelReason {
  return CANCEL_REASONS.some((reason) => reason === text);
}

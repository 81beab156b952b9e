/** A run's action when the balance is too small for all due payouts. */
export const WHEN_SHORT = ["pay-oldest-first", "stop"] as const;
export type WhenShort = (typeof WHEN_SHORT)[number];

/** What a run does when the account holds too little for all that is due. */
export const WHEN_SHORT = ["pay-oldest-first", "stop"] as const;
export type WhenShort = (typeof WHEN_SHORT)[number];

/** Every state that a payout can be in, as the provider names them. */
export const PAYOUT_STATES = [
  "pending",
  "queued",
  "scheduled",
  "processing",
  "processed",
  "reversed",
  "failed",
  "rejected",
  "cancelled",
] as const;

export type PayoutState = (typeof PAYOUT_STATES)[number];

const NEXT: Readonly<Record<PayoutState, readonly PayoutState[]>> = {
  pending: ["queued", "scheduled", "processing", "rejected"],
  queued: ["processing", "cancelled", "failed"],
  scheduled: ["processing", "cancelled", "failed"],
  processing: ["processed", "reversed", "failed"],
  // The bank may return money days later: processed is not strictly final.
  processed: ["reversed"],
  reversed: ["failed"],
  failed: ["reversed"],
  rejected: [],
  cancelled: [],
};

/** How a new payout gets to the state in which the request for it is answered. */
const PATH_TO: Readonly<Record<PayoutState, readonly [PayoutState, ...PayoutState[]]>> = {
  pending: ["pending"],
  queued: ["queued"],
  scheduled: ["scheduled"],
  processing: ["processing"],
  processed: ["processing", "processed"],
  reversed: ["processing", "reversed"],
  failed: ["processing", "failed"],
  rejected: ["pending", "rejected"],
  cancelled: ["queued", "cancelled"],
};

const ENDED_WITHOUT_PAYING: ReadonlySet<PayoutState> = new Set([
  "failed",
  "rejected",
  "cancelled",
  "reversed",
]);

/** The states that may follow. Empty for a final state. */
export function nextStates(from: PayoutState): readonly PayoutState[] {
  return NEXT[from];
}

/** The states a new payout passes through, the last of which is `state`. */
export function pathTo(state: PayoutState): readonly [PayoutState, ...PayoutState[]] {
  return PATH_TO[state];
}

/** Whether money has left or may still leave. */
export function isLive(state: PayoutState): boolean {
  return !ENDED_WITHOUT_PAYING.has(state);
}

/** Whether amount and fees are outside our account while a payout is in this state. */
export function isMoneyOut(state: PayoutState): boolean {
  return state === "processing" || state === "processed";
}

/** A move that the provider's state graph does not have. */
export class IllegalTransition extends Error {
  override readonly name = "IllegalTransition";
  readonly from: PayoutState;
  readonly to: PayoutState;

  constructor(id: string, from: PayoutState, to: PayoutState) {
    const next = NEXT[from].join(", ") || "nothing, it is final";
    super(`payout ${id} is ${from} and cannot become ${to} (what may follow ${from}: ${next})`);
    this.from = from;
    this.to = to;
  }
}

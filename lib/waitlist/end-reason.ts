/** Why a request or booking ended, as `bookings.ended_because` has it. */
export type EndReason =
  /** A request that was not paid in time. */
  | "lapsed"
  /** A request whose money came when its time was another buyer's. */
  | "paid-too-late"
  | "cancelled-by-buyer"
  /** The consultant said no. */
  | "declined"
  /** Somebody ended it, and did not say for whom. */
  | "cancelled"
  /** All that was paid for it goes back. */
  | "refunded"
  /** The webinar or class does not take place. */
  | "plan-cancelled";

/** Nobody decided that it ends, so that money which comes late may book it again. */
export function endedByItself(because: EndReason | null): boolean {
  return because === "lapsed" || because === "paid-too-late";
}

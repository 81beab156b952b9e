import type { ReleasedBecause } from "../notifications/mail.ts";
import type { LockedBooking } from "./locked-booking.ts";

/** Why it ended, as its buyer is told; `otherwise` of a booking of which no record says it. */
export function toldBecause(
  { endedBecause, plan }: Pick<LockedBooking, "endedBecause" | "plan">,
  otherwise: ReleasedBecause,
): ReleasedBecause {
  if (plan.isCancelled) return "plan-cancelled";
  if (endedBecause === null) return otherwise;
  if (endedBecause === "paid-too-late") return "lapsed";
  return endedBecause === "refunded" ? "cancelled" : endedBecause;
}

/** The moves of a waitlist that the marketplace makes. */
export type { EndReason } from "../end-reason.ts";
export { bookOffer, type BookOfferResult } from "./book-offer.ts";
export { bookSeats, type BookSeatsResult } from "./book-seats.ts";
export {
  endParticipation,
  type EndedParticipation,
  type EndOfParticipation,
} from "./end-participation.ts";
export { joinWaitlist, type Join, type JoinResult } from "./join.ts";
export { leaveWaitlist, type LeaveResult } from "./leave.ts";
export type { Busy } from "./move.ts";
export type { NewBooking, NewBookingStatus, ReferenceTaken } from "./write-booking.ts";

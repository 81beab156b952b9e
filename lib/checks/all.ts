import type { Check } from "./check.ts";
import { bookingCancelledAndPaid } from "./checks/booking-cancelled-and-paid.ts";
import { bookingConfirmedAndRefunded } from "./checks/booking-confirmed-and-refunded.ts";
import { checkoutOpenLong } from "./checks/checkout-open-long.ts";
import { confirmedWithTentativeSlots } from "./checks/confirmed-with-tentative-slots.ts";
import { confirmedWithoutSlots } from "./checks/confirmed-without-slots.ts";
import { debtUnpaidLong } from "./checks/debt-unpaid-long.ts";
import { earningsWaitLong } from "./checks/earnings-wait-long.ts";
import { offerOutlastsPlan } from "./checks/offer-outlasts-plan.ts";
import { orphanNotSettled } from "./checks/orphan-not-settled.ts";
import { paidWithoutEarning } from "./checks/paid-without-earning.ts";
import { referencesLookAlike } from "./checks/references-look-alike.ts";
import { refundPendingLong } from "./checks/refund-pending-long.ts";
import { refundWithoutEarning } from "./checks/refund-without-earning.ts";
import { refundedAndNotBack } from "./checks/refunded-and-not-back.ts";
import { refundingAndNotAsked } from "./checks/refunding-and-not-asked.ts";
import { seatsMiscounted } from "./checks/seats-miscounted.ts";
import { waitingForPastPlan } from "./checks/waiting-for-past-plan.ts";

/** Every check of the records: one file each, in the order of their names. */
export const CHECKS: readonly Check[] = [
  bookingCancelledAndPaid,
  bookingConfirmedAndRefunded,
  checkoutOpenLong,
  confirmedWithTentativeSlots,
  confirmedWithoutSlots,
  debtUnpaidLong,
  earningsWaitLong,
  offerOutlastsPlan,
  orphanNotSettled,
  paidWithoutEarning,
  referencesLookAlike,
  refundPendingLong,
  refundWithoutEarning,
  refundedAndNotBack,
  refundingAndNotAsked,
  seatsMiscounted,
  waitingForPastPlan,
];

import {
  mailEnvironmentOptional,
  type MailSettings,
  type WithMail,
} from "../../notifications/index.ts";
import {
  razorpayPaymentsEnvironment,
  type RazorpayPaymentsSettings,
} from "../../razorpay/index.ts";
import { combineEnvironments } from "../../support/environment.ts";
import { waitlistEnvironment, type WaitlistSettings } from "../../waitlist/settings.ts";

/** Every job reads these that ends or settles checkouts. It sends mail only if a mail server is named. */
export type CheckoutSettings = WithMail<MailSettings | undefined> &
  WaitlistSettings & { razorpay: RazorpayPaymentsSettings };

export const checkoutEnvironment = combineEnvironments(
  razorpayPaymentsEnvironment,
  waitlistEnvironment,
  mailEnvironmentOptional,
);

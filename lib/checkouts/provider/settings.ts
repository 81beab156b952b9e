import {
  mailEnvironmentOptional,
  type MailSettings,
  type WithMail,
} from "../../notifications/index.ts";
import { combineEnvironments } from "../../support/environment.ts";
import { waitlistEnvironment, type WaitlistSettings } from "../../waitlist/settings.ts";

/**
 * Every job reads these that ends or settles checkouts, beside the provider's settings. It sends mail only if a mail
 * server is named.
 */
export type CheckoutSettings = WithMail<MailSettings | undefined> & WaitlistSettings;

export const checkoutEnvironment = combineEnvironments(
  waitlistEnvironment,
  mailEnvironmentOptional,
);

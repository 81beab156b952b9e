import { duration, environmentOf } from "../support/settings.ts";

export interface PaymentEventSettings {
  /** How far the first run reads back. */
  lookBackMs: number;
}

export const paymentEventsEnvironment = environmentOf<PaymentEventSettings>({
  lookBackMs: duration("days", {
    name: "PAYMENT_EVENTS_DAYS",
    default: 180,
    description: "time before the first run in which refunds and disputes at the provider are read",
    least: 1,
    most: 730,
  }),
});

import { duration, environmentOf } from "../support/settings.ts";

export interface WaitlistSettings {
  /** How long a seat is kept for the person to whom it is offered. */
  offerMs: number;
}

export interface ReminderSettings {
  /** With less than this left, the person is reminded of the offer. */
  reminderMs: number;
}

/** Every job reads these that may free a seat: it offers it to the next person. */
export const waitlistEnvironment = environmentOf<WaitlistSettings>({
  offerMs: duration("hours", {
    name: "WAITLIST_OFFER_HOURS",
    default: 24,
    description: "time that a seat is kept for the person to whom it is offered",
    least: 1,
    most: 720,
  }),
});

/** Settings of send-expiration-reminders alone. */
export const reminderEnvironment = environmentOf<ReminderSettings>({
  reminderMs: duration("hours", {
    name: "WAITLIST_REMINDER_HOURS",
    default: 12,
    description: "time left of an offer below which its person is reminded",
    least: 1,
    most: 720,
  }),
});

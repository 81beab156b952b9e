import {
  present,
  type Env,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../support/environment.ts";

export interface WaitlistSettings {
  /** How long an offered seat is kept. */
  offerMs: number;
}

export interface ReminderSettings {
  /** With less than this left, the person is reminded of the offer. */
  reminderMs: number;
}

const OFFER_HOURS = {
  name: "WAITLIST_OFFER_HOURS",
  required: false,
  default: "24",
  description: "time that a seat is kept for the person to whom it is offered",
  unit: "hours",
  allowed: { least: 1, most: 720 },
} satisfies EnvironmentVariable;

const REMINDER_HOURS = {
  name: "WAITLIST_REMINDER_HOURS",
  required: false,
  default: "12",
  description: "time left of an offer below which its person is reminded",
  unit: "hours",
  allowed: { least: 1, most: 720 },
} satisfies EnvironmentVariable;

/** Settings of every job that may free a seat: such a job offers the seat to the next person. */
export const waitlistEnvironment: EnvironmentSpec<WaitlistSettings> = hoursOf(
  OFFER_HOURS,
  (offerMs) => ({ offerMs }),
);

/** Settings of send-expiration-reminders alone. */
export const reminderEnvironment: EnvironmentSpec<ReminderSettings> = hoursOf(
  REMINDER_HOURS,
  (reminderMs) => ({ reminderMs }),
);

/** The spec of one variable that holds whole hours. */
function hoursOf<Settings>(
  variable: EnvironmentVariable & { default: string },
  settingsOf: (ms: number) => Settings,
): EnvironmentSpec<Settings> {
  return {
    variables: [variable],
    parse(env: Env) {
      const text = present(env, variable.name) ?? variable.default;
      const hours = /^\d{1,3}$/.test(text) ? Number(text) : 0;
      if (hours >= 1 && hours <= 720) {
        return { ok: true, settings: settingsOf(hours * 3_600_000), secrets: [] };
      }
      const problem = "expected a whole number of hours from 1 to 720";
      return { ok: false, problems: [{ variable: variable.name, problem }] };
    },
  };
}

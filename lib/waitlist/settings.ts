import { present, type EnvironmentSpec, type EnvironmentVariable } from "../support/environment.ts";

export interface WaitlistSettings {
  /** How long a seat is kept for the person to whom it is offered. */
  offerMs: number;
}

const OFFER_HOURS = {
  name: "WAITLIST_OFFER_HOURS",
  required: false,
  default: "24",
  description: "how long a seat is kept for the person to whom it is offered, 1 to 720",
} satisfies EnvironmentVariable;

/** What every job reads that may free a seat: it offers it to the next person. */
export const waitlistEnvironment: EnvironmentSpec<WaitlistSettings> = {
  variables: [OFFER_HOURS],
  parse(env) {
    const text = present(env, OFFER_HOURS.name) ?? OFFER_HOURS.default;
    const hours = /^\d{1,3}$/.test(text) ? Number(text) : 0;
    if (hours >= 1 && hours <= 720) {
      return { ok: true, settings: { offerMs: hours * 3_600_000 }, secrets: [] };
    }
    const problem = "expected a whole number of hours from 1 to 720";
    return { ok: false, problems: [{ variable: OFFER_HOURS.name, problem }] };
  },
};

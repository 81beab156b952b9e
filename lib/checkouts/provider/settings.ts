import {
  present,
  type Env,
  type EnvironmentProblem,
  type EnvironmentVariable,
  type ParsedEnvironment,
} from "../../support/environment.ts";
import {
  mailEnvironmentOptional,
  type MailSettings,
  type WithMail,
} from "../../notifications/index.ts";
import { waitlistEnvironment } from "../../waitlist/settings.ts";

/** What every job reads that ends or settles checkouts, beside the provider's own settings: waitlist, and mail, if it has any. */
export interface CheckoutSettings extends WithMail<MailSettings | undefined> {
  /** How long a freed seat is kept for the person to whom it is offered. */
  offerMs: number;
}

/** A whole number that a job reads, within bounds. */
export interface WholeNumber extends EnvironmentVariable {
  default: string;
  allowed: { readonly least: number; readonly most: number };
}

export const checkoutVariables: readonly EnvironmentVariable[] = [
  ...waitlistEnvironment.variables,
  ...mailEnvironmentOptional.variables,
];

/** Reads the checkout settings and a job's own numbers, and says everything that is wrong at once. */
export function parseCheckoutEnv<Own extends Record<string, WholeNumber>>(
  env: Env,
  own: Own,
): ParsedEnvironment<CheckoutSettings & { numbers: Record<keyof Own, number> }> {
  const waitlist = waitlistEnvironment.parse(env);
  const mail = mailEnvironmentOptional.parse(env);
  const problems: EnvironmentProblem[] = [
    ...(waitlist.ok ? [] : waitlist.problems),
    ...(mail.ok ? [] : mail.problems),
  ];
  const numbers = Object.fromEntries(
    Object.entries(own).map(
      ([
        key,
        {
          name,
          default: fallback,
          allowed: { least, most },
        },
      ]) => {
        const text = present(env, name) ?? fallback;
        const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
        if (!(value >= least && value <= most)) {
          problems.push({
            variable: name,
            problem: `expected a whole number from ${least} to ${most}`,
          });
        }
        return [key, value];
      },
    ),
  ) as Record<keyof Own, number>;
  if (!waitlist.ok || !mail.ok || problems.length > 0) {
    return { ok: false, problems };
  }
  return {
    ok: true,
    settings: {
      ...waitlist.settings,
      ...mail.settings,
      numbers,
    },
    secrets: mail.secrets,
  };
}

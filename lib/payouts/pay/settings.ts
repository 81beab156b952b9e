import { present } from "../../support/environment.ts";
import type { Paise } from "../../support/money.ts";
import { environmentOf, group, oneOf, rupees, text, wholeNumber } from "../../support/settings.ts";
import type { TaxPolicy } from "../../tds/index.ts";
import { taxPolicy } from "../../tds/settings.ts";
import { LIMITS, limitsKept } from "../state/limits.ts";
import { WHEN_SHORT, type WhenShort } from "./when-short.ts";

/** The caps of every run. Checked before anything is sent, on amounts before tax. */
export interface PayoutCaps {
  singlePaise: Paise;
  runPaise: Paise;
  runCount: number;
}

export interface PayoutSettings {
  caps: PayoutCaps;
  tax: TaxPolicy;
  /** The text on the payee's bank statement. */
  narration: string;
  /** The starter of the run, according to the environment; named in the audit log. */
  startedBy?: string | undefined;
  whenShort: WhenShort;
}

const caps = group<PayoutCaps>({
  singlePaise: rupees({
    name: "PAYOUTS_MAX_SINGLE_RUPEES",
    default: LIMITS.PAYOUTS_MAX_SINGLE_RUPEES,
    description:
      "largest single payout, before tax; a larger one is named and not sent, and makes the run red",
    least: 1n,
    example: "250000.00",
  }),
  runPaise: rupees({
    name: "PAYOUTS_MAX_RUN_RUPEES",
    default: LIMITS.PAYOUTS_MAX_RUN_RUPEES,
    description:
      "largest sum of one run, before tax; above it the run stops before anything is sent",
    least: 1n,
    example: "5000000",
  }),
  runCount: wholeNumber({
    name: "PAYOUTS_MAX_RUN_COUNT",
    default: Number(LIMITS.PAYOUTS_MAX_RUN_COUNT),
    description: "most payouts of one run; above it the run stops before anything is sent",
    unit: "payouts",
    least: 1,
    most: 9_999_999,
  }),
});

/** Everything that the pay run reads from the environment, beyond the database and the provider. */
export const payoutEnvironment = environmentOf<PayoutSettings>(
  {
    caps,
    narration: text({
      name: "PAYOUTS_NARRATION",
      default: "Consultant payout",
      description: "text on the payee's bank statement",
      pattern: /^[a-zA-Z0-9 ]{1,30}$/,
      form: "1 to 30 letters, digits and spaces",
      example: "Acme payout",
    }),
    whenShort: oneOf<WhenShort>({
      name: "PAYOUTS_WHEN_SHORT",
      default: "pay-oldest-first",
      description:
        "when the account holds too little for all that is due: pay the oldest that it can pay, or stop before the first; either way the run is red and says how much is missing",
      words: WHEN_SHORT,
    }),
    tax: taxPolicy,
    // GitHub and a shell set these, so no job declares them.
    startedBy: {
      variables: [],
      read: (env) => present(env, "GITHUB_ACTOR") ?? present(env, "USER"),
    },
  },
  (env, problems) =>
    limitsKept(
      env,
      ["PAYOUTS_MAX_SINGLE_RUPEES", "PAYOUTS_MAX_RUN_RUPEES", "PAYOUTS_MAX_RUN_COUNT"],
      problems,
    ),
);

/** The caps where nobody has set any. */
export function defaultCaps(): PayoutCaps {
  return caps.read({}, []);
}

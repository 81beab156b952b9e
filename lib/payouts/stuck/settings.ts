import { minutes } from "../../support/clock.ts";
import {
  present,
  readWholeNumber,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";

export interface StuckSettings {
  /** How long after the last send "the provider does not have it" is believed. */
  waitMs: number;
  /** A payout that is open for longer makes the run red. */
  alarmMs: number;
  /** Who is told by mail of payouts that stay in processing for days; undefined: nobody. */
  operators: string | undefined;
}

/** The shortest wait is 15 minutes: a request can be under way for as long as a call may take, and be queued behind. */
const own = [
  {
    name: "PAYOUTS_STUCK_WAIT_MINUTES",
    required: false,
    default: "60",
    description:
      "time since the last send after which a payout that the provider does not have is given up",
    unit: "minutes",
    allowed: { least: 15, most: 99_999 },
  },
  {
    name: "PAYOUTS_STUCK_ALARM_HOURS",
    required: false,
    default: "24",
    description: "time without a final answer after which handle-stuck-payouts is red",
    unit: "hours",
    allowed: { least: 1, most: 99_999 },
  },
] as const satisfies readonly EnvironmentVariable[];

const OPERATORS = {
  name: "OPERATORS_EMAIL",
  required: false,
  description:
    "where mail about payouts that stay in processing for three days goes; unset: no mail",
  allowed: { form: "an address", example: "payouts@example.com" },
} as const satisfies EnvironmentVariable;

/** One address, which is all that an alarm needs. */
const ADDRESS = /^[^\s<>@,;]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i;

export const stuckEnvironment: EnvironmentSpec<StuckSettings> = {
  variables: [...own, OPERATORS],
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const whole = (index: 0 | 1): number => readWholeNumber(env, own[index], problems);
    const waitMs = minutes(whole(0));
    const alarmMs = minutes(60 * whole(1));
    const operators = present(env, OPERATORS.name);
    if (operators !== undefined && !ADDRESS.test(operators)) {
      problems.push({ variable: OPERATORS.name, problem: "expected one address of mail" });
    }
    if (problems.length > 0) return { ok: false, problems };
    return {
      ok: true,
      settings: { waitMs, alarmMs, operators },
      secrets: operators === undefined ? [] : [operators],
    };
  },
};

import {
  combineEnvironments,
  present,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../../support/environment.ts";
import { duration, environmentOf } from "../../support/settings.ts";

interface Waits {
  /** How long after the last send "the provider does not have it" is believed. */
  waitMs: number;
  /** A payout that is open for longer makes the run red. */
  alarmMs: number;
}

interface Operators {
  /** Where mail goes about payouts that stay in processing for days. Undefined: nobody gets one. */
  operators: string | undefined;
}

export type StuckSettings = Waits & Operators;

const OPERATORS: EnvironmentVariable = {
  name: "OPERATORS_EMAIL",
  required: false,
  description:
    "where mail about payouts that stay in processing for three days goes; unset: no mail",
  allowed: { form: "an address", example: "payouts@example.com" },
};

/** One address, which is all that an alarm needs. */
const ADDRESS = /^[^\s<>@,;]+@[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i;

const operatorsEnvironment: EnvironmentSpec<Operators> = {
  variables: [OPERATORS],
  parse(env) {
    const operators = present(env, OPERATORS.name);
    if (operators !== undefined && !ADDRESS.test(operators)) {
      const problem = "expected one address of mail";
      return { ok: false, problems: [{ variable: OPERATORS.name, problem }] };
    }
    return {
      ok: true,
      settings: { operators },
      secrets: operators === undefined ? [] : [operators],
    };
  },
};

export const stuckEnvironment = combineEnvironments(
  environmentOf<Waits>({
    waitMs: duration("minutes", {
      name: "PAYOUTS_STUCK_WAIT_MINUTES",
      default: 60,
      description:
        "time since the last send after which a payout that the provider does not have is given up",
      // A request can be under way for as long as a call may take, and wait in a queue behind it.
      least: 15,
      most: 99_999,
    }),
    alarmMs: duration("hours", {
      name: "PAYOUTS_STUCK_ALARM_HOURS",
      default: 24,
      description: "time without a final answer after which handle-stuck-payouts is red",
      least: 1,
      most: 99_999,
    }),
  }),
  operatorsEnvironment,
);

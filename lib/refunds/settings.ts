import { minutes } from "../support/clock.ts";
import {
  mailEnvironmentOptional,
  type MailSettings,
  type WithMail,
} from "../notifications/index.ts";
import {
  combineEnvironments,
  readWholeNumber,
  type EnvironmentProblem,
  type EnvironmentSpec,
  type EnvironmentVariable,
} from "../support/environment.ts";

/** How patient the refund run is. */
export interface RefundRules {
  /** How long after the last send "the provider does not have it" is believed. */
  waitMs: number;
  /** A refund whose outcome nobody knows for longer than this makes the run red. */
  unknownAlarmMs: number;
  /** A refund that the provider has and has not finished for longer than this makes the run red. */
  pendingAlarmMs: number;
}

export type RefundSettings = RefundRules;

/** The shortest wait is 15 minutes: a request can be under way for as long as a call may take, and be queued behind. */
const own = [
  {
    name: "REFUNDS_WAIT_MINUTES",
    required: false,
    default: "60",
    description:
      "time since the last send after which a refund that the provider does not have is sent again",
    unit: "minutes",
    allowed: { least: 15, most: 99_999 },
  },
  {
    name: "REFUNDS_UNKNOWN_ALARM_HOURS",
    required: false,
    default: "24",
    description: "time without a known outcome after which process-refunds is red",
    unit: "hours",
    allowed: { least: 1, most: 99_999 },
  },
  {
    name: "REFUNDS_PENDING_ALARM_DAYS",
    required: false,
    default: "10",
    description: "time that a refund may be pending at the provider before process-refunds is red",
    unit: "days",
    allowed: { least: 1, most: 99_999 },
  },
] as const satisfies readonly EnvironmentVariable[];

const refundsAlone: EnvironmentSpec<RefundSettings> = {
  variables: own,
  parse(env) {
    const problems: EnvironmentProblem[] = [];
    const whole = (index: 0 | 1 | 2): number => readWholeNumber(env, own[index], problems);
    const waitMs = minutes(whole(0));
    const unknownAlarmMs = minutes(60 * whole(1));
    const pendingAlarmMs = minutes(24 * 60 * whole(2));
    if (problems.length > 0) return { ok: false, problems };
    return {
      ok: true,
      settings: { waitMs, unknownAlarmMs, pendingAlarmMs },
      secrets: [],
    };
  },
};

/** Everything that the refund run reads from the environment, beyond the database and the provider's own settings. */
export const refundEnvironment: EnvironmentSpec<
  RefundSettings & WithMail<MailSettings | undefined>
> = combineEnvironments(refundsAlone, mailEnvironmentOptional);

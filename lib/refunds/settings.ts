import { mailEnvironmentOptional } from "../notifications/index.ts";
import { combineEnvironments } from "../support/environment.ts";
import { duration, environmentOf, group } from "../support/settings.ts";

/** How patient the refund run is. */
export interface RefundRules {
  /** How long after the last send "the provider does not have it" is believed. */
  waitMs: number;
  /** A refund whose outcome nobody knows for longer than this makes the run red. */
  unknownAlarmMs: number;
  /** A refund that the provider has and has not finished for longer than this makes the run red. */
  pendingAlarmMs: number;
}

const rules = {
  waitMs: duration("minutes", {
    name: "REFUNDS_WAIT_MINUTES",
    default: 60,
    description:
      "time since the last send after which a refund that the provider does not have is sent again",
    // A request can be under way for as long as a call may take, and wait in a queue behind it.
    least: 15,
    most: 99_999,
  }),
  unknownAlarmMs: duration("hours", {
    name: "REFUNDS_UNKNOWN_ALARM_HOURS",
    default: 24,
    description: "time without a known outcome after which process-refunds is red",
    least: 1,
    most: 99_999,
  }),
  pendingAlarmMs: duration("days", {
    name: "REFUNDS_PENDING_ALARM_DAYS",
    default: 10,
    description: "time that a refund may be pending at the provider before process-refunds is red",
    least: 1,
    most: 99_999,
  }),
};

/** As every job reads them that sends refunds. */
export const refundRules = group<RefundRules>(rules);

/** Everything that the refund run reads from the environment, beyond the database and the provider. */
export const refundEnvironment = combineEnvironments(
  environmentOf<RefundRules>(rules),
  mailEnvironmentOptional,
);

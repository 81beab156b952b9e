import type { Day } from "../../support/calendar.ts";
import { combineEnvironments } from "../../support/environment.ts";
import { duration, environmentOf, optionalDay, text } from "../../support/settings.ts";
import { refusedAccountsEnvironment } from "../settings.ts";

/** Since which day in India payees are told of an event; without a day they are not. */
export interface TellPayeesSettings {
  paidSince: Day | undefined;
  failedSince: Day | undefined;
  waitingSince: Day | undefined;
  heldSince: Day | undefined;
  /** Between two mails to a payee whose money waits for an account. */
  waitingMs: number;
  /** The contact of a payee, as the end of "please contact". */
  contact: string;
  /** Whether deliver-outbox tells payees whose account was refused. */
  mailRefusedAccounts: boolean;
}

/** A payee is told again after so many days at most; ops/prune keeps the mails for longer. */
const MOST_DAYS = 30;

const ownEnvironment = environmentOf<Omit<TellPayeesSettings, "mailRefusedAccounts">>({
  paidSince: optionalDay({
    name: "MAIL_PAID_SINCE",
    description: "payees get a mail about a payout that is paid on this day in India or later",
  }),
  failedSince: optionalDay({
    name: "MAIL_FAILED_SINCE",
    description:
      "payees get a mail about a payout that fails or comes back on this day in India or later",
  }),
  waitingSince: optionalDay({
    name: "MAIL_WAITING_SINCE",
    description:
      "from this day in India on payees get a mail while their money waits for an account",
  }),
  heldSince: optionalDay({
    name: "MAIL_HELD_SINCE",
    description: "payees get a mail about a hold that is placed on this day in India or later",
  }),
  waitingMs: duration("days", {
    name: "MAIL_WAITING_DAYS",
    default: 7,
    description: "time between two mails to a payee whose money waits for an account",
    least: 1,
    most: MOST_DAYS,
  }),
  contact: text({
    name: "MAIL_PAYEES_CONTACT",
    default: "us by an answer to this mail",
    description: "whom a payee asks, as the end of the sentence “please contact …”",
    pattern: /^[^\p{Cc}]{1,200}$/u,
    form: "up to 200 characters on one line",
    example: "payouts@example.com",
  }),
});

export const tellPayeesEnvironment = combineEnvironments(
  ownEnvironment,
  refusedAccountsEnvironment,
);

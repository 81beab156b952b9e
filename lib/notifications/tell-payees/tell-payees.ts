import { inTransaction, type Db } from "../../db/client.ts";
import { inPages, tryRow } from "../../db/rows.ts";
import { ruleOf } from "../../provider/index.ts";
import type { RunContext } from "../../support/run-context.ts";
import type { CoreResult, Verdict } from "../../support/verdict.ts";
import { toPayee } from "../payee-words.ts";
import { enqueueMail, type MailData, type UserTemplate } from "../mail.ts";
import {
  bookingsShown,
  failedEvents,
  heldEvents,
  paidEvents,
  returnedEvents,
  waitingEvents,
  type After,
  type FailedEvent,
  type Page,
  type PaidEvent,
  type PayeeEvent,
} from "./find.ts";
import { countTold, emptyTellReport, type TellOutcome, type TellReport } from "./report.ts";
import type { TellPayeesSettings } from "./settings.ts";

export interface TellPayeesPorts extends Pick<
  RunContext<TellPayeesSettings>,
  "dryRun" | "limit" | "settings" | "log" | "signal"
> {
  readonly db: Db;
}

/** Events of one kind, and the mail about each. */
interface Source {
  outcome: TellOutcome;
  events: AsyncIterable<PayeeEvent & { mail: PayeeMail }>;
}

type PayeeMail = {
  [Template in UserTemplate]: { template: Template; data: MailData[Template] };
}[UserTemplate];

/**
 * Writes a mail to the outbox for each event that a payee is to be told of and that has none yet:
 * docs/jobs/tell-payees.md. It reads what the pay run and persons have done, and changes nothing of it.
 * `limit` counts events.
 */
export async function tellPayees(ports: TellPayeesPorts): Promise<CoreResult<TellReport>> {
  const report = emptyTellReport(ports.dryRun);
  try {
    for (const { outcome, events } of sourcesOf(ports)) {
      for await (const event of events) {
        if (ports.signal.aborted) return { verdict: { kind: "interrupted" }, report };
        if (report.found >= (ports.limit ?? Infinity)) return { verdict: judge(report), report };
        const { key: mail, consultantRef } = event;
        countTold(report, { mail, consultantRef, outcome: await tell(ports, event, outcome) });
      }
    }
    return { verdict: judge(report), report };
  } catch (error) {
    return { verdict: { kind: "broken", error }, report };
  }
}

/** One event, whose trouble is reported and never stops the others. */
async function tell(
  { db, dryRun, log }: TellPayeesPorts,
  { key, consultantId, reachable, mail }: PayeeEvent & { mail: PayeeMail },
  outcome: TellOutcome,
): Promise<TellOutcome> {
  if (!reachable) return "without-address";
  if (dryRun) return outcome;
  const written = await tryRow(
    () => inTransaction(db, (tx) => enqueueMail(tx, { key, consultantId, ...mail })),
    { log, row: { mail: key }, failed: "mail to a payee not written" },
  );
  if (written.kind !== "done") return "not-written";
  return written.value ? outcome : "known";
}

/** The kinds of events that a setting turns on. */
function sourcesOf({ db, settings }: TellPayeesPorts): Source[] {
  const { paidSince, failedSince, waitingSince, heldSince } = settings;
  const { waitingMs, contact, mailRefusedAccounts } = settings;
  const sources: Source[] = [];
  if (paidSince !== undefined) {
    const read = (page: Page): Promise<PaidEvent[]> => paidEvents(db, paidSince, page);
    sources.push({ outcome: "paid", events: withMails(read, paidMail) });
  }
  if (failedSince !== undefined) {
    const read = (page: Page): Promise<FailedEvent[]> =>
      failedEvents(db, { since: failedSince, mailRefusedAccounts }, page);
    const mail = (event: FailedEvent): PayeeMail => ({
      template: "payout-failed",
      data: { amountPaise: event.amountPaise, contact, ...failureOf(event) },
    });
    sources.push({ outcome: "failed", events: withMails(read, mail) });
    const readReturned = (page: Page): Promise<FailedEvent[]> =>
      returnedEvents(db, failedSince, page);
    const returned = (event: FailedEvent): PayeeMail => ({
      template: "payout-returned",
      data: {
        amountPaise: event.amountPaise,
        netPaise: event.netPaise,
        contact,
        ...failureOf(event),
      },
    });
    sources.push({ outcome: "returned", events: withMails(readReturned, returned) });
  }
  if (waitingSince !== undefined) {
    const events = withMails(
      (page) => waitingEvents(db, { since: waitingSince, waitingMs }, page),
      ({ amountPaise }) => ({ template: "payout-waiting", data: { amountPaise, contact } }),
    );
    sources.push({ outcome: "waiting", events });
  }
  if (heldSince !== undefined) {
    const events = withMails(
      (page) => heldEvents(db, heldSince, page),
      () => ({ template: "payout-held", data: { contact } }),
    );
    sources.push({ outcome: "held", events });
  }
  return sources;
}

async function* withMails<Event extends PayeeEvent>(
  read: (page: Page) => Promise<Event[]>,
  mailOf: (event: Event) => PayeeMail,
): AsyncGenerator<PayeeEvent & { mail: PayeeMail }, void> {
  const pages = inPages<Event>(({ after, count }) => read({ after: after satisfies After, count }));
  for await (const event of pages) yield { ...event, mail: mailOf(event) };
}

function paidMail(event: PaidEvent): PayeeMail {
  const { amountPaise, netPaise, taxPaise, taxes, utr, items } = event;
  const bookings = bookingsShown(event);
  return {
    template: "payout-paid",
    data: {
      amountPaise,
      netPaise,
      taxPaise,
      taxedBy: taxes.map(({ section, rateBps }) => `${section} at ${rateBps / 100}%`).join(", "),
      utr: utr ?? "",
      sentTo: placeOf(event),
      bookings,
      more: items - bookings.length,
    },
  };
}

/** Never more of an account than its last four digits. */
function placeOf({ kind, lastDigits }: PaidEvent): string {
  if (kind === null) return "";
  return kind === "vpa" ? "your UPI ID" : `your account that ends with ${lastDigits ?? ""}`;
}

/** Our own reasons that a payee can do something about. */
const OWN_REASONS: Readonly<Record<string, string>> = {
  NO_PAYOUT_ACCOUNT: "we have no account to send it to",
  AMOUNT_ABOVE_UPI_LIMIT: "the amount is more than a UPI ID takes",
};

/** The reason as the payee reads it, without our own affairs, and whether another account is needed. */
function failureOf({ failureCode, hasNewAccount }: FailedEvent): {
  because: string;
  newDetails: boolean;
} {
  const own = OWN_REASONS[failureCode ?? ""];
  if (own !== undefined) return { because: own, newDetails: !hasNewAccount };
  const rule = ruleOf(failureCode);
  if (rule?.action === "new-details") {
    return { because: toPayee(rule.means), newDetails: !hasNewAccount };
  }
  const isTheirs = rule?.means.includes("the payee's") ?? false;
  return {
    because: rule && isTheirs ? toPayee(rule.means) : "it could not be carried out",
    newDetails: false,
  };
}

function judge({ found, notWritten, withoutAddress }: TellReport): Verdict {
  if (notWritten > 0) {
    return {
      kind: "partial",
      reason: "mails-not-written",
      message: `${notWritten} of ${found} mails to payees could not be written.`,
      remedy: "The log has the error of each. The next run tries again; no payout is affected.",
    };
  }
  if (withoutAddress === 0) return { kind: "completed" };
  return {
    kind: "completed",
    note: `${withoutAddress} events are not told, because their payees have no mail address (npm run payouts -- mail-address).`,
  };
}

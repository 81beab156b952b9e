import * as z from "zod";
import { istInWords } from "../support/calendar.ts";
import { formatRupees } from "../support/money.ts";
import {
  OPERATOR_TEMPLATES,
  PAYEE_TEMPLATES,
  type CancelledMoney,
  type MailData,
  type MailTemplate,
  type OperatorTemplate,
  type ReleasedBecause,
  type UserTemplate,
} from "./mail.ts";

/** The values that a template may name. Each is text on one line, or a list of such. */
export type Shown = Record<string, string | readonly Readonly<Record<string, string>>[]>;

/** Data as the outbox holds it: amounts are decimal digits there. */
type Stored<Data> = Data extends bigint
  ? string
  : Data extends object
    ? { [Field in keyof Data]: Stored<Data[Field]> }
    : Data;

const text = z.string().min(1).transform(onOneLine);
/** A link to anything else than a page could run in the reader's browser. */
const url = z.url({ protocol: /^https?$/ });
const instant = z.iso.datetime().transform((iso) => istInWords(new Date(iso)));
const amount = z
  .string()
  .regex(/^[0-9]{1,15}$/)
  .transform((digits) => formatRupees(BigInt(digits)));

const count = z
  .int()
  .nonnegative()
  .transform((value) => String(value));
const more = count.transform((value) => (value === "0" ? "" : value));
const slowPayouts = z.object({
  payouts: z.array(z.object({ payoutId: text, days: count, said: text })).min(1),
  more,
});
/** May be empty, where a template asks for that. */
const perhaps = z.string().transform(onOneLine);
/** For a condition of a template: empty is no. */
const yes = z.boolean().transform((value) => (value ? "yes" : ""));
const failure = z.object({ amountPaise: amount, because: text, newDetails: yes, contact: text });
const paid = z.object({
  amountPaise: amount,
  netPaise: amount,
  taxPaise: amount,
  taxedBy: perhaps,
  utr: perhaps,
  sentTo: perhaps,
  bookings: z.array(z.object({ reference: text, amountPaise: amount })),
  more,
});
const plan = z.object({ planTitle: text, planUrl: url });
const offer = plan.extend({ expiresAt: instant });
const payment = plan.extend({ amountPaise: amount });

/** The sentence about the end of a buyer's checkout, by its reason. */
const RELEASED: Record<ReleasedBecause, { ended: string; after: string; again: string }> = {
  lapsed: {
    ended: "was not paid in time",
    after: "the time in which your booking was held, and there is no room any more",
    again: "You can book again as long as there is room.",
  },
  "cancelled-by-buyer": {
    ended: "was cancelled, as you asked",
    after: "your booking was cancelled, as you asked",
    again: "You can book again as long as there is room.",
  },
  declined: {
    ended: "ended because your request was declined",
    after: "your request was declined",
    again: "You can ask for another time.",
  },
  cancelled: {
    ended: "was cancelled",
    after: "your booking was cancelled",
    again: "You can book again as long as there is room.",
  },
  "plan-cancelled": {
    ended: "ended because the event does not take place",
    after: "the event was cancelled",
    again: "We are sorry.",
  },
};

/** The sentence about the buyer's money when an event is cancelled. */
const CANCELLED_MONEY: Record<CancelledMoney, (amount: string) => string> = {
  refund: (amount) =>
    `Your ${amount} go back to you by the way they were paid. We write again when that is done.`,
  "looked-at": (amount) =>
    `Your ${amount} could not be sent back at once. We look after it and write to you.`,
  none: () => "Nothing of yours is with us. If a payment of yours still arrives, it goes back.",
};
const cancelledPlan = payment
  .extend({ money: z.enum(Object.keys(CANCELLED_MONEY) as CancelledMoney[]) })
  .transform(({ money, amountPaise, ...rest }) => ({
    ...rest,
    money: CANCELLED_MONEY[money](amountPaise),
  }));

const why = z.enum(Object.keys(RELEASED) as ReleasedBecause[]).default("lapsed");
const released = plan
  .extend({ why })
  .transform(({ why, ...rest }) => ({ ...rest, ...RELEASED[why] }));
const latePayment = payment
  .extend({ why })
  .transform(({ why, ...rest }) => ({ ...rest, ...RELEASED[why] }));

/** The stored data of each mail, checked, and in its shown form. */
const SHOWN: { [Template in MailTemplate]: z.ZodType<Shown, Stored<MailData[Template]>> } = {
  "waitlist-offer": offer,
  "waitlist-reminder": offer,
  "waitlist-expired": plan,
  "checkout-released": released,
  "late-payment-booked": payment,
  "late-payment-refunded": latePayment,
  "plan-cancelled": cancelledPlan,
  "waitlist-plan-cancelled": plan,
  "refund-processed": payment,
  "account-refused": z.object({ because: text }),
  "payout-paid": paid,
  "payout-failed": failure,
  "payout-returned": failure.extend({ netPaise: amount }),
  "payout-waiting": z.object({ amountPaise: amount, contact: text }),
  "payout-held": z.object({ contact: text }),
  "payouts-in-processing": slowPayouts,
};

/** Why its reader gets it, at the end of each mail. */
const TO_USERS = "This mail was sent because of your booking or your place on a waitlist.";
const TO_OPERATORS = "This mail was sent because this address is set as that of the operators.";
const TO_PAYEES = "This mail was sent because we owe you money for your work on the marketplace.";

export function footerOf(template: MailTemplate): string {
  if (PAYEE_TEMPLATES.some((each) => each === template)) return TO_PAYEES;
  return isForOperators(template) ? TO_OPERATORS : TO_USERS;
}

const MAIL_TEMPLATES = Object.keys(SHOWN) as MailTemplate[];

function isForOperators(template: MailTemplate): template is OperatorTemplate {
  return OPERATOR_TEMPLATES.some((each) => each === template);
}

export const USER_TEMPLATES = MAIL_TEMPLATES.filter(
  (template): template is UserTemplate => !isForOperators(template),
);

export function isMailTemplate(name: string): name is MailTemplate {
  return Object.hasOwn(SHOWN, name);
}

/** @throws {z.ZodError} when the data are not those of the template */
export function shownOf(template: MailTemplate, data: unknown): Shown {
  return SHOWN[template].parse(data);
}

/** No line break, no other control character, and none that turns the direction of writing. */
export function onOneLine(value: string): string {
  return value
    .replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replace(/ {2,}/g, " ")
    .trim();
}

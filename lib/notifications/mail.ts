import type { DbSession } from "../db/client.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";

/** The fields of every mail about a plan. */
export interface PlanShown {
  planTitle: string;
  /** Where the plan is shown and booked. */
  planUrl: string;
}

/** Why a checkout or request ended, as its buyer is told. */
export type ReleasedBecause =
  | "lapsed"
  | "cancelled-by-buyer"
  /** The consultant said no. */
  | "declined"
  | "cancelled"
  /** The webinar or class does not take place. */
  | "plan-cancelled";

/** The way of the buyer's money: it goes back, a person sees to it, or there is none with us. */
export type CancelledMoney = "refund" | "looked-at" | "none";

/** All mails, and the data of each. Instants are ISO texts, amounts paise. */
export interface MailData {
  /** A seat is free and kept for this person. */
  "waitlist-offer": PlanShown & { expiresAt: string };
  /** The offer ends soon. */
  "waitlist-reminder": PlanShown & { expiresAt: string };
  /** The offer has ended. */
  "waitlist-expired": PlanShown;
  /** An unpaid checkout ended, and its slots are free again. Mails of earlier versions do not say why. */
  "checkout-released": PlanShown & { why?: ReleasedBecause | undefined };
  /** A payment came after its checkout was given up, and was booked all the same. */
  "late-payment-booked": PlanShown & { amountPaise: Paise };
  /** A payment came after its checkout had ended, and goes back. Mails of earlier versions do not say why it ended. */
  "late-payment-refunded": PlanShown & {
    amountPaise: Paise;
    why?: ReleasedBecause | undefined;
  };
  /** The event is cancelled, and with it the reader's booking. `amountPaise`: goes back, or is looked at. */
  "plan-cancelled": PlanShown & { money: CancelledMoney; amountPaise: Paise };
  /** The event is cancelled, for which the reader waited or was offered a seat. */
  "waitlist-plan-cancelled": PlanShown;
  /** A refund has been carried out. */
  "refund-processed": PlanShown & { amountPaise: Paise };
  /** The bank refused the payee's account; nothing is sent to it. `because`: "your account is closed". */
  "account-refused": { because: string };
  /** A payout is paid. `netPaise` is the rest of `amountPaise` after tax. */
  "payout-paid": PayoutShown & {
    netPaise: Paise;
    taxPaise: Paise;
    /** "194-O at 0.1%"; empty without tax. */
    taxedBy: string;
    /** The number that the bank knows the transfer by; empty where it is not known. */
    utr: string;
    /** "your account that ends with 8901", "your UPI ID"; empty where tax took all of it. */
    sentTo: string;
    bookings: readonly BookingShown[];
    /** How many bookings are not listed. */
    more: number;
  };
  /** A payout failed. `newDetails`: the payee has to give another account. */
  "payout-failed": PayoutShown & { because: string; newDetails: boolean; contact: string };
  /** The money of a payout came back from the bank. */
  "payout-returned": PayoutShown & {
    netPaise: Paise;
    because: string;
    newDetails: boolean;
    contact: string;
  };
  /** Money waits, and there is no account to send it to. */
  "payout-waiting": { amountPaise: Paise; contact: string };
  /** Payouts are on hold; the reason is not told. */
  "payout-held": { contact: string };
  /** For operators: payouts that have been in processing for days. `more`: how many are not listed. */
  "payouts-in-processing": { payouts: readonly SlowPayoutShown[]; more: number };
}

/** Owed before tax. */
interface PayoutShown {
  amountPaise: Paise;
}

/** A booking of a payout, and the amount owed for it before tax. */
export interface BookingShown {
  reference: string;
  amountPaise: Paise;
}

/** A payout that the provider has not finished, as operators are told of it. */
export interface SlowPayoutShown {
  payoutId: string;
  /** Whole days in processing. */
  days: number;
  /** The words of the provider or the bank, without personal data. */
  said: string;
}

/** The reader of a mail: a buyer, or a payee. */
type MailReader =
  { userId: string; consultantId?: never } | { consultantId: string; userId?: never };

/** Mails for operators of the jobs: they have no user. */
export const OPERATOR_TEMPLATES = ["payouts-in-processing"] as const satisfies (keyof MailData)[];
export type OperatorTemplate = (typeof OPERATOR_TEMPLATES)[number];

/** Mails for payees. */
export const PAYEE_TEMPLATES = [
  "account-refused",
  "payout-paid",
  "payout-failed",
  "payout-returned",
  "payout-waiting",
  "payout-held",
] as const satisfies (keyof MailData)[];

export type MailTemplate = keyof MailData;
export type UserTemplate = Exclude<MailTemplate, OperatorTemplate>;

type NewMail<Template extends UserTemplate = UserTemplate> = MailReader & {
  /** Makes it be sent once, such as `waitlist-offer:<entry>`. */
  key: string;
  template: Template;
  data: MailData[Template];
  /** Not worth sending after this. */
  deliverUntil?: Date;
};

/**
 * Writes a mail to the outbox, once for its key. Belongs into the transaction of its event, so that neither
 * exists without the other. Returns false when the outbox already has the mail.
 */
export async function enqueueMail<Template extends UserTemplate>(
  tx: DbSession,
  mail: NewMail<Template>,
): Promise<boolean> {
  const written = await tx.execute`
    INSERT INTO outbox_mails (key, user_id, consultant_id, template, data, deliver_until)
    VALUES (${mail.key}, ${mail.userId ?? null}::uuid, ${mail.consultantId ?? null}::uuid, ${mail.template}, ${toJson(mail.data)}::jsonb,
            ${mail.deliverUntil ?? null}::timestamptz)
    ON CONFLICT (key) DO NOTHING`;
  return written === 1;
}

/** Writes a mail to the operators' address, once for its key, as `enqueueMail` does for a user. */
export async function enqueueOperatorMail<Template extends OperatorTemplate>(
  tx: DbSession,
  mail: { key: string; recipient: string; template: Template; data: MailData[Template] },
): Promise<boolean> {
  const written = await tx.execute`
    INSERT INTO outbox_mails (key, recipient, template, data)
    VALUES (${mail.key}, ${mail.recipient}, ${mail.template}, ${toJson(mail.data)}::jsonb)
    ON CONFLICT (key) DO NOTHING`;
  return written === 1;
}

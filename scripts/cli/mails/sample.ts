import type { MailData } from "../../../lib/notifications/mail.ts";

/** Nobody titles a plan so, and somebody will. */
const plan = {
  planTitle: `"Yoga" & breath 🧘 <script>alert("hello")</script>`,
  planUrl: "https://marketplace.example/plans/yoga?from=mail&seat=1",
};
const offer = { ...plan, expiresAt: "2026-11-25T15:37:00.000Z" };
const payment = { ...plan, amountPaise: 123_456_700n };

export const SAMPLE_READER = { name: "Asha O'Neil <the reader>", address: "asha@buyers.example" };

/** Each mail that there is, with data to look at it. */
export const SAMPLE_MAILS: MailData = {
  "waitlist-offer": offer,
  "waitlist-reminder": offer,
  "waitlist-expired": plan,
  "checkout-released": plan,
  "late-payment-booked": payment,
  "late-payment-refunded": payment,
  "plan-cancelled": { ...payment, money: "refund" },
  "waitlist-plan-cancelled": plan,
  "refund-processed": payment,
  "account-refused": { because: "your account is closed" },
  "payouts-in-processing": {
    payouts: [
      {
        payoutId: "8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42",
        days: 4,
        said: "the provider has it as <script>processing</script> (beneficiary_bank_confirmation_pending)",
      },
    ],
    more: 2,
  },
};

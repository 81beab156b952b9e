import type { MailData } from "../../../lib/notifications/mail.ts";

/** Nobody titles a plan so, and somebody will. */
const plan = {
  planTitle: `"Yoga" & breath 🧘 <script>alert("hello")</script>`,
  planUrl: "https://marketplace.example/plans/yoga?from=mail&seat=1",
};
const offer = { ...plan, expiresAt: "2026-11-25T15:37:00.000Z" };
const payment = { ...plan, amountPaise: 123_456_700n };

const CONTACT = "payouts@marketplace.example";

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
  "payout-paid": {
    amountPaise: 8_500_00n,
    netPaise: 8_490_00n,
    taxPaise: 10_00n,
    taxedBy: "194-O at 0.1%",
    utr: "000000000001",
    sentTo: "your account that ends with 8901",
    bookings: [
      { reference: "BK-1001", amountPaise: 5_000_00n },
      { reference: "BK-1002 <script>", amountPaise: 3_500_00n },
    ],
    more: 3,
  },
  "payout-failed": {
    amountPaise: 8_500_00n,
    because: "your account is closed",
    newDetails: true,
    contact: CONTACT,
  },
  "payout-returned": {
    amountPaise: 8_500_00n,
    netPaise: 8_490_00n,
    because: "your bank was offline",
    newDetails: false,
    contact: CONTACT,
  },
  "payout-waiting": { amountPaise: 8_500_00n, contact: CONTACT },
  "payout-held": { contact: CONTACT },
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

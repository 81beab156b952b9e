/** The step of an operator about a part of a cancellation that was not done, by its code. */
export function remedyOf(code: string): string {
  switch (code) {
    case "NO_PROVIDER_PAYMENT":
      return "Find the capture on the provider's dashboard, store its id (pay_…) with the payment, and cancel again.";
    case "CARD_SHARE_TOO_SMALL":
      return "The provider sends nothing below ₹1. Give it back in another way, then resolve the finding.";
    case "CURRENCY_NOT_SUPPORTED":
      return "Refund it on the provider's dashboard, then resolve the finding.";
    case "DISPUTE_OPEN":
      return "The buyer disputes the payment. Cancel again once the dispute has ended: what it leaves goes back then.";
    case "BUSY":
      return "Other sessions change the same rows. Nothing of this booking was changed: cancel again.";
    default:
      return "Nothing of it was refunded. Mend the cause, and cancel again: it goes on with what is left.";
  }
}

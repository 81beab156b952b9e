import type {
  DisputeDetails,
  PaymentDetails,
  RefundDetails,
} from "../../../lib/refunds/show-payment.ts";
import { BY_PROVIDER } from "../../../lib/refunds/outside-refund.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import { redactor } from "../frame/redactor.ts";
import { istMinute } from "../../../lib/support/calendar.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { page, section, type Fact } from "../frame/print.ts";

/** People write reasons, and providers messages, with account numbers in them. */

export function paymentLines(payment: PaymentDetails): string[] {
  const { earning } = payment;
  const facts: Fact[] = [
    ["Booking", payment.bookingReference],
    ["Status", payment.status],
    ["Amount", formatRupees(payment.amountPaise)],
    ["Paid by", payment.organizationRef ?? "the buyer"],
    ["Order", payment.providerOrderId ?? "-"],
    ["Capture", payment.providerPaymentId ?? "-"],
    ["Captured", payment.capturedAt ? `${istMinute(payment.capturedAt)} IST` : "-"],
  ];
  if (earning) {
    const left = `${formatRupees(earning.leftPaise)} of ${formatRupees(earning.amountPaise)}`;
    facts.push(["Earning", `${earning.status}, ${left} left`]);
    facts.push(["Owed", `${formatRupees(earning.owedPaise)} still to be recovered`]);
  }
  return [
    ...page(`Payment ${payment.id}`, facts),
    ...section(
      "Legs",
      textTable(
        ["By", "Paid", "Back", "Released (IST)"],
        payment.legs.map(({ kind, amountPaise, backPaise, releasedAt }) => [
          kind,
          formatRupees(amountPaise),
          formatRupees(backPaise),
          releasedAt ? istMinute(releasedAt) : "",
        ]),
      ),
    ),
    ...section("Refunds", textTable(REFUND_COLUMNS, payment.refunds.flatMap(refundRows))),
    ...section("Disputes", textTable(DISPUTE_COLUMNS, payment.disputes.map(disputeRow))),
    ...section(
      "Audit",
      textTable(
        ["When (IST)", "Who", "What", "Why"],
        payment.audit.map(({ at, actor, action, reason }) => [
          istMinute(at),
          actor,
          action,
          redactor.text(reason ?? ""),
        ]),
      ),
    ),
  ];
}

const DISPUTE_COLUMNS = ["Dispute", "Status", "Amount", "Taken", "Answer by (IST)", "Remark"];

function disputeRow(dispute: DisputeDetails): string[] {
  const { id, status, amountPaise, deductedPaise, respondBy, phase, reasonCode } = dispute;
  const remarks = [
    phase,
    reasonCode,
    dispute.unmatched,
    dispute.endedAt === null ? "open: no refund meanwhile" : null,
  ];
  return [
    id,
    status,
    formatRupees(amountPaise),
    formatRupees(deductedPaise),
    respondBy ? istMinute(respondBy) : "",
    redactor.text(remarks.filter(Boolean).join(", ")),
  ];
}

const REFUND_COLUMNS = ["Refund", "Status", "By", "Amount", "State", "Provider's id", "Remark"];

function refundRows(refund: RefundDetails): string[][] {
  return refund.legs.map((leg, index) => [
    index === 0 ? refund.id : "",
    index === 0 ? refund.status : "",
    leg.kind,
    formatRupees(leg.amountPaise),
    leg.state,
    leg.providerRefundId ?? "",
    redactor.text(
      [madeOutside(refund), leg.failureCode, leg.failureMessage].filter(Boolean).join(": "),
    ),
  ]);
}

/** A refund that nobody here asked for says where it comes from. */
function madeOutside({ requestedBy, reason }: RefundDetails): string {
  return requestedBy === BY_PROVIDER ? reason : "";
}

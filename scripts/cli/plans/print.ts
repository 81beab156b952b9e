import type { ListedPlan } from "../../../lib/plans/list-plans.ts";
import type { CancelPlanReport } from "../../../lib/plans/report.ts";
import type { PlanDetails } from "../../../lib/plans/show-plan.ts";
import { istMinute } from "../../../lib/support/calendar.ts";
import { formatRupees } from "../../../lib/support/money.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { page, section, type Columns, type Fact } from "../frame/print.ts";
import { redactor } from "../frame/redactor.ts";

const minute = (at: Date | null): string => (at ? `${istMinute(at)} IST` : "-");

export const PLAN_COLUMNS: Columns<ListedPlan> = {
  id: true,
  title: true,
  kind: true,
  startsAt: true,
  capacity: true,
  bookedSeats: true,
  offeredSeats: true,
  waiting: true,
  cancelledAt: true,
};

export function planRows(plans: readonly ListedPlan[]): string[] {
  return textTable(
    [
      "Plan",
      "Title",
      "Kind",
      "Begins (IST)",
      "Seats",
      "Booked",
      "Offered",
      "Waiting",
      "Cancelled (IST)",
    ],
    plans.map((plan) => [
      plan.id,
      plan.title,
      plan.kind,
      plan.startsAt ? istMinute(plan.startsAt) : "",
      String(plan.capacity ?? ""),
      String(plan.bookedSeats),
      String(plan.offeredSeats),
      String(plan.waiting),
      plan.cancelledAt ? istMinute(plan.cancelledAt) : "",
    ]),
  );
}

export function planLines(plan: PlanDetails): string[] {
  const { capacity } = plan;
  const facts: Fact[] = [
    ["Title", plan.title],
    ["Kind", plan.kind],
    ["Consultant", plan.consultantRef],
    ["Begins", minute(plan.startsAt)],
  ];
  if (capacity !== null) {
    facts.push(["Seats", `${capacity}: ${plan.bookedSeats} booked, ${plan.offeredSeats} offered`]);
  }
  if (plan.cancelledAt) {
    facts.push(
      ["Cancelled", `${minute(plan.cancelledAt)}, by ${plan.cancelledBy ?? "-"}`],
      ["Because", redactor.text(plan.reason ?? "")],
    );
  }
  return [
    ...page(`Plan ${plan.id}`, facts),
    ...section("Bookings", textTable(["Status", "Count"], plan.bookings.map(counted))),
    ...section("Payments", textTable(["Status", "Count", "Amount"], plan.payments.map(summed))),
    ...section("Waitlist", textTable(["Status", "Count"], plan.waitlist.map(counted))),
    ...(plan.cancellation ? cancellationLines(plan.cancellation) : []),
    ...section(
      "Audit",
      textTable(
        ["When (IST)", "Who", "What", "Why"],
        plan.audit.map(({ at, actor, action, reason }) => [
          istMinute(at),
          actor,
          action,
          redactor.text(reason ?? ""),
        ]),
      ),
    ),
  ];
}

function cancellationLines(state: NonNullable<PlanDetails["cancellation"]>): string[] {
  const { notAskedBack } = state;
  return [
    ...section(
      "Cancellation",
      textTable(
        ["", "Count", "Amount"],
        [
          ["Bookings still to be ended or refunded", String(state.bookingsToEnd), ""],
          ["Late payments that go back", String(state.lateCaptures), ""],
          [
            "Cancelled before, money kept",
            String(state.keptBefore),
            formatRupees(state.keptBeforePaise),
          ],
        ],
      ),
    ),
    ...section(
      "Refunds of it",
      textTable(["Status", "Count", "Amount"], state.refunds.map(summed)),
    ),
    ...section(
      "Paid, and not asked back",
      textTable(
        ["Payment", "Booking", "Amount", "Why"],
        notAskedBack.map(({ paymentId, reference, amountPaise, code }) => [
          paymentId,
          reference,
          formatRupees(amountPaise),
          code ?? "cancel again",
        ]),
      ),
    ),
  ];
}

/** The end of a cancellation: its done parts, and the others with their remedies. */
export function cancelledLines(report: CancelPlanReport): string[] {
  const { dryRun, planId, title, open } = report;
  const verb = dryRun ? "would be" : "were";
  const begun = report.cancelledBefore ? " (cancelled before; went on with what was left)" : "";
  const rows: [string, string][] = [
    [`Waitlist entries that ${verb} ended`, String(report.entriesEnded)],
    [`Bookings that ${verb} ended`, String(report.bookingsEnded)],
    [`Unpaid checkouts that ${verb} ended`, String(report.checkoutsEnded)],
    ["Wallet money given back", formatRupees(report.walletPaise)],
    ["Referral credit given back", formatRupees(report.creditPaise)],
    [
      `Refunds that ${verb} asked for`,
      `${report.refundsAsked}, ${formatRupees(report.refundsAskedPaise)}`,
    ],
    ["Payments refunded before", String(report.refundedBefore)],
    ["Late payments, left to payments/reconcile-late-captures", String(report.lateCaptures)],
    [
      "Cancelled by their buyers before, money kept",
      `${report.keptBefore}, ${formatRupees(report.keptBeforePaise)}`,
    ],
    [`Mails that ${verb} queued`, String(report.mails)],
    ["Not done", String(open.length)],
  ];
  const head = `${dryRun ? "would be cancelled" : "cancelled"}  ${planId}  ${title}${begun}`;
  return [
    head,
    ...textTable(["", ""], rows)
      .slice(1)
      .map((line) => `  ${line}`),
    ...open.flatMap((item) => [
      `not done  booking ${item.reference}${item.paymentId === null ? "" : `  payment ${item.paymentId}  ${formatRupees(item.amountPaise)}`}  ${item.code}: ${redactor.text(item.message)}.`,
      `  ${item.remedy}`,
    ]),
    ...(report.keptBefore === 0
      ? []
      : [
          "To refund one of those whose money was kept: npm run payments -- refund PAYMENT --amount all",
        ]),
  ];
}

function counted({ status, count }: { status: string; count: number }): string[] {
  return [status, String(count)];
}

function summed({
  status,
  count,
  amountPaise,
}: {
  status: string;
  count: number;
  amountPaise: bigint;
}): string[] {
  return [status, String(count), formatRupees(amountPaise)];
}

import { formatRupees } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { fundsTable } from "../state/funds.ts";
import type { BatchItem, BatchReport } from "./report.ts";

/** The report as step outputs. */
export function batchOutputs(report: BatchReport): Record<string, string | number> {
  return {
    consultants_found: report.found,
    payouts_created: report.created,
    planned: report.planned,
    approved: report.approved,
    pending: report.pending,
    organizations: report.organizations,
    carried: report.carried,
    on_hold: report.onHold,
    refused: report.refused,
    changed: report.changed,
    earnings: report.earnings,
    unsettled: report.unsettled,
    unsettled_paise: report.unsettledPaise.toString(),
    gross_paise: report.grossPaise.toString(),
    amount_paise: report.amountPaise.toString(),
    approved_paise: report.approvedPaise.toString(),
    pending_paise: report.pendingPaise.toString(),
    organizations_paise: report.organizationsPaise.toString(),
    carried_paise: report.carriedPaise.toString(),
    on_hold_paise: report.onHoldPaise.toString(),
    recovered_paise: report.recoveredPaise.toString(),
  };
}

/** The report as the tables that a finance person reads. */
export function batchTables(report: BatchReport): SummaryTable[] {
  const counts: [string, number][] = [
    ["Consultants with something due", report.found],
    report.dryRun
      ? ["Payouts a run would create", report.planned]
      : ["Payouts created", report.created],
    ["of which approved at once", report.approved],
    ["of which wait for a person", report.pending],
    ["of which are organizations', paid without approval", report.organizations],
    ["Carried to the next batch (below the minimum)", report.carried],
    ["On hold", report.onHold],
    ["Refused", report.refused],
    ["Changed meanwhile", report.changed],
    ["Earnings in these payouts", report.earnings],
    ["Earnings that wait until the buyers' money has settled", report.unsettled],
  ];
  const amounts: [string, bigint][] = [
    ["Approved at once", report.approvedPaise],
    ["Waits for a person", report.pendingPaise],
    ["Organizations', paid without approval", report.organizationsPaise],
    ["Together (gross less platform fee and refunds)", report.amountPaise],
    ["Tax base (gross less refunds, without GST)", report.grossPaise],
    ["Carried to the next batch", report.carriedPaise],
    ["On hold", report.onHoldPaise],
    ["Waits until the buyers' money has settled", report.unsettledPaise],
    ["Taken off because paid sales were refunded", report.recoveredPaise],
  ];
  return [
    {
      title: "Batch",
      columns: ["", "Count"],
      rows: counts.map(([label, count]) => [label, String(count)]),
    },
    {
      title: "Amounts before tax",
      columns: ["", "Rupees"],
      rows: amounts.map(([label, paise]) => [label, formatRupees(paise)]),
    },
    ...(report.funds === undefined ? [] : [fundsTable(report.funds)]),
    {
      title: "More than a VPA takes",
      columns: ["Consultant", "Owed before tax", "What to do"],
      rows: [
        ...report.aboveUpi.map(({ consultantRef, amountPaise }) => [
          consultantRef,
          formatRupees(amountPaise),
          "import a bank account with --update-accounts before the payouts are processed",
        ]),
        ...(report.aboveUpiLimit > report.aboveUpi.length
          ? [[`and ${report.aboveUpiLimit - report.aboveUpi.length} more`, "", ""]]
          : []),
      ],
    },
    {
      title: "Left out",
      columns: ["Consultant", "Currency", "Outcome", "Reason", "What was found"],
      rows: [...report.items]
        .sort(byUrgency)
        .map(({ consultantRef, currency, outcome, code, message }) => [
          consultantRef,
          currency,
          outcome,
          code,
          message,
        ]),
      more: report.itemsLeftOut,
    },
  ];
}

const URGENCY = ["refused", "changed", "on_hold", "unsettled", "carried"] as const;

function byUrgency(a: BatchItem, b: BatchItem): number {
  return URGENCY.indexOf(a.outcome) - URGENCY.indexOf(b.outcome);
}

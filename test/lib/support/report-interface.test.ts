import { expect, it } from "vitest";
import { jobs } from "../../../jobs/registry.ts";
import type { AnyJob } from "../../../lib/job/define-job.ts";
import { plainTable } from "../../../lib/job/settle/summary.ts";
import { cancelReport } from "../../../lib/checkouts/cancel/report.ts";
import { countCleanup, emptyCleanupReport } from "../../../lib/checkouts/cleanup/report.ts";
import { countLate, emptyLateReport } from "../../../lib/checkouts/late/report.ts";
import { countEvent, emptyEventReport } from "../../../lib/payment-events/report.ts";
import { emptyLedgerReport } from "../../../lib/ledger/reconcile/report.ts";
import { countMail, emptyDeliveryReport } from "../../../lib/notifications/report.ts";
import { emptyPruneReport } from "../../../lib/ops/prune/report.ts";
import type { WatchReport } from "../../../lib/ops/watch/report.ts";
import type { DueGroup } from "../../../lib/payouts/batch/read-due.ts";
import {
  countCreated,
  countLeftOut,
  countUnsettled,
  emptyBatchReport,
} from "../../../lib/payouts/batch/report.ts";
import { addItem, emptyReconcileReport } from "../../../lib/payouts/reconcile/report.ts";
import { countStuck, emptyStuckReport } from "../../../lib/payouts/stuck/report.ts";
import type { OpenLeg } from "../../../lib/refunds/open-legs.ts";
import { countLeg, emptyRefundReport } from "../../../lib/refunds/report.ts";
import { countPlan, emptyExpireReport } from "../../../lib/waitlist/expire/report.ts";
import { countReminder, emptyReminderReport } from "../../../lib/waitlist/remind/report.ts";

// The names and values of step outputs, and the words of the tables, are an interface: workflows read the one,
// people the other. A change of the file beside this test is a change of that interface.

it.each([
  ["run", false],
  ["dry-run", true],
])("outputs and tables of each job in a %s are as they were", async (mode, dryRun) => {
  const text = samples(dryRun)
    .flatMap(([name, report]) => shown(jobNamed(name), report))
    .join("\n");
  await expect(`${text}\n`).toMatchFileSnapshot(`./report-interface.${mode}.txt`);
});

function jobNamed(name: string): AnyJob {
  const job = jobs.find((each) => each.name === name);
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
}

function shown(job: AnyJob, report: unknown): string[] {
  const outputs = Object.entries(job.outputs(report)).map(
    ([output, value]) => `${output}=${String(value)}`,
  );
  const tables = job.summarise(report).flatMap(plainTable);
  return [`# ${job.name}`, ...outputs.toSorted(), ...tables, ""];
}

/** Gives each counter that is still zero another value, whatever the order in which the report has them. */
function filled<Report extends object>(report: Report): Report {
  const fields = report as Record<string, unknown>;
  const counters = Object.keys(fields).filter(
    (name) => ["number", "bigint"].includes(typeof fields[name]) && name !== "itemsLeftOut",
  );
  for (const [index, name] of counters.toSorted().entries()) {
    if (fields[name] === 0) fields[name] = index + 1;
    if (fields[name] === 0n) fields[name] = BigInt(index + 1) * 100n;
  }
  for (const part of Object.values(fields))
    if (typeof part === "object" && part !== null && !Array.isArray(part)) filled(part);
  return report;
}

function samples(dryRun: boolean): [string, object][] {
  return [
    ["ops/watchdog", watch()],
    ["ops/prune", filled(emptyPruneReport(dryRun))],
    ["waitlist/process-expired-notifications", expire(dryRun)],
    ["waitlist/send-expiration-reminders", remind(dryRun)],
    ["notifications/deliver-outbox", deliver(dryRun)],
    ["payments/process-refunds", refund(dryRun)],
    ["ledger/reconcile-ledger", filled(emptyLedgerReport(dryRun))],
    ["ledger/reconcile-ledger", ledger(dryRun)],
    ["payments/reconcile-late-captures", late(dryRun)],
    ["payments/reconcile-payments", paymentEvents(dryRun)],
    ["payments/cancel-pending", cancel(dryRun)],
    ["slots/cleanup-tentative-slots", cleanup(dryRun)],
    ["payouts/create-payout-batch", batch(dryRun)],
    ["payouts/handle-stuck-payouts", stuck(dryRun)],
    ["payouts/reconcile-payout-status", filled(emptyReconcileReport(dryRun))],
    ["payouts/reconcile-payout-status", reconcile(dryRun)],
  ];
}

const SINCE = new Date("2026-01-02T03:04:05Z");
const MAILS = { mailsSent: 3, mailsLeft: 4 };
const HOUR_MS = 3_600_000;

function watch(): WatchReport {
  const kinds = ["missed", "never-succeeded", "failing", "skipped", "lost", "stuck"] as const;
  const tax = { section: "194J", code: "1027", dueOn: "2026-02-07", accruedPaise: 100n };
  return {
    watched: ["a/job", "b/job"],
    markedLost: 1,
    faults: kinds.map((kind, at) => ({
      job: "a/job",
      kind,
      since: at === 0 ? null : SINCE,
      detail: `detail ${at}`,
    })),
    tax: [
      { ...tax, month: "2026-01", duePaise: 12_345n, daysLeft: -1, isOverdue: true },
      { ...tax, month: "2026-02", duePaise: 200n, daysLeft: 0, isOverdue: false },
      { ...tax, month: "2026-03", duePaise: 300n, daysLeft: 5, isOverdue: false },
    ],
  };
}

function expire(dryRun: boolean): object {
  const report = emptyExpireReport(dryRun);
  for (const outcome of ["advanced", "locked", "unchanged", "failed"] as const)
    countPlan(report, { planId: `plan-${outcome}`, outcome, expired: 2, unreached: 1, offered: 3 });
  return { ...filled(report), ...MAILS };
}

function remind(dryRun: boolean): object {
  const report = emptyReminderReport(dryRun);
  for (const outcome of ["locked", "queued", "gone", "failed"] as const)
    countReminder(report, { entryId: `entry-${outcome}`, outcome });
  report.itemsLeftOut = 7;
  return { ...filled(report), ...MAILS, mailsLeft: null };
}

function deliver(dryRun: boolean): object {
  const report = emptyDeliveryReport(dryRun);
  const mail = { template: "hello", tries: 2 };
  countMail(report, { ...mail, mailId: "m-1", outcome: "sent", code: "" });
  countMail(report, { ...mail, mailId: "m-2", outcome: "retried-later", code: "busy 450" });
  countMail(report, { ...mail, mailId: "m-3", outcome: "lapsed", code: "" });
  countMail(report, { ...mail, mailId: "m-4", outcome: "left", code: "down" });
  for (const mailId of ["m-5", "m-6"])
    countMail(report, { ...mail, mailId, outcome: "gave-up", code: "refused 550" });
  report.itemsLeftOut = 3;
  return filled(report);
}

function refund(dryRun: boolean): object {
  const report = emptyRefundReport(dryRun);
  const outcomes = [
    ...["processed", "pending", "left", "skipped", "due-again", "waiting", "planned"],
    ...["failed", "unknown", "unanswered", "conflict"],
  ] as const;
  for (const [at, outcome] of outcomes.entries()) {
    const kind = (["card", "wallet", "referral_credit"] as const)[at % 3];
    const leg = { refundId: `r-${outcome}`, legId: "l", kind, amountPaise: 1_000n } as OpenLeg;
    const message = `said ${at}`;
    countLeg(
      report,
      { ...leg, askedMsAgo: HOUR_MS * at },
      { result: { outcome: outcome, code: `CODE_${at}`, message }, overdue: at === 1 },
    );
  }
  report.itemsLeftOut = 5;
  return { ...filled(report), ...MAILS };
}

function ledger(dryRun: boolean): object {
  const row = { subjectType: "payout", expectedPaise: 500n, actualPaise: 400n };
  return {
    ...filled(emptyLedgerReport(dryRun)),
    checks: [
      { code: "EARNINGS_DIFFER", title: "Earnings agree", count: 0, rows: [] },
      {
        code: "TAX_DIFFERS",
        title: "Tax agrees",
        count: 5,
        rows: [
          { ...row, subjectId: "p-1" },
          { ...row, subjectId: "p-2" },
        ],
      },
    ],
    notices: [
      {
        code: "PAN_DIFFERS",
        title: "PAN twice",
        count: 3,
        open: 2,
        rows: [{ consultants: ["C-1", "C-2"], what: ["a", "b"] }],
      },
    ],
    cash: {
      providerPaise: 1n,
      ledgerPaise: 2n,
      unbookedPaise: 3n,
      notReadPaise: 4n,
      driftPaise: 5n,
      asOf: null,
    },
  };
}

function late(dryRun: boolean): object {
  const report = emptyLateReport(dryRun);
  const outcomes = [
    "confirmed",
    "booked",
    "refunded",
    "skipped",
    "unanswered",
    "failed",
    "differs",
  ] as const;
  for (const outcome of outcomes)
    countLate(report, {
      paymentId: `p-${outcome}`,
      bookingId: `b-${outcome}`,
      outcome,
      code: `code-${outcome}`,
      message: `said ${outcome}`,
      amountPaise: 1_234n,
    });
  report.itemsLeftOut = 9;
  return { ...filled(report), ...MAILS };
}

function paymentEvents(dryRun: boolean): object {
  const report = emptyEventReport(dryRun);
  const outcomes = [
    "booked",
    "disputed",
    "kept",
    "lost",
    "waiting",
    "unmatched",
    "unanswered",
    "failed",
  ] as const;
  for (const outcome of outcomes)
    countEvent(report, {
      id: `rfnd-${outcome}`,
      paymentId: outcome === "unmatched" ? null : `p-${outcome}`,
      outcome,
      code: `code-${outcome}`,
      message: `said ${outcome}`,
      amountPaise: 1_234n,
    });
  report.itemsLeftOut = 9;
  return filled(report);
}

function cancel(dryRun: boolean): object {
  const subject = { dryRun, paymentId: "pay-1" };
  const released = { slots: 2, seatsOffered: 3, creditPaise: 400n, walletPaise: 500n };
  const report = cancelReport(subject, { result: "cancelled", orderAnnotated: true }, released);
  return { ...report, ...MAILS };
}

function cleanup(dryRun: boolean): object {
  const report = emptyCleanupReport(dryRun);
  const outcomes = [
    ...(["released", "captured", "authorized", "kept"] as const),
    ...(["unanswered", "failed", "differs", "authorized"] as const),
  ];
  for (const [at, outcome] of outcomes.entries())
    countCleanup(report, {
      bookingId: `b-${at}`,
      paymentId: at === 3 ? null : `p-${at}`,
      outcome,
      code: `code-${outcome}`,
      message: `said ${at}`,
      ageMs: at * HOUR_MS,
      overdue: at === 7,
    });
  return { ...filled(report), ...MAILS };
}

const GROUP: DueGroup = {
  consultantId: "id",
  consultantRef: "C-1",
  isPaidToVpa: false,
  oldestDays: 0,
  organizationId: null,
  currency: "INR",
  earningIds: ["e-1", "e-2"],
  grossPaise: 1_100n,
  amountPaise: 1_000n,
  holds: [],
  stop: undefined,
  inAnotherPayout: 0,
};

function batch(dryRun: boolean): object {
  const report = emptyBatchReport(dryRun);
  countCreated(report, GROUP, "APPROVED");
  countCreated(report, GROUP, "PENDING");
  countCreated(report, { ...GROUP, organizationId: "o-1" }, "APPROVED");
  const large = { ...GROUP, isPaidToVpa: true, consultantRef: "C-2", amountPaise: 900_000_000n };
  countCreated(report, large, "PENDING");
  for (const kind of ["carried", "on_hold", "refused", "changed"] as const)
    countLeftOut(report, GROUP, { kind, code: `CODE_${kind}`, message: `found ${kind}` });
  countUnsettled(report, {
    consultantId: "id",
    consultantRef: "C-3",
    currency: "INR",
    earnings: 2,
    amountPaise: 700n,
    settledOn: "2026-01-05",
  });
  report.itemsLeftOut = 8;
  return {
    ...filled(report),
    funds: { count: 1, duePaise: 500n, feePaise: 6n, balancePaise: 10_000n, asOf: SINCE },
  };
}

function stuck(dryRun: boolean): object {
  const report = emptyStuckReport(dryRun);
  const outcomes = [
    ...(["settled", "in-flight", "closed", "returned", "not-recorded", "waiting"] as const),
    ...(["unanswered", "conflict", "skipped", "in-flight", "closed"] as const),
  ];
  for (const [at, outcome] of outcomes.entries())
    countStuck(report, {
      payoutId: `p-${at}`,
      payee: `C-${at}`,
      outcome,
      code: `CODE_${outcome}`,
      message: `said ${at}`,
      overdue: at === 9,
      isHeld: at === 10,
      netPaise: 1_000n,
      ageMs: at * HOUR_MS,
    });
  return filled(report);
}

function reconcile(dryRun: boolean): object {
  const report = emptyReconcileReport(dryRun);
  for (const outcome of ["settled", "reversed", "amount-differs"])
    addItem(report, { payoutId: `p-${outcome}`, payee: "C-1", outcome, message: `m ${outcome}` });
  report.itemsLeftOut = 6;
  report.statement = { transactionsRead: 7, daysClosed: 2, balancePaise: 12_300n };
  return filled(report);
}

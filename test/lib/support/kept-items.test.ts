import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cleanupTables,
  countCleanup,
  emptyCleanupReport,
} from "../../../lib/checkouts/cleanup/report.ts";
import { countLate, emptyLateReport, lateTables } from "../../../lib/checkouts/late/report.ts";
import { countItem, emptyReport } from "../../../lib/payouts/pay/report.ts";
import { payoutTables } from "../../../lib/payouts/pay/outputs.ts";
import {
  addItem,
  countFinding,
  emptyReconcileReport,
  reconcileTables,
} from "../../../lib/payouts/reconcile/report.ts";
import { countStuck, emptyStuckReport, stuckTables } from "../../../lib/payouts/stuck/report.ts";
import { keepItem, mostUrgentFirst } from "../../../lib/support/kept-items.ts";
import type { DueGroup } from "../../../lib/payouts/batch/read-due.ts";
import { batchTables } from "../../../lib/payouts/batch/index.ts";
import { countLeftOut, emptyBatchReport } from "../../../lib/payouts/batch/report.ts";
import type { SummaryTable } from "../../../lib/support/summary-table.ts";
import { countPlan, emptyExpireReport, expireTables } from "../../../lib/waitlist/expire/report.ts";
import {
  countReminder,
  emptyReminderReport,
  reminderTables,
} from "../../../lib/waitlist/remind/report.ts";

describe("what a report keeps", () => {
  it("is the most urgent of all that came, in the order in which they came", () => {
    const ranks = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 });
    fc.assert(
      fc.property(ranks, fc.integer({ min: 1, max: 20 }), (all, most) => {
        const kept = { items: [] as { rank: number; at: number }[], itemsLeftOut: 0 };
        const rank = (item: { rank: number }): number => item.rank;
        for (const [at, own] of all.entries()) keepItem(kept, { rank: own, at }, { rank, most });
        const wanted = mostUrgentFirst(
          all.map((own, at) => ({ rank: own, at })),
          rank,
        ).slice(0, most);
        expect(mostUrgentFirst(kept.items, rank)).toEqual(wanted);
        expect(kept.itemsLeftOut).toBe(all.length - kept.items.length);
      }),
    );
  });
});

/** The row of the table that lists single items which names the one that needs a look. */
function rowsOf(tables: readonly SummaryTable[], title: string): readonly (readonly string[])[] {
  return tables.find((table) => table.title === title)?.rows ?? [];
}

const GOOD = Array.from({ length: 1_000 }, (_, number) => `good-${number}`);

describe("a thousand items that went well never push out the one that did not", () => {
  it("for payouts in doubt", () => {
    const report = emptyStuckReport(false);
    const item = { code: "", message: "", overdue: false, isHeld: false, netPaise: 1n, ageMs: 1 };
    for (const payoutId of GOOD) countStuck(report, { ...item, payoutId, outcome: "settled" });
    countStuck(report, { ...item, payoutId: "bad", outcome: "conflict" });
    expect(rowsOf(stuckTables(report), "Still open").map(([, id]) => id)).toEqual(["bad"]);
  });

  it("for payouts compared with the provider", () => {
    const report = emptyReconcileReport(false);
    for (const payoutId of GOOD) addItem(report, { payoutId, outcome: "settled", message: "" });
    const item = { payoutId: "bad", outcome: "provider-payout-missing", message: "" };
    countFinding(report, { severity: "critical", isOpen: true, item });
    const rows = rowsOf(reconcileTables(report), "Changed or found");
    expect(rows).toHaveLength(1_000);
    expect(rows[0]?.[1]).toBe("bad");
  });

  it("for payouts that are paid", () => {
    const report = emptyReport(false);
    for (const payoutId of GOOD)
      countItem(report, { payoutId, outcome: "skipped", code: "CLAIMED_ELSEWHERE", message: "" });
    countItem(report, { payoutId: "bad", outcome: "unknown", code: "timeout", message: "" });
    const rows = rowsOf(payoutTables(report), "Payouts that need a look");
    expect(rows.map(([, id]) => id)).toEqual(["bad"]);
  });

  it("for old holds, whose reasons are counted whatever is kept", () => {
    const report = emptyCleanupReport(false);
    const item = { paymentId: null, message: "", ageMs: 1, overdue: false };
    for (const bookingId of GOOD)
      countCleanup(report, { ...item, bookingId, outcome: "released", code: "released" });
    countCleanup(report, { ...item, bookingId: "bad", outcome: "differs", code: "amount" });
    const tables = cleanupTables(report);
    expect(rowsOf(tables, "Not released").map(([id]) => id)).toEqual(["bad"]);
    expect(rowsOf(tables, "Reasons")).toEqual([["differs", "amount", "1", "bad"]]);
  });

  it("for late payments", () => {
    const report = emptyLateReport(false);
    const item = { bookingId: "b", message: "", amountPaise: 1n };
    for (const paymentId of GOOD)
      countLate(report, { ...item, paymentId, outcome: "booked", code: "all-free" });
    countLate(report, { ...item, paymentId: "bad", outcome: "failed", code: "error" });
    const tables = lateTables(report);
    expect(rowsOf(tables, "Late payments")[0]?.[0]).toBe("bad");
    expect(tables.find(({ title }) => title === "Late payments")?.more).toBe(1);
    expect(rowsOf(tables, "Reasons").map(([, code, count]) => [code, count])).toEqual([
      ["all-free", "1000"],
      ["error", "1"],
    ]);
  });

  it("for waitlists that go on", () => {
    const report = emptyExpireReport(false);
    const item = { expired: 1, unreached: 0, offered: 1 };
    for (const planId of GOOD) countPlan(report, { ...item, planId, outcome: "advanced" });
    countPlan(report, { ...item, planId: "bad", outcome: "failed" });
    expect(rowsOf(expireTables(report), "Plans left as they were")).toEqual([["bad", "failed"]]);
  });

  it("for reminders, where a locked row is no failure", () => {
    const report = emptyReminderReport(false);
    for (const entryId of GOOD) countReminder(report, { entryId, outcome: "locked" });
    countReminder(report, { entryId: "bad", outcome: "failed" });
    const [first] = rowsOf(reminderTables(report), "Offers left without a reminder");
    expect(first).toEqual(["bad", "failed"]);
  });
});

describe("a reason is counted also where its item is not kept", () => {
  it("for payouts in doubt", () => {
    const report = emptyStuckReport(false);
    const item = { message: "", overdue: false, netPaise: 100n, ageMs: 1 };
    for (const payoutId of GOOD)
      countStuck(report, { ...item, payoutId, outcome: "unanswered", code: "timeout" });
    countStuck(report, { ...item, payoutId: "other", outcome: "waiting", code: "NOT_FOUND_YET" });
    const tables = stuckTables(report);
    expect(rowsOf(tables, "Still open")).toHaveLength(1_000);
    expect(rowsOf(tables, "Reasons")).toEqual([
      ["unanswered", "timeout", "1000", "₹1,000.00", "good-0, good-1, good-2"],
      ["waiting", "NOT_FOUND_YET", "1", "₹1.00", "other"],
    ]);
  });

  it("for consultants without a payout, of which 250 of an outcome are kept", () => {
    const report = emptyBatchReport(false);
    const leftOut = (consultantRef: string, code: string): void =>
      countLeftOut(report, { consultantRef, currency: "USD" } as DueGroup, {
        kind: "refused",
        code,
        message: "",
      });
    for (const consultantRef of GOOD.slice(0, 250)) leftOut(consultantRef, "ONE");
    leftOut("other", "TWO");
    const tables = batchTables(report);
    expect(rowsOf(tables, "Left out")).toHaveLength(250);
    expect(rowsOf(tables, "Reasons")).toEqual([
      ["refused", "ONE", "250", "good-0, good-1, good-2"],
      ["refused", "TWO", "1", "other"],
    ]);
  });
});

import { describe, expect, it } from "vitest";
import { payoutOutputs, payoutTables } from "../../../../lib/payouts/pay/index.ts";
import {
  countItem,
  countPaid,
  emptyReport,
  uncountPaid,
  type ReportItem,
} from "../../../../lib/payouts/pay/report.ts";

const amounts = {
  grossPaise: 5_000_00n,
  amountPaise: 3_800_00n,
  taxPaise: 50_00n,
  netPaise: 3_750_00n,
};
const item = (outcome: ReportItem["outcome"], code: string): ReportItem => ({
  payoutId: `payout-${code}`,
  outcome,
  code,
  message: "what was said",
});

describe("a report", () => {
  it("counts what succeeded, and takes back what the provider then reported as failed", () => {
    const report = emptyReport(false);
    countPaid(report, "succeeded", amounts);
    countPaid(report, "succeeded", amounts);
    uncountPaid(report, amounts);
    countItem(report, item("failed", "bank_account_closed"));
    expect(report).toMatchObject({
      processed: 2,
      succeeded: 1,
      failed: 1,
      grossPaise: 3_800_00n,
      taxPaise: 50_00n,
      netPaise: 3_750_00n,
      taxBasePaise: 5_000_00n,
    });
  });

  it("keeps a thousand, those that need a look before those skipped, and counts them all", () => {
    const report = emptyReport(false);
    for (let number = 0; number < 1_005; number++) {
      countItem(report, item("skipped", "CLAIMED_ELSEWHERE"));
      countItem(report, item("failed", "NON_RESIDENT"));
    }
    expect(report).toMatchObject({ skipped: 1_005, failed: 1_005, itemsLeftOut: 1_010 });
    expect(report.items).toHaveLength(1_000);
    const [, , reasons, look] = payoutTables(report);
    expect(reasons?.rows).toEqual([
      ["skipped", "CLAIMED_ELSEWHERE", "1005", "", ""],
      ["failed", "NON_RESIDENT", "1005", "payout-NON_RESIDENT", ""],
    ]);
    expect(look?.rows).toHaveLength(1_000);
    expect(look?.rows.every(([, , outcome]) => outcome === "failed")).toBe(true);
    expect(look?.more).toBe(5);
  });
});

describe("the table of what needs a look", () => {
  it("says nothing of payouts that were only skipped, however many they are", () => {
    const report = emptyReport(false);
    for (let number = 0; number < 1_005; number++)
      countItem(report, item("skipped", "CLAIMED_ELSEWHERE"));
    expect(report.itemsLeftOut).toBe(5);
    expect(payoutTables(report)[3]?.rows).toEqual([]);
  });
});

describe("outputs and tables", () => {
  it("come from the same numbers", () => {
    const report = emptyReport(false);
    report.found = 4;
    countPaid(report, "succeeded", amounts);
    countItem(report, item("failed", "NON_RESIDENT"));
    countItem(report, item("unknown", "timeout"));
    countItem(report, item("skipped", "CLAIMED_ELSEWHERE"));
    report.unknownNetPaise = 900_00n;

    const organizations = Object.entries(payoutOutputs(report)).filter(([name]) =>
      name.startsWith("org_"),
    );
    expect(organizations.map(([, value]) => Number(value))).toEqual(Array(20).fill(0));
    expect(payoutOutputs(report)).toEqual({
      ...Object.fromEntries(organizations),
      found: 4,
      claimed: 0,
      processed: 3,
      succeeded: 1,
      completed: 0,
      unrecorded: 0,
      failed: 1,
      unknown: 1,
      skipped: 1,
      planned: 0,
      withdrawn: 0,
      gross_paise: "380000",
      tax_paise: "5000",
      net_paise: "375000",
      tax_base_paise: "500000",
      unknown_net_paise: "90000",
      out_of_tries: 0,
      held: 0,
      held_paise: "0",
      in_flight: 0,
      in_flight_paise: "0",
      in_doubt_before: 0,
      unsent_before: 0,
      unfinished_before: 0,
    });
    const [counts, sums, reasons, look] = payoutTables(report);
    expect(counts?.rows).toContainEqual(["Outcome unknown", "1"]);
    expect(sums?.rows.map(([label]) => label)).toEqual([
      "Owed (gross less platform fee)",
      "Tax withheld",
      "Sent, after tax",
      "Tax base (gross, without GST)",
      "Outcome unknown",
    ]);
    expect(reasons?.rows).toEqual([
      ["failed", "NON_RESIDENT", "1", "payout-NON_RESIDENT", ""],
      [
        "unknown",
        "timeout",
        "1",
        "payout-timeout",
        "pay nothing by hand: payouts/handle-stuck-payouts asks the provider and settles it",
      ],
      ["skipped", "CLAIMED_ELSEWHERE", "1", "payout-CLAIMED_ELSEWHERE", ""],
    ]);
    expect(look?.rows.map(([, , outcome]) => outcome)).toEqual(["unknown", "failed"]);
  });

  it("keep organizations apart, in counters, reasons, items and tables of their own", () => {
    const report = emptyReport(false);
    const { organizations } = report;
    expect(payoutTables(report)).toHaveLength(4);
    report.found = 1;
    countPaid(report, "succeeded", amounts);
    organizations.found = 3;
    organizations.claimed = 2;
    countPaid(organizations, "succeeded", amounts);
    countItem(organizations, item("failed", "NET_NOT_POSITIVE"));
    countItem(organizations, item("unknown", "timeout"));

    expect(payoutOutputs(report)).toMatchObject({
      found: 1,
      succeeded: 1,
      failed: 0,
      unknown: 0,
      gross_paise: "380000",
      org_found: 3,
      org_claimed: 2,
      org_processed: 3,
      org_succeeded: 1,
      org_failed: 1,
      org_unknown: 1,
      org_errors: 2,
      org_gross_paise: "380000",
      org_tax_paise: "5000",
      org_net_paise: "375000",
    });
    const tables = payoutTables(report);
    expect(tables.map(({ title }) => title)).toEqual([
      "Payouts",
      "Amounts",
      "Reasons",
      "Payouts that need a look",
      "Organization payouts",
      "Amounts of organizations",
      "Reasons of organizations",
      "Organization payouts that need a look",
    ]);
    expect(tables[3]?.rows).toEqual([]);
    expect(tables[4]?.rows).toContainEqual(["Errors", "2"]);
    expect(tables[7]?.rows.map(([, , , code]) => code)).toEqual(["timeout", "NET_NOT_POSITIVE"]);
  });

  it("of a dry run speak of what would happen", () => {
    const report = emptyReport(true);
    countPaid(report, "planned", amounts);
    const labels = payoutTables(report).flatMap(({ rows }) => rows.map(([label]) => label));
    expect(labels).toEqual(
      expect.arrayContaining(["Would be sent", "Would be refused", "Would be sent, after tax"]),
    );
    expect(labels).not.toContain("Sent, after tax");
    expect(payoutOutputs(report)).toMatchObject({ planned: 1, processed: 0, net_paise: "375000" });
  });

  it("say how many wait for a person or are in doubt", () => {
    const report = { ...emptyReport(false), outOfTries: 2, inDoubtBefore: 3 };
    const [counts] = payoutTables(report);
    expect(counts?.rows).toContainEqual(["Out of tries, wait for a person", "2"]);
    expect(counts?.rows).toContainEqual(["In doubt from earlier runs", "3"]);
  });
});

import { describe, expect, it } from "vitest";
import type { ListedPayout, PayoutStatus } from "../../lib/payouts/operate/index.ts";
import { listLines, totalLine } from "../../scripts/cli/payouts/print.ts";

const payout = (status: PayoutStatus, amountPaise: bigint): ListedPayout => ({
  id: "a",
  consultantRef: "C-1",
  organizationRef: null,
  status,
  currency: "INR",
  grossPaise: amountPaise,
  amountPaise,
  taxPaise: null,
  netPaise: null,
  sales: 1,
  tries: 0,
  failureCode: null,
  createdAt: new Date(0),
  inDoubt: false,
  accountId: null,
  account: null,
  accountAgeDays: null,
  refundedPaise: 0n,
  accountNotes: [],
  holds: [],
});

describe("the sum under a list of payouts", () => {
  it.each<[PayoutStatus[], string]>([
    [["PENDING", "APPROVED", "PROCESSING"], "3 payouts for 3 sales, ₹2,721.87 owed before tax"],
    [
      ["FAILED", "COMPLETED"],
      "2 payouts for 1 sale, ₹907.29 paid before tax, 1 ended without payment",
    ],
    [
      ["REVERSED", "APPROVED"],
      "2 payouts for 1 sale, ₹907.29 owed before tax, 1 ended without payment",
    ],
    [["REJECTED"], "1 payout for 0 sales, ₹0.00 owed before tax, 1 ended without payment"],
  ])("of %j counts each sale once", (statuses, line) => {
    expect(totalLine(statuses.map((status) => payout(status, 90_729n)))).toBe(line);
  });
});

describe("the account in a list of payouts", () => {
  const line = (changes: Partial<ListedPayout>): string =>
    listLines([{ ...payout("PENDING", 90_729n), ...changes }]).at(-1) ?? "";

  it("is masked, with its age", () => {
    const account = "HDFC0001220 …8901";
    expect(line({ account, accountAgeDays: 12 })).toContain("HDFC0001220 …8901, 12 days");
    expect(line({ account, accountAgeDays: 0 })).toContain("HDFC0001220 …8901, placed today");
  });

  it("is beside what to know before an approval", () => {
    expect(line({ refundedPaise: 90_000n, accountNotes: ["changed-since-approval"] })).toContain(
      "₹900.00 of it refunded since: reject it; account changed since approval",
    );
  });
});

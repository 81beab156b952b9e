import { expect, it } from "vitest";
import {
  compare,
  type AttemptState,
  type OurAttempt,
} from "../../../../lib/payouts/reconcile/compare.ts";
import type { ProviderPayout, ProviderPayoutStatus } from "../../../../lib/provider/index.ts";

const theirs = (change: Partial<ProviderPayout> = {}): ProviderPayout => ({
  id: "pout_1",
  status: "processed",
  statusText: change.status ?? "processed",
  amountPaise: 90_000n,
  feesPaise: 590n,
  feesTaxPaise: 90n,
  utr: null,
  mode: "IMPS",
  referenceId: "ref-1",
  fundAccountId: "fa_1",
  statusReason: null,
  statusSource: null,
  purpose: "payout",
  debitedElsewhere: false,
  createdAt: new Date(0),
  ...change,
});
const ours = (change: Partial<OurAttempt> = {}): OurAttempt => ({
  payoutId: "payout-1",
  claimedBy: "run-1",
  attemptId: "attempt-1",
  referenceId: "ref-1",
  providerPayoutId: "pout_1",
  providerStatus: "processing",
  netPaise: 90_000n,
  ageMs: 0,
  state: "ACCEPTED",
  ...change,
});

const outcome = (state: AttemptState, status: ProviderPayoutStatus): string => {
  const result = compare(ours({ state }), theirs({ status }));
  return result.kind === "finding" ? result.finding.kind : result.kind;
};

const IN_FLIGHT = ["pending", "queued", "scheduled", "processing"] as const;
const OVER = ["failed", "rejected", "cancelled"] as const;

it.each(["PREPARED", "UNKNOWN"] as const)("settles %s as whatever the provider has", (state) => {
  for (const status of [...IN_FLIGHT, ...OVER, "processed", "reversed", "unrecognised"] as const)
    expect([status, outcome(state, status)]).toEqual([status, "settle"]);
});

it("follows an accepted payout to wherever it went, and leaves it where it is", () => {
  expect(outcome("ACCEPTED", "processing")).toBe("same");
  for (const status of ["queued", "processed", "reversed", ...OVER] as const)
    expect([status, outcome("ACCEPTED", status)]).toEqual([status, "settle"]);
  expect(outcome("ACCEPTED", "unrecognised")).toBe("unrecognised-provider-status");
});

it("never moves a paid payout back: only money that came back is followed", () => {
  expect(outcome("PROCESSED", "processed")).toBe("same");
  expect(outcome("PROCESSED", "reversed")).toBe("reverse");
  for (const status of IN_FLIGHT) expect(outcome("PROCESSED", status)).toBe("behind");
  for (const status of OVER)
    expect(outcome("PROCESSED", status)).toBe("completed-here-failed-there");
});

it.each(["REFUSED", "FAILED", "REVERSED"] as const)(
  "finds it when we hold an attempt for %s that is alive at the provider",
  (state) => {
    for (const status of [...IN_FLIGHT, "processed", "unrecognised"] as const)
      expect([status, outcome(state, status)]).toEqual([status, "closed-here-live-there"]);
    for (const status of [...OVER, "reversed"] as const)
      expect(outcome(state, status)).toBe("same");
  },
);

it("finds another amount, another reference, and a second payout that is alive", () => {
  const kind = (a: Partial<OurAttempt>, b: Partial<ProviderPayout>): string => {
    const result = compare(ours(a), theirs(b));
    return result.kind === "finding" ? result.finding.kind : result.kind;
  };
  expect(kind({ state: "PROCESSED" }, { amountPaise: 90_001n })).toBe("amount-differs");
  expect(kind({ state: "UNKNOWN" }, { amountPaise: 1n })).toBe("amount-differs");
  expect(kind({ state: "PROCESSED" }, { referenceId: "ref-2" })).toBe("reference-differs");
  expect(kind({ state: "PROCESSED" }, { id: "pout_2" })).toBe("several-live-payouts");
  expect(kind({ state: "PROCESSED" }, { id: "pout_2", status: "failed" })).toBe("same");
});

import type { FindingKind, NewFinding } from "../../findings/index.ts";
import { settlementOf } from "../state/outcome.ts";
import type { InDoubt } from "../state/in-doubt.ts";
import type { AccountKind, ProviderPayout } from "../../provider/index.ts";

export type AttemptState =
  "PREPARED" | "ACCEPTED" | "PROCESSED" | "REFUSED" | "FAILED" | "REVERSED" | "UNKNOWN";

/** One attempt of ours, as stored. */
export interface OurAttempt extends InDoubt {
  state: AttemptState;
  /** The provider's status when it was last recorded. */
  providerStatus: string | null;
}

/** The joint meaning of our record and the provider's record of one payout. */
export type Comparison =
  | { kind: "same" }
  /** The provider shows a state that ours has left behind: nothing moves back. */
  | { kind: "behind" }
  /** The provider knows more: record it. */
  | { kind: "settle" }
  /** Paid, and the money came back. */
  | { kind: "reverse" }
  | ({ kind: "finding" } & { finding: Pick<NewFinding, "kind" | "severity"> });

/** Pure: moves only along the graph, and only forward; every other difference is for a person. */
export function compare(
  ours: OurAttempt,
  theirs: ProviderPayout,
  accountKind: AccountKind = "lite",
): Comparison {
  if (ours.referenceId !== theirs.referenceId) return finding("reference-differs");
  if (ours.providerPayoutId !== null && ours.providerPayoutId !== theirs.id) {
    return isLive(theirs) ? finding("several-live-payouts") : { kind: "same" };
  }
  if (ours.netPaise !== theirs.amountPaise) return finding("amount-differs");
  switch (ours.state) {
    case "PREPARED":
    case "UNKNOWN":
      return { kind: "settle" };
    case "ACCEPTED":
      if (theirs.status === "unrecognised") return unrecognised;
      if (settlementOf(theirs) === "in-flight" && theirs.statusText === ours.providerStatus)
        return { kind: "same" };
      return { kind: "settle" };
    case "PROCESSED":
      return comparePaid(theirs, accountKind);
    case "REFUSED":
    case "FAILED":
    case "REVERSED":
      return isLive(theirs) ? finding("closed-here-live-there") : { kind: "same" };
  }
}

function comparePaid(theirs: ProviderPayout, accountKind: AccountKind): Comparison {
  switch (theirs.status) {
    case "processed":
      return { kind: "same" };
    case "reversed":
      return { kind: "reverse" };
    case "failed":
      // Of a current account a paid one fails only by way of reversed: the money came back before.
      if (accountKind === "current") return { kind: "reverse" };
      return finding("completed-here-failed-there");
    case "rejected":
    case "cancelled":
      return finding("completed-here-failed-there");
    case "unrecognised":
      return unrecognised;
    case "pending":
    case "queued":
    case "scheduled":
    case "processing":
      return { kind: "behind" };
  }
}

/** Whether money has left or may still leave. */
export function isLive(theirs: ProviderPayout): boolean {
  return settlementOf(theirs) !== "failed";
}

function finding(kind: FindingKind): Comparison {
  return { kind: "finding", finding: { kind, severity: "critical" } };
}

const unrecognised: Comparison = {
  kind: "finding",
  finding: { kind: "unrecognised-provider-status", severity: "warning" },
};

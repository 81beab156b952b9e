import { MINIMUM_PAYOUT_PAISE } from "../../provider/index.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees } from "../../support/money.ts";
import { describeStop, type AccountStop } from "../state/account-holds.ts";
import { holdEnds } from "../state/on-hold.ts";
import type { DueGroup } from "./read-due.ts";
import type { BatchSettings } from "./settings.ts";

/** An organization's payout is PENDING as well, and needs nobody's approval. */
export type NewStatus = "APPROVED" | "PENDING";

/** A batch's decision about one consultant's due earnings. */
export type Decision =
  | { kind: "create"; status: NewStatus }
  | { kind: "carried" | "on_hold" | "refused"; code: string; message: string };

/** Pure: the same rows and settings give the same decision in a run and in a dry run. */
export function decide(group: DueGroup, settings: BatchSettings): Decision {
  if (group.holds.length > 0) return onHold(group.holds);
  if (group.stop) return stopped(group.stop);
  if (group.currency !== "INR") {
    const count = group.earningIds.length;
    const message = `${counted(count, "earning")} ${agreeing(count, "is", "are")} in ${group.currency}; only INR can be paid`;
    return { kind: "refused", code: "CURRENCY_NOT_SUPPORTED", message };
  }
  if (group.inAnotherPayout > 0) {
    const count = group.inAnotherPayout;
    const message = `${counted(count, "earning")} ${agreeing(count, "is", "are")} READY and still in another payout`;
    return { kind: "refused", code: "EARNING_IN_ANOTHER_PAYOUT", message };
  }
  if (group.amountPaise < settings.minimumPaise && !isPaidSmall(group, settings)) {
    const message = `${formatRupees(group.amountPaise)} is below the smallest payout, ${formatRupees(settings.minimumPaise)}`;
    return { kind: "carried", code: "BELOW_MINIMUM", message };
  }
  const approved = group.organizationId === null && group.amountPaise <= settings.autoApprovePaise;
  return { kind: "create", status: approved ? "APPROVED" : "PENDING" };
}

/** Twice what the provider takes, so that the tax leaves enough of it. */
const SMALLEST_PAISE = 2n * MINIMUM_PAYOUT_PAISE;

/** Small money has a way out: a sum that nothing adds to is not carried for ever. */
function isPaidSmall(
  { amountPaise, oldestDays }: DueGroup,
  { smallAfterDays }: BatchSettings,
): boolean {
  return smallAfterDays > 0 && oldestDays > smallAfterDays && amountPaise >= SMALLEST_PAISE;
}

/** Left out until every hold is released. */
export function onHold(kinds: readonly string[]): Extract<Decision, { code: string }> {
  return {
    kind: "on_hold",
    code: kinds.map((kind) => kind.toUpperCase()).join("+"),
    message: `open hold: ${kinds.join(", ")}; no payout until ${holdEnds(kinds)}`,
  };
}

/** Left out until the account may be paid again. */
export function stopped(stop: AccountStop): Extract<Decision, { code: string }> {
  return { kind: "on_hold", ...describeStop(stop) };
}

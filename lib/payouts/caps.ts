import { formatRupees, type Paise } from "../support/money.ts";
import type { DuePayout } from "./due.ts";
import type { RunFault } from "./faults.ts";
import type { PayoutCaps } from "./settings.ts";

const REMEDY =
  "Nothing was sent. If the amount is right, raise the cap for this run, or use --limit to pay the oldest first.";

/** The cap that what is due would exceed, if any: checked before anything is claimed or sent. */
export function exceededCap(
  due: { count: number; totalPaise: Paise; largest: DuePayout | undefined },
  caps: PayoutCaps,
): RunFault | undefined {
  if (due.largest && due.largest.amountPaise > caps.singlePaise) {
    return exceeded(
      `Payout ${due.largest.id} of ${formatRupees(due.largest.amountPaise)} is above the largest single payout, ${formatRupees(caps.singlePaise)} (PAYOUTS_MAX_SINGLE_RUPEES).`,
    );
  }
  if (due.totalPaise > caps.runPaise) {
    return exceeded(
      `${formatRupees(due.totalPaise)} are due, above the most that one run may pay, ${formatRupees(caps.runPaise)} (PAYOUTS_MAX_RUN_RUPEES).`,
    );
  }
  if (due.count > caps.runCount) {
    return exceeded(
      `${due.count} payouts are due, above the most that one run may make, ${caps.runCount} (PAYOUTS_MAX_RUN_COUNT).`,
    );
  }
  return undefined;
}

/**
 * Counts what is claimed against the same caps: a payout whose amount changed, or that was approved
 * after the first check, can't take the run over them.
 */
export function createCapGuard(caps: PayoutCaps): (payout: DuePayout) => RunFault | undefined {
  let count = 0;
  let totalPaise = 0n;
  return (payout) => {
    const over = exceededCap(
      { count: count + 1, totalPaise: totalPaise + payout.amountPaise, largest: payout },
      caps,
    );
    if (over)
      return {
        ...over,
        remedy: "What was sent before stands. Look at the payouts that changed during the run.",
      };
    count++;
    totalPaise += payout.amountPaise;
    return undefined;
  };
}

function exceeded(message: string): RunFault {
  return { code: "cap-exceeded", message, remedy: REMEDY };
}

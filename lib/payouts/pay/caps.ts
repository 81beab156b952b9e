import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import type { DuePayout } from "../state/due.ts";
import type { PayoutCaps } from "./settings.ts";
import type { RunFault } from "../../support/verdict.ts";

/** The reason of a payout that is larger than any may be: it is not sent, and the others are. */
export const ABOVE_SINGLE_CAP = "ABOVE_SINGLE_CAP";

export const SINGLE_CAP_REMEDY =
  "What is above the cap was not sent and is still due. If the amount is right, raise PAYOUTS_MAX_SINGLE_RUPEES for one run from a terminal; if not, reject the payout.";

const REMEDY =
  "Nothing was sent. If the amount is right, raise the cap for this run from a terminal, or use --limit to pay the oldest first.";

/** Why a payout is not sent: it is above the largest single payout. */
export function aboveSingleCap(
  { id, amountPaise, consultantRef }: DuePayout & { consultantRef?: string },
  { singlePaise }: PayoutCaps,
): string | undefined {
  if (amountPaise <= singlePaise) return undefined;
  const amount = formatRupees(amountPaise);
  const of = consultantRef === undefined ? amount : `${consultantRef}, ${amount},`;
  return `Payout ${id} of ${of} is above the largest single payout, ${formatRupees(singlePaise)} (PAYOUTS_MAX_SINGLE_RUPEES).`;
}

/** The cap that this run would exceed, if any: checked before anything is claimed or sent. */
export function exceededRunCap(
  due: { count: number; totalPaise: Paise },
  caps: PayoutCaps,
): RunFault | undefined {
  if (due.totalPaise > caps.runPaise) {
    return exceeded(
      `${formatRupees(due.totalPaise)} are due, above the most that one run may pay, ${formatRupees(caps.runPaise)} (PAYOUTS_MAX_RUN_RUPEES).`,
    );
  }
  if (due.count > caps.runCount) {
    return exceeded(
      `${counted(due.count, "payout")} ${agreeing(due.count, "is", "are")} due, above the most that one run may make, ${caps.runCount} (PAYOUTS_MAX_RUN_COUNT).`,
    );
  }
  return undefined;
}

/** A cap's refusal of a claimed payout: it stops this payout alone, or the run. */
export type CapRefusal = { stops: "payout"; message: string } | { stops: "run"; fault: RunFault };

/**
 * Counts claimed payouts against the same caps: a payout whose amount changed, or that was approved after the
 * first check, cannot take the run over them.
 */
export function createCapGuard(caps: PayoutCaps): (payout: DuePayout) => CapRefusal | undefined {
  let count = 0;
  let totalPaise = 0n;
  return (payout) => {
    const message = aboveSingleCap(payout, caps);
    if (message !== undefined) return { stops: "payout", message };
    const over = exceededRunCap(
      { count: count + 1, totalPaise: totalPaise + payout.amountPaise },
      caps,
    );
    if (over) {
      const remedy =
        "What was sent before stands. Look at the payouts that changed during the run.";
      return { stops: "run", fault: { ...over, remedy } };
    }
    count++;
    totalPaise += payout.amountPaise;
    return undefined;
  };
}

function exceeded(message: string): RunFault {
  return { code: "cap-exceeded", message, remedy: REMEDY };
}

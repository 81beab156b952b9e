import { fiscalYearOf, type Day } from "../support/calendar.ts";
import { minPaise } from "../support/money.ts";
import type { RefundBase } from "../tds/index.ts";
import { less, takeFrom, type GrossAndAmount } from "./take.ts";

/** A consultant's open debt for one refunded sale. */
export interface OpenRecovery extends GrossAndAmount {
  recoveryId: string;
  consultantId: string;
  currency: string;
  /** The day of the refunded sale. */
  creditedOn: Day;
}

/** A READY earning and the rest of its amounts. */
export interface ReadyEarning extends GrossAndAmount {
  earningId: string;
  consultantId: string;
  currency: string;
  creditedOn: Day;
}

/** So much of a recovery is taken off this earning. */
export interface Take extends GrossAndAmount {
  recoveryId: string;
  earningId: string;
}

/**
 * The gross taken off an earning of another financial year than the refunded sale's: as `RefundBase` says, or
 * nothing for now (`later`).
 */
export type AcrossYears = RefundBase | "later";

/**
 * Pure: assigns recoveries to earnings. The oldest recovery is first, off the oldest earning of the same
 * consultant and currency. No earning falls below zero; the rest of a recovery stays open.
 */
export function planTakes(
  recoveries: readonly OpenRecovery[],
  earnings: readonly ReadyEarning[],
  acrossYears: AcrossYears,
): Take[] {
  const left = new Map(earnings.map((earning) => [earning.earningId, earning as GrossAndAmount]));
  const takes: Take[] = [];
  for (const { recoveryId, consultantId, currency, creditedOn, ...debt } of recoveries) {
    const ofYear = fiscalYearOf(creditedOn);
    let owed: GrossAndAmount = debt;
    for (const earning of earnings) {
      if (earning.consultantId !== consultantId || earning.currency !== currency) continue;
      const rest = left.get(earning.earningId) ?? earning;
      const isSameYear = fiscalYearOf(earning.creditedOn) === ofYear;
      if (!isSameYear && acrossYears === "later") continue;
      const taken =
        isSameYear || acrossYears === "any-year"
          ? takeFrom(rest, owed)
          : takeMoneyAlone(rest, owed);
      if (taken.amountPaise <= 0n) continue;
      takes.push({ recoveryId, earningId: earning.earningId, ...taken });
      left.set(earning.earningId, less(rest, taken));
      owed = less(owed, taken);
    }
  }
  return takes;
}

/**
 * The gross stays, as it is taxed in the earning's own year. One paisa of the money stays too: with nothing left the
 * earning would be in no payout, and its gross in nobody's year.
 */
function takeMoneyAlone(left: GrossAndAmount, owed: GrossAndAmount): GrossAndAmount {
  return { grossPaise: 0n, amountPaise: minPaise(left.amountPaise - 1n, owed.amountPaise) };
}

import { less, takeFrom, type GrossAndAmount } from "./take.ts";

/** What a consultant still owes of one refunded sale. */
export interface OpenRecovery extends GrossAndAmount {
  recoveryId: string;
  consultantId: string;
  currency: string;
}

/** A READY earning and what is left of it. */
export interface ReadyEarning extends GrossAndAmount {
  earningId: string;
  consultantId: string;
  currency: string;
}

/** So much of a recovery is taken off this earning. */
export interface Take extends GrossAndAmount {
  recoveryId: string;
  earningId: string;
}

/**
 * Pure: which earnings bear which recoveries. The oldest recovery first, off the oldest earning of the
 * same consultant and currency; no earning falls below zero, and what they do not cover stays open.
 */
export function planTakes(
  recoveries: readonly OpenRecovery[],
  earnings: readonly ReadyEarning[],
): Take[] {
  const left = new Map(earnings.map((earning) => [earning.earningId, earning as GrossAndAmount]));
  const takes: Take[] = [];
  for (const { recoveryId, consultantId, currency, ...debt } of recoveries) {
    let owed: GrossAndAmount = debt;
    for (const earning of earnings) {
      if (earning.consultantId !== consultantId || earning.currency !== currency) continue;
      const rest = left.get(earning.earningId) ?? earning;
      const taken = takeFrom(rest, owed);
      if (taken.amountPaise <= 0n) continue;
      takes.push({ recoveryId, earningId: earning.earningId, ...taken });
      left.set(earning.earningId, less(rest, taken));
      owed = less(owed, taken);
    }
  }
  return takes;
}

import { defaultModeSettings } from "../provider/choose-mode.ts";
import { formatRupees, type Paise } from "../support/money.ts";
import type { Problem } from "./problems.ts";
import type { ConsultantInFile } from "./types.ts";

/**
 * Payees of a file whose payout a VPA can not take: one payout is never split, so it would be refused each week, and be
 * larger the next. Before tax, which may bring it below the limit.
 */
export function upiWarnings(
  consultants: Iterable<ConsultantInFile>,
  unpaid: Iterable<{ consultantRef: string; amountPaise: Paise }>,
): Problem[] {
  const owed = new Map<string, Paise>();
  for (const { consultantRef, amountPaise } of unpaid) {
    owed.set(consultantRef, (owed.get(consultantRef) ?? 0n) + amountPaise);
  }
  const limit = defaultModeSettings.upiMaximumPaise;
  const warnings: Problem[] = [];
  for (const { line, details } of consultants) {
    const amountPaise = owed.get(details.ref) ?? 0n;
    if (details.account.kind !== "vpa" || amountPaise <= limit) continue;
    const message = `${formatRupees(amountPaise)} of this file are more than ${formatRupees(limit)}, the most that one payout to a VPA carries; the payout fails unless tax brings it below; ask the payee for a bank account and import it with --update-accounts`;
    warnings.push({ line, column: "vpa", message });
  }
  return warnings;
}

import type { DbSession } from "../../db/client.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import { readChallans, type Challan } from "../../tax-returns/index.ts";
import type { TaxWatchSettings } from "./settings.ts";

/** Tax of a month that is to be handed over soon, or should have been. */
export interface TaxDue {
  /** `YYYY-MM`, of the credits. */
  month: string;
  section: string;
  code: string;
  /** Withheld and accrued less deposited. */
  duePaise: Paise;
  /** The part of it on credits that are not paid yet. */
  accruedPaise: Paise;
  dueOn: string;
  daysLeft: number;
  isOverdue: boolean;
}

/** The months whose tax is overdue, or due within the days of the setting; oldest first. Reads only. */
export async function readTaxDue(
  db: DbSession,
  { depositWarningDays, ...settings }: TaxWatchSettings,
): Promise<TaxDue[]> {
  if (depositWarningDays === 0) return [];
  const { challans } = await readChallans(db, { all: false, settings });
  return challans
    .filter(({ duePaise, daysLeft }) => duePaise > 0n && daysLeft <= depositWarningDays)
    .map(toTaxDue);
}

function toTaxDue(challan: Challan): TaxDue {
  const { month, section, code, duePaise, accruedPaise, dueOn, daysLeft, isOverdue } = challan;
  return { month, section, code, duePaise, accruedPaise, dueOn, daysLeft, isOverdue };
}

/** `₹1,234.00 of tax for 2026-07 is to be deposited by 2026-08-07`. */
export function describeTaxDue(dues: readonly TaxDue[]): string {
  return dues
    .map(({ duePaise, month, dueOn, isOverdue }) => {
      const verb = isOverdue ? "should have been deposited by" : "is to be deposited by";
      return `${formatRupees(duePaise)} of tax for ${month} ${verb} ${dueOn}`;
    })
    .join("; ");
}

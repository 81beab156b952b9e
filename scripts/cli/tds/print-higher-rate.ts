import { fiscalYearLabel } from "../../../lib/support/calendar.ts";
import { formatRupees, sumPaise } from "../../../lib/support/money.ts";
import type { HigherRateTaken } from "../../../lib/tds/papers/index.ts";
import { textTable } from "../../../lib/support/text-table.ts";

/** Tax that was taken at the higher rate from payees whose PAN counts for the credits now. */
export function higherRateLines(taken: readonly HigherRateTaken[]): string[] {
  return [
    "Tax taken at the higher rate, and the PAN counts for these credits now:",
    ...textTable(
      ["Payee", "Name", "Year", "Credits", "Gross", "Taken", "Too much", "Why"],
      taken.map((each) => [
        each.payeeRef,
        each.payeeName,
        fiscalYearLabel(each.fiscalYear),
        String(each.credits),
        formatRupees(each.grossPaise),
        formatRupees(each.takenPaise),
        formatRupees(each.differencePaise),
        each.cause === "relief"
          ? "days of relief cover them"
          : "the PAN is valid now; it was right if the PAN was furnished later",
      ]),
    ),
  ];
}

/** Its meaning in one sentence. */
export function describeHigherRate(taken: readonly HigherRateTaken[]): string {
  const together = formatRupees(sumPaise(taken.map(({ differencePaise }) => differencePaise)));
  return `Together ${together}. It is not given back automatically: correct the statement, or let the payee claim it with the return.`;
}

import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import type {
  LineKind,
  PayeeStatement,
  StatementLine,
} from "../../../lib/payouts/operate/index.ts";
import { istInWords } from "../../../lib/support/calendar.ts";
import { formatRupees, type Paise } from "../../../lib/support/money.ts";

/** The kinds of lines, as the payee reads them. */
export const KIND_WORDS: Readonly<Record<LineKind, string>> = {
  earned: "Earned",
  refunded: "Refunded to the buyer",
  recovered: "Recovered",
  paid: "Paid",
  "came-back": "Came back from the bank",
};

let template: Handlebars.TemplateDelegate | undefined;

/** A page to print on A4: one file without outside resources, every value escaped. */
export function statementHtml(statement: PayeeStatement): string {
  template ??= Handlebars.compile(
    readFileSync(new URL("./statement.html", import.meta.url), "utf8"),
    { strict: true },
  );
  const { payee, month, madeAt, isOver, openingPaise, closingPaise, lines, totals } = statement;
  return template({
    name: payee.name,
    ref: payee.ref,
    organization: payee.organizationRef ?? "",
    pan: payee.pan ?? "none on record",
    month: monthInWords(month),
    madeAt: istInWords(madeAt),
    soFar: isOver ? "" : "yes",
    opening: formatRupees(openingPaise),
    closing: formatRupees(closingPaise),
    sums: (Object.keys(KIND_WORDS) as LineKind[])
      .filter((kind) => totals[kind].count > 0)
      .map((kind) => ({ words: KIND_WORDS[kind], paise: formatRupees(totals[kind].owedPaise) })),
    gross: formatRupees(
      totals.earned.grossPaise + totals.refunded.grossPaise + totals.recovered.grossPaise,
    ),
    fee: formatRupees(
      totals.earned.feePaise + totals.refunded.feePaise + totals.recovered.feePaise,
    ),
    tax: formatRupees(totals.paid.taxPaise + totals["came-back"].taxPaise),
    net: formatRupees(totals.paid.netPaise + totals["came-back"].netPaise),
    lines: lines.map(lineShown),
  });
}

function lineShown(line: StatementLine): Record<string, string> {
  const amount = (paise: Paise | null): string => (paise === null ? "" : formatRupees(paise));
  return {
    on: line.on,
    what: KIND_WORDS[line.kind],
    booking: line.bookingReference,
    note: line.recoveredFor === null ? "" : `for ${line.recoveredFor}`,
    gross: amount(line.grossPaise),
    fee: amount(line.feePaise),
    tax: amount(line.taxPaise),
    section: line.section ?? "",
    net: amount(line.netPaise),
    owed: amount(line.owedPaise),
    utr: line.utr ?? "",
  };
}

/** `2026-11` to `November 2026`. */
function monthInWords(month: string): string {
  return new Date(`${month}-15T00:00:00Z`).toLocaleDateString("en-IN", {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
}

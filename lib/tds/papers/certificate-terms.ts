import type { Day } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";
import { ratesOn } from "../law.ts";

/** A certificate for deduction at a lower rate, as the paper says it. */
export interface CertificateTerms {
  number: string;
  rateBps: number;
  from: Day;
  to: Day;
  /** Gross to which the rate applies. */
  ceilingPaise: Paise;
}

/** The number in capitals; undefined when it is none. */
export function parseCertificateNumber(text: string): string | undefined {
  const number = text.trim().toUpperCase();
  // Ten characters on paper; the statement's format says fifteen.
  return /^(?:[A-Z0-9]{10}|[A-Z0-9]{15})$/.test(number) ? number : undefined;
}

/** `"0.05"` per cent to 5 basis points; undefined when it is no rate of whole basis points. */
export function parseRate(text: string): number | undefined {
  const [, whole, hundredths = ""] = /^([0-9]{1,2})(?:\.([0-9]{1,2}))?$/.exec(text.trim()) ?? [];
  if (whole === undefined) return undefined;
  return Number(whole) * 100 + Number(hundredths.padEnd(2, "0"));
}

/** The problem of a certificate's own terms; undefined when there is none. */
export function faultInTerms({
  rateBps,
  from,
  to,
  ceilingPaise,
}: Omit<CertificateTerms, "number">):
  { field: "rate" | "from" | "to" | "ceiling"; message: string } | undefined {
  if (from > to) {
    return { field: "to", message: `it ends on ${to}, before it begins on ${from}` };
  }
  if (ceilingPaise <= 0n) return { field: "ceiling", message: "expected a ceiling above zero" };
  const ordinary = ratesOn(from);
  if (!ordinary) {
    return { field: "from", message: `there was no section 194-O on ${from}, so nothing to lower` };
  }
  if (rateBps >= ordinary.rateBps) {
    return {
      field: "rate",
      message: `${rateBps / 100}% is not below the ordinary rate of that day, ${ordinary.rateBps / 100}%`,
    };
  }
  return undefined;
}

/** As in an audit entry: enough to recognize it beside the paper. */
export function maskedNumber(number: string): string {
  return `…${number.slice(-4)}`;
}

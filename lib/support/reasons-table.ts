import { formatRupees, type Paise } from "./money.ts";
import type { SummaryTable } from "./summary-table.ts";

/** One thing that did not simply succeed. */
export interface ReasonItem {
  /** By which a person finds it: the payment, the booking. */
  id: string;
  outcome: string;
  /** Stable code. */
  code: string;
  amountPaise?: Paise;
}

/** How often one reason occurred. Every item counts, also those that the report does not keep. */
export interface ReasonCount {
  outcome: string;
  code: string;
  count: number;
  /** Null where amounts are not known. */
  amountPaise: Paise | null;
  /** The first few. */
  ids: string[];
}

/** More would only be copied by nobody; the table of single items has them all. */
const MOST_IDS = 3;

/** Counts one item under its outcome and reason. */
export function countReason(
  reasons: ReasonCount[],
  { id, outcome, code, amountPaise }: ReasonItem,
): void {
  let reason = reasons.find((each) => each.outcome === outcome && each.code === code);
  if (!reason) {
    reason = { outcome, code, count: 0, amountPaise: null, ids: [] };
    reasons.push(reason);
  }
  reason.count++;
  if (amountPaise !== undefined) reason.amountPaise = (reason.amountPaise ?? 0n) + amountPaise;
  if (reason.ids.length < MOST_IDS && !reason.ids.includes(id)) reason.ids.push(id);
}

/**
 * Failures by outcome and reason, the most frequent first: count, amount in rupees where known, and the first
 * few items of each.
 */
export function reasonsTable(
  title: string,
  // Recorded reports of older versions have none.
  reasons: readonly ReasonCount[] | undefined = [],
): SummaryTable {
  const isMoney = reasons.some(({ amountPaise }) => amountPaise !== null);
  const rows = [...reasons]
    .sort((a, b) => b.count - a.count)
    .map(({ outcome, code, count, amountPaise, ids }) => [
      outcome,
      code,
      String(count),
      ...(isMoney ? [formatRupees(amountPaise ?? 0n)] : []),
      firstFew(ids),
    ]);
  return {
    title,
    columns: ["Outcome", "Reason", "Count", ...(isMoney ? ["Rupees"] : []), "Such as"],
    rows,
  };
}

/** The first few ids, each once. */
export function firstFew(ids: readonly string[]): string {
  return [...new Set(ids)].slice(0, MOST_IDS).join(", ");
}

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

/** More would only be copied by nobody; the table of single items has them all. */
const MOST_IDS = 3;

/**
 * What did not succeed and why, grouped by outcome and reason, the most frequent first: how many, how much in
 * rupees where amounts are known, and the first few of each.
 */
export function reasonsTable(title: string, items: readonly ReasonItem[]): SummaryTable {
  const groups = new Map<string, ReasonItem[]>();
  for (const item of items) {
    const key = JSON.stringify([item.outcome, item.code]);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  const isMoney = items.some(({ amountPaise }) => amountPaise !== undefined);
  const rows = [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((group) => [
      group[0]?.outcome ?? "",
      group[0]?.code ?? "",
      String(group.length),
      ...(isMoney
        ? [formatRupees(group.reduce((sum, { amountPaise = 0n }) => sum + amountPaise, 0n))]
        : []),
      firstFew(group.map(({ id }) => id)),
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

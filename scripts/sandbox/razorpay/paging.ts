import { invalid } from "./errors.ts";

const DEFAULT_COUNT = 10;
const MAX_COUNT = 100;

/** Which part of a list is wanted. `from` and `to` are Unix seconds, both included. */
export interface Page {
  from: number;
  to: number;
  count: number;
  skip: number;
}

/** Throws a `Refusal` when a number is missing its form or its range. */
export function pageOf(query: URLSearchParams): Page {
  return {
    from: wholeNumber(query, "from", { least: 0, most: Infinity, absent: 0 }),
    to: wholeNumber(query, "to", { least: 0, most: Infinity, absent: Infinity }),
    count: wholeNumber(query, "count", { least: 1, most: MAX_COUNT, absent: DEFAULT_COUNT }),
    skip: wholeNumber(query, "skip", { least: 0, most: Infinity, absent: 0 }),
  };
}

/**
 * The wanted part of `oldestFirst`, newest first. Reads from the new end and stops as soon as the page
 * is full or the time has passed, so a look at recent rows never walks through all of them.
 */
export function newestFirst<Row extends { readonly createdAtSeconds: number }>(
  oldestFirst: readonly Row[],
  page: Page,
  keep: (row: Row) => boolean = () => true,
): Row[] {
  const rows: Row[] = [];
  let toSkip = page.skip;
  for (let index = oldestFirst.length - 1; index >= 0 && rows.length < page.count; index--) {
    const row = oldestFirst[index];
    if (row === undefined || row.createdAtSeconds < page.from) break;
    if (row.createdAtSeconds > page.to || !keep(row)) continue;
    if (toSkip > 0) toSkip--;
    else rows.push(row);
  }
  return rows;
}

export interface Collection {
  entity: "collection";
  count: number;
  items: unknown[];
}

export function collection(items: unknown[]): Collection {
  return { entity: "collection", count: items.length, items };
}

/** A text filter of a list, or undefined when it was not given. */
export function filterOf(query: URLSearchParams, name: string): string | undefined {
  return query.get(name) ?? undefined;
}

function wholeNumber(
  query: URLSearchParams,
  name: string,
  rule: { least: number; most: number; absent: number },
): number {
  const text = query.get(name);
  if (text === null) return rule.absent;
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(value)) throw invalid(name, `The ${name} must be a whole number.`);
  if (value < rule.least) throw invalid(name, `The ${name} must be at least ${rule.least}.`);
  if (value > rule.most) throw invalid(name, `The ${name} may not be greater than ${rule.most}.`);
  return value;
}

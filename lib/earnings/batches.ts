/**
 * Rows in one statement. Each statement carries its rows as arrays: at 5,000 rows a statement stays
 * near a megabyte, and 100,000 rows need twenty of each kind.
 */
const BATCH_ROWS = 5_000;

export function* batches<T>(items: readonly T[], size: number = BATCH_ROWS): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

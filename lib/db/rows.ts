import { toError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import type { Log } from "../support/log.ts";
import { isForEveryRow, isLockConflict } from "./sqlstate.ts";

const PAGE = 200;

/** At most so many rows of a query, read page by page. Each page begins after the last row of the one before. */
export async function* inPages<Row>(
  readPage: (page: { after: Row | undefined; count: number }) => Promise<readonly Row[]>,
  { most = Infinity, size = PAGE }: { most?: number; size?: number } = {},
): AsyncGenerator<Row, void> {
  let after: Row | undefined;
  for (let left = most; left > 0;) {
    const count = Math.min(size, left);
    const page = await readPage({ after, count });
    yield* page;
    if (page.length < count) return;
    after = page.at(-1);
    left -= page.length;
  }
}

export type RowResult<T> =
  | { kind: "done"; value: T }
  /** Another session holds the row. */
  | { kind: "locked"; error: unknown }
  | { kind: "failed"; error: unknown };

/**
 * Does the work of one row of many. An error of this row is logged and returned, so that it stops no other row.
 *
 * @throws an error that the next row would meet as well: a lost connection, a missing right, a lost lease
 */
export async function tryRow<T>(
  work: () => Promise<T>,
  { log, row, failed }: { log: Log; row: object; failed: string },
): Promise<RowResult<T>> {
  try {
    return { kind: "done", value: await work() };
  } catch (error) {
    if (error instanceof LeaseLostError || isForEveryRow(error)) throw error;
    const kind = isLockConflict(error) ? "locked" : "failed";
    log[kind === "locked" ? "warn" : "error"]({ ...row, err: toError(error) }, failed);
    return { kind, error };
  }
}

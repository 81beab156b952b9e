import { seconds } from "../../support/clock.ts";
import { concernsAll } from "../state/faults.ts";

export interface GroupOptions<T, R> {
  /** No more than so many at a time. */
  most: number;
  /** Does all of them, in one transaction, and answers in their order. Called with one as well. */
  work: (items: readonly T[]) => Promise<readonly R[]>;
  /** Whether others are under way, for which a group that is not full waits a moment. Default: no. */
  moreToCome?: () => boolean;
}

/** Longer than most answers of the provider are apart, and short beside the answer itself. */
const WAIT_MS = seconds(0.025);

/**
 * Gathers requests that arrive at about the same time, and runs them in batches. One batch runs at a time, and
 * all later requests form the next one. Each caller gets its own result, or its own error.
 */
export function createGroup<T, R>({
  most,
  work,
  moreToCome = () => false,
}: GroupOptions<T, R>): (item: T) => Promise<R> {
  interface Asked {
    item: T;
    resolve: (result: R) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Asked[] = [];
  let isWorking = false;
  let timer: NodeJS.Timeout | undefined;

  const begin = (): void => {
    clearTimeout(timer);
    timer = undefined;
    isWorking = true;
    // Requests of the same turn of the event loop join this batch.
    setImmediate(() => {
      const group = waiting.slice(0, most);
      waiting = waiting.slice(most);
      const items = group.map(({ item }) => item);
      void doAll(items, work).then((results) => {
        for (const [index, { resolve, reject }] of group.entries()) {
          const result = results[index];
          if (result?.status === "fulfilled") resolve(result.value);
          else reject(result?.reason);
        }
        isWorking = false;
        schedule();
      });
    });
  };
  const schedule = (): void => {
    if (isWorking || waiting.length === 0) return;
    if (waiting.length >= most || !moreToCome()) begin();
    else timer ??= setTimeout(begin, WAIT_MS);
  };

  return (item) =>
    new Promise<R>((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      schedule();
    });
}

/**
 * Runs the batch. If it fails, it is rolled back, and each item runs alone, so that one bad row cannot fail the
 * rest.
 */
export async function doAll<T, R>(
  items: readonly T[],
  work: GroupOptions<T, R>["work"],
): Promise<PromiseSettledResult<R>[]> {
  const [first, ...others] = items;
  try {
    return (await work(items)).map((value) => ({ status: "fulfilled", value }));
  } catch (error) {
    if (first === undefined || others.length === 0 || concernsAll(error))
      return items.map(() => ({ status: "rejected", reason: error }));
  }
  const results: PromiseSettledResult<R>[] = [];
  for (const [index, item] of items.entries()) {
    const own = await doAll([item], work);
    results.push(...own);
    // Each of the others would wait as long for a database that is away, to be told the same.
    const failed = own.find((result) => result.status === "rejected");
    if (failed === undefined || !concernsAll(failed.reason)) continue;
    return [...results, ...items.slice(index + 1).map(() => failed)];
  }
  return results;
}

import { seconds, sleep } from "../../support/clock.ts";
import { concernsAll } from "../state/faults.ts";

/** Runs all items in one transaction and answers in their order. Called with a single item as well. */
export type BatchWork<T, R> = (items: readonly T[]) => Promise<readonly R[]>;

export interface BatcherOptions<T, R> {
  /** The largest number of items in a batch. */
  most: number;
  work: BatchWork<T, R>;
  /** Whether more items are expected, so that a batch that is not full waits a moment. */
  moreToCome: () => boolean;
}

/** Longer than most answers of the provider are apart, and short beside the answer itself. */
const WAIT_MS = seconds(0.025);

/**
 * Gathers items that arrive at about the same time, and runs them in batches. One batch runs at a time, and all
 * later items form the next one. Each caller gets its own result, or its own error.
 */
export function createBatcher<T, R>({
  most,
  work,
  moreToCome,
}: BatcherOptions<T, R>): (item: T) => Promise<R> {
  interface Waiting {
    item: T;
    resolve: (result: R) => void;
    reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let isWorking = false;
  let wait: AbortController | undefined;

  const begin = (): void => {
    wait?.abort();
    wait = undefined;
    isWorking = true;
    // Items of the same turn of the event loop join this batch.
    setImmediate(() => {
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      const items = batch.map(({ item }) => item);
      void runBatch(items, work).then((results) => {
        for (const [index, { resolve, reject }] of batch.entries()) {
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
    else if (wait === undefined) beginLater((wait = new AbortController()));
  };
  const beginLater = (own: AbortController): void =>
    void sleep(WAIT_MS, own.signal).then(() => {
      if (wait === own) begin();
    });

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
export async function runBatch<T, R>(
  items: readonly T[],
  work: BatchWork<T, R>,
): Promise<PromiseSettledResult<R>[]> {
  const [first, ...others] = items;
  if (first === undefined) return [];
  try {
    return (await work(items)).map((value) => ({ status: "fulfilled", value }));
  } catch (error) {
    if (others.length === 0 || concernsAll(error))
      return items.map(() => ({ status: "rejected", reason: error }));
  }
  const results: PromiseSettledResult<R>[] = [];
  for (const [index, item] of items.entries()) {
    const own = await runBatch([item], work);
    results.push(...own);
    // Each of the others would wait as long for a database that is away, and get the same error.
    const failed = own.find((result) => result.status === "rejected");
    if (failed === undefined || !concernsAll(failed.reason)) continue;
    return [...results, ...items.slice(index + 1).map(() => failed)];
  }
  return results;
}

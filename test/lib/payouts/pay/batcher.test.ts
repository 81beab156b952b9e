import { describe, expect, it } from "vitest";
import { createBatcher } from "../../../../lib/payouts/pay/batcher.ts";
import { LeaseLostError } from "../../../../lib/support/lease.ts";

/** Work that is done when the test says so, and what it was given. */
function setUp(options: {
  most?: number;
  moreToCome?: () => boolean;
  bad?: (item: number) => unknown;
}) {
  const { most = 10, moreToCome = () => false, bad = () => undefined } = options;
  const batches: number[][] = [];
  let release: (() => void)[] = [];
  const ask = createBatcher<number, string>({
    most,
    moreToCome,
    work: async (items) => {
      batches.push([...items]);
      await new Promise<void>((resolve) => release.push(resolve));
      for (const item of items) {
        const error = bad(item);
        if (error !== undefined) throw error as Error;
      }
      return items.map((item) => `done ${item}`);
    },
  });
  const finish = async (): Promise<void> => {
    const waiting = release;
    release = [];
    for (const resolve of waiting) resolve();
    await settled();
  };
  return { ask, batches, finish };
}

/** Lets everything that can go on do so. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a batch", () => {
  it("has all items of one turn, in their order, and each gets its own result", async () => {
    const { ask, batches, finish } = setUp({});
    const results = Promise.all([1, 2, 3].map(ask));
    await settled();
    expect(batches).toEqual([[1, 2, 3]]);
    await finish();
    expect(await results).toEqual(["done 1", "done 2", "done 3"]);
  });

  it("runs alone; later items are the next batch", async () => {
    const { ask, batches, finish } = setUp({});
    const all = [ask(1)];
    await settled();
    all.push(ask(2), ask(3));
    await settled();
    expect(batches).toEqual([[1]]);
    await finish();
    expect(batches).toEqual([[1], [2, 3]]);
    await finish();
    await Promise.all(all);
  });

  it("is never larger than its limit", async () => {
    const { ask, batches, finish } = setUp({ most: 2 });
    const all = Promise.all([1, 2, 3].map(ask));
    await settled();
    await finish();
    await finish();
    await all;
    expect(batches).toEqual([[1, 2], [3]]);
  });

  it("waits a moment while more items are expected, and no longer", async () => {
    const { ask, batches, finish } = setUp({ moreToCome: () => true });
    const all = [ask(1)];
    await settled();
    expect(batches).toEqual([]);
    all.push(ask(2));
    while (batches.length === 0) await settled();
    expect(batches).toEqual([[1, 2]]);
    await finish();
    await Promise.all(all);
  });

  it("does not wait once it is full", async () => {
    const { ask, batches, finish } = setUp({ most: 2, moreToCome: () => true });
    const all = Promise.all([ask(1), ask(2)]);
    await settled();
    expect(batches).toEqual([[1, 2]]);
    await finish();
    await all;
  });

  it("with one bad item runs item by item: only that one fails", async () => {
    const error = new Error("not this one");
    const { ask, batches, finish } = setUp({ bad: (item) => (item === 2 ? error : undefined) });
    const results = Promise.allSettled([1, 2, 3].map(ask));
    await settled();
    for (let turn = 0; turn < 4; turn++) await finish();
    expect((await results).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(batches).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it.each([
    ["the database is away", Object.assign(new Error("gone"), { code: "ECONNRESET" })],
    ["the lease has run out", new LeaseLostError("payouts/process-payouts")],
  ])("does not run item by item when %s", async (_, error) => {
    const { ask, batches, finish } = setUp({ bad: () => error });
    const results = Promise.allSettled([1, 2, 3].map(ask));
    await settled();
    await finish();
    expect((await results).map((each) => "reason" in each && each.reason === error)).toEqual([
      true,
      true,
      true,
    ]);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it("gives up the rest when the database goes away half way", async () => {
    const away = Object.assign(new Error("gone"), { code: "ECONNRESET" });
    const { ask, batches, finish } = setUp({
      bad: (item) => (item === 1 ? new Error("bad row") : away),
    });
    const results = Promise.allSettled([1, 2, 3].map(ask));
    await settled();
    for (let turn = 0; turn < 3; turn++) await finish();
    const reasons = (await results).map((each) => ("reason" in each ? String(each.reason) : ""));
    expect(reasons).toEqual(["Error: bad row", "Error: gone", "Error: gone"]);
    expect(batches).toEqual([[1, 2, 3], [1], [2]]);
  });
});

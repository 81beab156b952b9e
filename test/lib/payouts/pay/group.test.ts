import { describe, expect, it } from "vitest";
import { createGroup } from "../../../../lib/payouts/pay/group.ts";
import { createWindow } from "../../../../lib/payouts/pay/window.ts";
import { LeaseLostError } from "../../../../lib/support/lease.ts";

/** Work that is done when the test says so, and what it was given. */
function setUp(options: {
  most?: number;
  moreToCome?: () => boolean;
  bad?: (item: number) => unknown;
}) {
  const { most = 10, bad = () => undefined } = options;
  const groups: number[][] = [];
  let release: (() => void)[] = [];
  const ask = createGroup<number, string>({
    most,
    ...(options.moreToCome ? { moreToCome: options.moreToCome } : {}),
    work: async (items) => {
      groups.push([...items]);
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
  return { ask, groups, finish };
}

/** Lets everything that can go on do so. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe("a group", () => {
  it("is what is asked for in one turn, in its order, and each gets its own result", async () => {
    const { ask, groups, finish } = setUp({});
    const results = Promise.all([1, 2, 3].map(ask));
    await settled();
    expect(groups).toEqual([[1, 2, 3]]);
    await finish();
    expect(await results).toEqual(["done 1", "done 2", "done 3"]);
  });

  it("is done one at a time; what comes meanwhile is the next", async () => {
    const { ask, groups, finish } = setUp({});
    const all = [ask(1)];
    await settled();
    all.push(ask(2), ask(3));
    await settled();
    expect(groups).toEqual([[1]]);
    await finish();
    expect(groups).toEqual([[1], [2, 3]]);
    await finish();
    await Promise.all(all);
  });

  it("is never larger than was said", async () => {
    const { ask, groups, finish } = setUp({ most: 2 });
    const all = Promise.all([1, 2, 3].map(ask));
    await settled();
    await finish();
    await finish();
    await all;
    expect(groups).toEqual([[1, 2], [3]]);
  });

  it("waits a moment while more is to come, and no longer than that", async () => {
    const { ask, groups, finish } = setUp({ moreToCome: () => true });
    const all = [ask(1)];
    await settled();
    expect(groups).toEqual([]);
    all.push(ask(2));
    while (groups.length === 0) await settled();
    expect(groups).toEqual([[1, 2]]);
    await finish();
    await Promise.all(all);
  });

  it("waits for nobody once it is full", async () => {
    const { ask, groups, finish } = setUp({ most: 2, moreToCome: () => true });
    const all = Promise.all([ask(1), ask(2)]);
    await settled();
    expect(groups).toEqual([[1, 2]]);
    await finish();
    await all;
  });

  it("with one that can't be done is done one by one: only that one fails", async () => {
    const error = new Error("not this one");
    const { ask, groups, finish } = setUp({ bad: (item) => (item === 2 ? error : undefined) });
    const results = Promise.allSettled([1, 2, 3].map(ask));
    await settled();
    for (let turn = 0; turn < 4; turn++) await finish();
    expect((await results).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
    ]);
    expect(groups).toEqual([[1, 2, 3], [1], [2], [3]]);
  });

  it.each([
    ["the database is away", Object.assign(new Error("gone"), { code: "ECONNRESET" })],
    ["the lease has run out", new LeaseLostError("payouts/process-payouts")],
  ])("is not tried one by one when %s", async (_, error) => {
    const { ask, groups, finish } = setUp({ bad: () => error });
    const results = Promise.allSettled([1, 2, 3].map(ask));
    await settled();
    await finish();
    expect((await results).map((each) => "reason" in each && each.reason === error)).toEqual([
      true,
      true,
      true,
    ]);
    expect(groups).toEqual([[1, 2, 3]]);
  });

  it("of which the database goes away half way gives up the rest", async () => {
    const away = Object.assign(new Error("gone"), { code: "ECONNRESET" });
    const { ask, groups, finish } = setUp({
      bad: (item) => (item === 1 ? new Error("bad row") : away),
    });
    const results = Promise.allSettled([1, 2, 3].map(ask));
    await settled();
    for (let turn = 0; turn < 3; turn++) await finish();
    const reasons = (await results).map((each) => ("reason" in each ? String(each.reason) : ""));
    expect(reasons).toEqual(["Error: bad row", "Error: gone", "Error: gone"]);
    expect(groups).toEqual([[1, 2, 3], [1], [2]]);
  });
});

describe("how many payouts are in hand", () => {
  it("begins with sixteen and grows with each answer, up to the most", () => {
    const window = createWindow({ most: 20 });
    expect(window.atOnce()).toBe(16);
    for (let answer = 0; answer < 9; answer++) window.answered();
    expect(window.atOnce()).toBe(20);
  });

  it("is sixteen again after a call without an answer", () => {
    const window = createWindow({ most: 100 });
    for (let answer = 0; answer < 50; answer++) window.answered();
    window.unanswered();
    expect(window.atOnce()).toBe(16);
  });

  it("is never more than the most, which may be one", () => {
    const window = createWindow({ most: 1 });
    window.answered();
    expect(window.atOnce()).toBe(1);
  });
});

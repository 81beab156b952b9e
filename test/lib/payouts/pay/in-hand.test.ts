import { describe, expect, it } from "vitest";
import { forEachInHand } from "../../../../lib/payouts/pay/in-hand.ts";
import { createTurns } from "../../../../lib/payouts/pay/in-turn.ts";

interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

function deferred(): Deferred {
  let settle: Omit<Deferred, "promise"> | undefined;
  const promise = new Promise<void>((resolve, reject) => (settle = { resolve, reject }));
  return { promise, resolve: () => settle?.resolve(), reject: (error) => settle?.reject(error) };
}

/** Lets everything that can go on do so. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("work in hand", () => {
  // eslint-disable-next-line @typescript-eslint/require-await -- pages come from a database elsewhere
  async function* numbers(count: number): AsyncGenerator<number> {
    for (let number = 1; number <= count; number++) yield number;
  }

  function setUp(options: { count: number; atOnce: number; goOn?: () => boolean }) {
    const started: number[] = [];
    const work = Array.from({ length: options.count + 1 }, deferred);
    const all = forEachInHand(numbers(options.count), {
      atOnce: () => options.atOnce,
      goOn: options.goOn ?? (() => true),
      work: (number) => {
        started.push(number);
        return work[number]?.promise ?? Promise.resolve();
      },
    });
    return { started, finish: (number: number) => work[number]?.resolve(), work, all };
  }

  it("is never more than was said, and begins in order", async () => {
    const { started, finish, all } = setUp({ count: 5, atOnce: 2 });
    await settled();
    expect(started).toEqual([1, 2]);
    finish(2);
    await settled();
    expect(started).toEqual([1, 2, 3]);
    for (const number of [1, 3, 4, 5]) {
      finish(number);
      await settled();
    }
    await all;
    expect(started).toEqual([1, 2, 3, 4, 5]);
  });

  it("is finished once the run may not go on, and nothing else begins", async () => {
    let goes = true;
    const { started, finish, all } = setUp({ count: 9, atOnce: 3, goOn: () => goes });
    await settled();
    goes = false;
    for (const number of [1, 2, 3]) finish(number);
    await all;
    expect(started).toEqual([1, 2, 3]);
  });

  it("is awaited when one of it throws, and the error comes out then", async () => {
    const { started, finish, work, all } = setUp({ count: 9, atOnce: 3 });
    await settled();
    work[2]?.reject(new Error("broken"));
    let ended = false;
    const end = all.catch((error: unknown) => {
      ended = true;
      return error;
    });
    await settled();
    expect(ended).toBe(false);
    finish(1);
    finish(3);
    expect(await end).toEqual(new Error("broken"));
    expect(started).toEqual([1, 2, 3]);
  });

  it("may be none", async () => {
    const { started, all } = setUp({ count: 0, atOnce: 4 });
    await all;
    expect(started).toEqual([]);
  });
});

describe("work in turn", () => {
  it("of one key is done one after the other, of different keys side by side", async () => {
    const inTurn = createTurns();
    const log: string[] = [];
    const [a1, b1] = [deferred(), deferred()];
    const doing = (name: string, until?: Deferred) => async (): Promise<void> => {
      log.push(`${name} begins`);
      await until?.promise;
      log.push(`${name} ends`);
    };
    const all = [
      inTurn("a", doing("a1", a1)),
      inTurn("a", doing("a2")),
      inTurn("b", doing("b1", b1)),
    ];
    await settled();
    expect(log).toEqual(["a1 begins", "b1 begins"]);
    a1.resolve();
    b1.resolve();
    await Promise.all(all);
    expect(log.indexOf("a2 begins")).toBeGreaterThan(log.indexOf("a1 ends"));
  });

  it("goes on after one that failed, whose error is its own", async () => {
    const inTurn = createTurns();
    const failing = inTurn("a", () => Promise.reject(new Error("broken")));
    const next = inTurn("a", () => Promise.resolve("done"));
    await expect(failing).rejects.toThrow("broken");
    await expect(next).resolves.toBe("done");
    await expect(inTurn("a", () => Promise.resolve("again"))).resolves.toBe("again");
  });
});

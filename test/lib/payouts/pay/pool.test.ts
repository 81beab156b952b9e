import { describe, expect, it } from "vitest";
import { createPool, type Pool } from "../../../../lib/payouts/pay/pool.ts";

/** Starts work in the pool; `finish` ends one of those that have begun. */
function setUp(most: number): {
  pool: Pool;
  begun: number[];
  start: (count: number) => void;
  finish: (number: number) => void;
} {
  const pool = createPool({ most });
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  let asked = 0;
  const start = (count: number): void => {
    for (let left = count; left > 0; left--) {
      const number = ++asked;
      pool.start(() => {
        begun.push(number);
        return new Promise((resolve) => ends.set(number, resolve));
      });
    }
  };
  return { pool, begun, start, finish: (number) => ends.get(number)?.() };
}

/** Lets everything that can go on do so. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe("the pool", () => {
  it("never has more under way than its size, and begins in order", async () => {
    const { pool, begun, start, finish } = setUp(2);
    start(4);
    await settled();
    expect(begun).toEqual([1, 2]);
    expect(pool.room).toBe(0);
    finish(2);
    await settled();
    expect(begun).toEqual([1, 2, 3]);
    finish(1);
    finish(3);
    await settled();
    finish(4);
    await pool.allEnded();
    expect(begun).toEqual([1, 2, 3, 4]);
    expect(pool.room).toBe(2);
  });

  it("tells when the next one has ended, and at once when none is under way", async () => {
    const { pool, start, finish } = setUp(2);
    await pool.oneEnded();
    start(2);
    let hasEnded = false;
    const ended = pool.oneEnded().then(() => (hasEnded = true));
    await settled();
    expect(hasEnded).toBe(false);
    finish(1);
    await ended;
    expect(pool.room).toBe(1);
  });

  it("begins with sixteen and grows with each answer, up to the most", () => {
    const pool = createPool({ most: 20 });
    expect(pool.size).toBe(16);
    for (let answer = 0; answer < 9; answer++) pool.grow();
    expect(pool.size).toBe(20);
  });

  it("is sixteen again after a call without an answer; the others wait", async () => {
    const { pool, begun, start, finish } = setUp(100);
    for (let answer = 0; answer < 50; answer++) pool.grow();
    start(16);
    pool.shrink();
    start(3);
    await settled();
    expect(pool.size).toBe(16);
    expect(begun).toHaveLength(16);
    finish(1);
    await settled();
    expect(begun).toHaveLength(17);
  });

  it("never has more than the most, which may be one", () => {
    const pool = createPool({ most: 1 });
    pool.grow();
    expect(pool.size).toBe(1);
  });
});

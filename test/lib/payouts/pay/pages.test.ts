import { describe, expect, it } from "vitest";
import { createPages } from "../../../../lib/payouts/pay/pages.ts";
import type { DueItem } from "../../../../lib/payouts/pay/run.ts";

/** Due payouts whose ids begin with the letter of their person, such as `a1`. */
// eslint-disable-next-line @typescript-eslint/require-await -- pages come from a database elsewhere
async function* due(ids: Iterable<string>): AsyncGenerator<DueItem> {
  for (const id of ids) yield item(id);
}

function item(id: string): DueItem {
  const person = id.slice(0, 1);
  return { id, consultantId: person, taxpayerId: person, organizationId: null, amountPaise: 100n };
}

const idsOf = (page: readonly DueItem[]): string[] => page.map(({ id }) => id);

describe("pages of due payouts", () => {
  it("have as many payouts as there is room for, in their order", async () => {
    const pages = createPages(due(["a1", "b1", "c1"]));
    expect(idsOf(await pages.next(2))).toEqual(["a1", "b1"]);
    expect(pages.isDone).toBe(false);
    expect(idsOf(await pages.next(2))).toEqual(["c1"]);
    expect(pages.isDone).toBe(true);
  });

  it("have one payout of a person, and the next one only after its end", async () => {
    const pages = createPages(due(["a1", "a2", "b1", "a3"]));
    expect(idsOf(await pages.next(9))).toEqual(["a1", "b1"]);
    expect(idsOf(await pages.next(9))).toEqual([]);
    pages.ended(item("a1"));
    expect(idsOf(await pages.next(9))).toEqual(["a2"]);
    expect(pages.isDone).toBe(false);
    pages.ended(item("a2"));
    expect(idsOf(await pages.next(9))).toEqual(["a3"]);
    expect(pages.isDone).toBe(true);
  });

  it("never let a later payout of a person pass an earlier one", async () => {
    const pages = createPages(due(["a1", "b1", "b2", "b3"]));
    expect(idsOf(await pages.next(1))).toEqual(["a1"]);
    expect(idsOf(await pages.next(1))).toEqual(["b1"]);
    pages.ended(item("b1"));
    expect(idsOf(await pages.next(1))).toEqual(["b2"]);
    pages.ended(item("b2"));
    expect(idsOf(await pages.next(1))).toEqual(["b3"]);
  });

  it("do not read all of the database for one person with many payouts", async () => {
    let read = 0;
    function* many(): Generator<string> {
      while (read < 10_000) yield `a${++read}`;
    }
    const pages = createPages(due(many()));
    expect(await pages.next(100)).toHaveLength(1);
    expect(read).toBeLessThan(600);
    for (let left = 9_999; left > 0; left--) {
      pages.ended(item("a1"));
      expect(await pages.next(100)).toHaveLength(1);
    }
    await pages.next(100);
    expect(pages.isDone).toBe(true);
  });

  it("are none where nothing is due", async () => {
    const pages = createPages(due([]));
    expect(await pages.next(5)).toEqual([]);
    expect(pages.isDone).toBe(true);
  });
});

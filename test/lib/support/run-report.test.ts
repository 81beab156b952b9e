import { describe, expect, it } from "vitest";
import {
  itemsTable,
  keptTable,
  noteItem,
  nothingNoted,
  reportCounters,
  WENT_WELL,
  would,
} from "../../../lib/support/run-report.ts";

const counters = reportCounters({
  found: { label: "Found", output: "things_found" },
  sent: { label: would("sent"), outcome: "sent", rank: WENT_WELL },
  dueAgain: { label: "Left", outcome: "due-again", rank: 1 },
  skipped: { label: "Left", output: false, outcome: "skipped", rank: 1 },
  conflicts: { label: { run: "Differ" }, outcome: "conflict" },
  sentPaise: { label: "Left", unit: "paise" },
  hidden: {},
});

interface Item {
  id: string;
  outcome: "sent" | "due-again" | "skipped" | "conflict";
  code: string;
}

function report(dryRun: boolean): ReturnType<typeof counters.empty> {
  const counted = counters.empty(dryRun);
  for (const outcome of ["sent", "due-again", "skipped", "skipped", "conflict"] as const)
    counters.count(counted, outcome);
  counted.sentPaise += 123_456n;
  return counted;
}

describe("counters that are declared once", () => {
  it("are an empty report", () => {
    expect(counters.empty(true)).toEqual({
      dryRun: true,
      found: 0,
      sent: 0,
      dueAgain: 0,
      skipped: 0,
      conflicts: 0,
      sentPaise: 0n,
      hidden: 0,
    });
  });

  it("are step outputs under their names, and amounts are digits", () => {
    expect(counters.outputs(report(false))).toEqual({
      things_found: 0,
      sent: 1,
      due_again: 1,
      conflicts: 1,
      sent_paise: "123456",
      hidden: 0,
    });
  });

  it("are rows of the summary; those with one label share a row, and never with amounts", () => {
    const counts = [
      ["Found", "0"],
      ["sent", "1"],
      ["Left", "3"],
      ["Differ", "1"],
    ];
    const amounts = [["Left", "₹1,234.56"]];
    expect(counters.rows(report(false), "count")).toEqual(counts);
    expect(counters.rows(report(false), "paise")).toEqual(amounts);
    expect(counters.rows(report(false))).toEqual([...counts, ...amounts]);
  });

  it("have other names in a dry run, or no row", () => {
    expect(counters.rows(report(true), "count").map(([label]) => label)).toEqual([
      "Found",
      "Would be sent",
      "Left",
    ]);
  });

  it("read the report of an older version, which lacks a counter", () => {
    const older = { ...report(false), hidden: undefined as unknown as number };
    expect(counters.outputs(older)["hidden"]).toBe("");
  });
});

describe("items of a report", () => {
  it("count with their reason also where they are not kept, unless they went well", () => {
    const kept = nothingNoted<Item>();
    const note = (item: Item): void =>
      noteItem(kept, item, { id: item.id, amountPaise: 5n, rank: counters.rank });
    for (let number = 0; number < 1_001; number++)
      note({ id: `s-${number}`, outcome: "skipped", code: "BUSY" });
    note({ id: "w-1", outcome: "sent", code: "" });
    note({ id: "c-1", outcome: "conflict", code: "AMOUNT" });
    expect(kept.reasons.map(({ code, count, amountPaise }) => [code, count, amountPaise])).toEqual([
      ["BUSY", 1_001, 5_005n],
      ["AMOUNT", 1, 5n],
    ]);
    const table = keptTable("Left", { Thing: "id" }, { report: kept, rank: counters.rank });
    expect(table.rows[0]).toEqual(["c-1"]);
    expect(table.rows).toHaveLength(1_000);
  });

  it("that need no look are in no table, and rows that are left out are counted", () => {
    const kept = nothingNoted<Item>();
    for (const outcome of ["sent", "skipped", "conflict"] as const)
      noteItem(kept, { id: outcome, outcome, code: "" }, { id: outcome, rank: counters.rank });
    const table = keptTable(
      "Left",
      { Thing: "id" },
      { report: kept, rank: counters.rank, total: 5 },
    );
    expect(table.rows).toEqual([["conflict"], ["skipped"]]);
    expect(table.more).toBe(3);
  });

  it("are rows with a cell for each column", () => {
    const columns = {
      Thing: "id",
      Owed: "paise",
      By: "by",
      Twice: ({ id }: { id: string }) => id + id,
    } as const;
    const items = [{ id: "a", paise: 150n, by: null }];
    expect(itemsTable("Things", columns, items, 2)).toEqual({
      title: "Things",
      columns: ["Thing", "Owed", "By", "Twice"],
      rows: [["a", "₹1.50", "", "aa"]],
      more: 2,
    });
  });
});

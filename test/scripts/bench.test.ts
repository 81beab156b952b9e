import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Row } from "../../scripts/dev/bench/figure.ts";
import {
  mostInAnySecond,
  perSecond,
  perSecondOverall,
} from "../../scripts/dev/bench/rate/arrivals.ts";
import { meetsTarget, ratiosOf, spreadOf } from "../../scripts/dev/bench/spread.ts";
import { runScript } from "../support/run-script.ts";

describe("the benchmark", () => {
  it("prints a table, and writes it beside every number of every round", async () => {
    const folder = mkdtempSync(join(tmpdir(), "afterhours-bench-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));

    const { exitCode, stdout, stderr } = await runScript("scripts/dev/bench/main.ts", {
      args: ["tax", "--quick", "--rounds", "2", "--out", folder],
    });

    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain("round 2 of 2");
    expect(stdout).toContain("## Tax engine");
    expect(stdout.trim()).toBe(readFileSync(join(folder, "bench.md"), "utf8").trim());
    const data = JSON.parse(readFileSync(join(folder, "bench.json"), "utf8")) as {
      figures: { name: string; sections: { rows: object[] }[] }[];
    };
    expect(data).toMatchObject({
      quick: true,
      rounds: 2,
      machine: { node: process.versions.node, cores: expect.any(Number) as number },
    });
    expect(data.figures.map(({ name }) => name)).toEqual(["tax"]);
    const number = expect.any(Number) as number;
    for (const row of data.figures[0]?.sections.flatMap(({ rows }) => rows) ?? []) {
      expect(row).toMatchObject({
        measured: { unit: "assessments/s", values: [number, number], median: number },
        against: { values: [number, number] },
        ratio: { low: number, median: number, high: number },
        target: { atLeast: 500_000, met: expect.any(Boolean) as boolean },
      });
    }
  });

  it("is used wrongly with a figure that there is not", async () => {
    const { exitCode, stderr } = await runScript("scripts/dev/bench/main.ts", { args: ["taxes"] });

    expect(exitCode).toBe(2);
    expect(stderr).toContain("expected one of startup");
  });
});

describe("what is made of the numbers", () => {
  const row = (values: number[], beside: number[], target: Row["target"]): Row => ({
    measured: { name: "subject", unit: "ms", values },
    against: { name: "reference", unit: "ms", values: beside },
    ...(target && { target }),
  });

  it("is a median with the middle half of the rounds", () => {
    expect(spreadOf([50, 10, 40, 20, 30])).toEqual({ low: 20, median: 30, high: 40 });
    expect(spreadOf([1, 2])).toEqual({ low: 1.25, median: 1.5, high: 1.75 });
  });

  it("is a ratio of each round, in which a slow moment that met both cancels out", () => {
    const slowSecond = row([20, 200, 20], [10, 100, 10], { of: "ratio", atMost: 2 });
    expect(ratiosOf(slowSecond)).toEqual([2, 2, 2]);
    expect(meetsTarget(slowSecond)).toBe(true);
  });

  it("misses a target that the median does not keep to", () => {
    expect(meetsTarget(row([3, 3, 1], [1, 1, 1], { of: "ratio", atMost: 2 }))).toBe(false);
    expect(meetsTarget(row([3, 3, 1], [1, 1, 1], { of: "value", atLeast: 3 }))).toBe(true);
    expect(meetsTarget(row([3], [1], undefined))).toBeUndefined();
  });

  it("counts the requests of the worst second, wherever that begins", () => {
    expect(mostInAnySecond([0, 900, 950, 1000, 1899, 1900])).toBe(4);
    expect(mostInAnySecond([0, 1000, 2000])).toBe(1);
  });

  it("counts requests a second between those that each begin a second", () => {
    expect(perSecond([0, 10, 1000, 1010, 2000, 2010], 2)).toBe(2);
  });

  it("counts requests a second from the first to the last, idle ends included", () => {
    expect(perSecondOverall([0, 1000, 1100, 1200, 2000])).toBe(2);
  });
});

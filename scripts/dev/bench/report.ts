import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Section, Target } from "./figure.ts";
import type { Machine } from "./machine.ts";
import { meetsTarget, ratiosOf, spreadOf, type Spread } from "./spread.ts";

/** All that was measured, in the order of the figures. */
export interface Results {
  machine: Machine;
  startedAt: Date;
  rounds: number;
  quick: boolean;
  figures: readonly { bench: Bench; sections: readonly Section[] }[];
}

/** Writes `bench.json` and `bench.md`, and returns the text of the second. */
export function writeResults(folder: string, results: Results): string {
  mkdirSync(folder, { recursive: true });
  const markdown = renderResults(results);
  writeFileSync(join(folder, "bench.json"), `${JSON.stringify(toData(results), undefined, 2)}\n`);
  writeFileSync(join(folder, "bench.md"), markdown);
  return markdown;
}

/** For a program: each number of each round, and the results computed from them. */
function toData({ machine, startedAt, rounds, quick, figures }: Results): object {
  return {
    machine,
    startedAt: startedAt.toISOString(),
    rounds,
    quick,
    figures: figures.map(({ bench, sections }) => ({
      name: bench.name,
      title: bench.title,
      sections: sections.map(({ heading, rows }) => ({
        heading,
        rows: rows.map((row) => {
          const { measured, against, target } = row;
          const ratios = ratiosOf(row);
          return {
            measured: { ...measured, ...spreadOf(measured.values) },
            ...(against && { against: { ...against, ...spreadOf(against.values) } }),
            ...(ratios && { ratio: { values: ratios, ...spreadOf(ratios) } }),
            ...(target && { target: { ...target, met: meetsTarget(row) } }),
          };
        }),
      })),
    })),
  };
}

function renderResults({ machine, startedAt, rounds, quick, figures }: Results): string {
  const { processor, cores, memoryMb, system, node, postgres, commit } = machine;
  return [
    "# Benchmarks",
    "",
    `${startedAt.toISOString().slice(0, 10)}, commit ${commit}, ${rounds} rounds. Node ${node}, PostgreSQL ${postgres}, ${system}, ${cores} cores of ${processor}, ${Math.round(memoryMb / 1024)} GB.`,
    "",
    ...(quick ? ["**A quick run, to see that it works: these numbers say nothing.**", ""] : []),
    "Each number is the median of the rounds, with the range in which the middle half of them lies. A ratio is taken in each round between two things that ran right after each other: it tells of the program, a time tells of the machine as well.",
    ...figures.flatMap(({ bench, sections }) => [
      "",
      `## ${bench.title}`,
      ...sections.flatMap(renderSection),
    ]),
    "",
  ].join("\n");
}

function renderSection({ heading, rows }: Section): string[] {
  return [
    "",
    `### ${heading}`,
    "",
    "| What | Measured | Alongside | Ratio | Target |",
    "| --- | ---: | ---: | ---: | --- |",
    ...rows.map((row) => {
      const { measured, against, target } = row;
      const ratios = ratiosOf(row);
      const cells = [
        measured.name,
        `${rangeText(spreadOf(measured.values))} ${measured.unit}`,
        against ? `${rangeText(spreadOf(against.values))} ${against.unit}, ${against.name}` : "",
        ratios ? rangeText(spreadOf(ratios), " x") : "",
        target ? `${targetText(target)}: ${meetsTarget(row) === true ? "met" : "**missed**"}` : "",
      ];
      return `| ${cells.join(" | ")} |`;
    }),
  ];
}

/** The median, and the range of the middle half of the rounds where they differ. */
function rangeText({ low, median, high }: Spread, unit = ""): string {
  const range = [numberText(low), numberText(high)];
  const isOne = range.every((text) => text === numberText(median));
  return `${numberText(median)}${unit}${isOne ? "" : ` (${range.join(" to ")})`}`;
}

function targetText({ of, atMost, atLeast }: Target): string {
  const unit = of === "ratio" ? " x" : "";
  return atMost !== undefined
    ? `at most ${numberText(atMost)}${unit}`
    : `at least ${numberText(atLeast ?? 0)}${unit}`;
}

/** Three digits that count. */
function numberText(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

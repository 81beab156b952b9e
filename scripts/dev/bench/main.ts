import { type Command, InvalidArgumentError } from "commander";
import { systemClock } from "../../../lib/support/clock.ts";
import { benches } from "./benches.ts";
import type { Bench } from "./figure.ts";
import { describeMachine } from "./machine.ts";
import { writeResults, type Results } from "./report.ts";
import { meetsTarget } from "./spread.ts";
import { endedByArguments, EXIT, newCommand } from "../../cli/frame/command-line.ts";

interface Flags {
  rounds: number;
  out: string;
  quick?: true;
}

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const command = createCommand();
  const ended = endedByArguments(command, argv);
  if (ended !== undefined) return ended;
  const [names] = command.processedArgs as [readonly string[]];
  const { rounds, out, quick = false } = command.opts<Flags>();
  const wanted = benches.filter(({ name }) => names.length === 0 || names.includes(name));
  const startedAt = systemClock.now();
  const machine = await describeMachine();
  const figures: Results["figures"][number][] = [];
  for (const bench of wanted) {
    say(bench.title);
    const sections = await bench.run({ rounds, quick, say: (line) => say(`  ${line}`) });
    figures.push({ bench, sections });
    // After each one: an interrupted benchmark keeps its measurements.
    writeResults(out, { machine, startedAt, rounds, quick, figures });
  }
  console.log(writeResults(out, { machine, startedAt, rounds, quick, figures }));
  say(`bench.json and bench.md are in ${out}.`);
  const rows = figures.flatMap(({ sections }) => sections.flatMap((section) => section.rows));
  return quick || rows.every((row) => meetsTarget(row) !== false) ? EXIT.done : EXIT.notDone;
}

function createCommand(): Command {
  return newCommand("bench")
    .description(
      "Measures the jobs beside something that runs alongside, several rounds of each, and prints a table.\n" +
        "docs/performance.md explains each figure and what bounds it.",
    )
    .argument(
      "[names...]",
      `which figures: ${benches.map(nameOf).join(", ")}; default: all`,
      toNames,
    )
    .option("--rounds <n>", "how often each thing is measured", toCount, 7)
    .option("--out <folder>", "where bench.json and bench.md go", ".cache/bench")
    .option("--quick", "small and short, to see that it works; its numbers say nothing")
    .addHelpText(
      "after",
      "\nExit status: 0 every target is met, or it was a quick run; 1 one was missed; 2 used wrongly.",
    )
    .showHelpAfterError();
}

function toNames(name: string, before: readonly string[] | undefined): readonly string[] {
  if (!benches.some((bench) => bench.name === name)) {
    throw new InvalidArgumentError(`expected one of ${benches.map(nameOf).join(", ")}.`);
  }
  return [...(before ?? []), name];
}

function toCount(text: string): number {
  const count = Number(text);
  if (!/^[1-9][0-9]?$/.test(text))
    throw new InvalidArgumentError("expected a number from 1 to 99.");
  return count;
}

function nameOf({ name }: Bench): string {
  return name;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

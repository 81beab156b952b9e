/** Runs one tier of the tests: `npm test`, `npm run test:unit`, `npm run test:deep`. See docs/testing.md. */
import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { filesOf, PARTS, SEEDS, testFiles, TIERS, type Tier } from "./tiers.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** How much of the shared files each tier plays. */
const SAMPLE = { seeds: 8, marketSeeds: 2, steps: 2 };

const HELP = `Usage: npm test [-- FILTER...]
       npm run test:unit [-- FILTER...]
       npm run test:deep [-- [--part N|by-commit] FILTER...]

Runs the tests: all of a tier, or those of its files whose path contains a FILTER.
A FILTER that is the path of a test file runs that file, whatever its tier is.
What begins with a dash goes to Vitest, such as -t NAME.

  test:unit  what needs no server
  test       unit, database, each job as a process; a sample of simulated worlds
             and crashes, chosen by the commit
  test:deep  everything, or one of ${PARTS} parts of what test leaves out

Variables:
  SAMPLE     chooses another sample, or the same one again (printed by each run)

docs/testing.md has the rest.`;

const [tierName = "", ...rest] = process.argv.slice(2);
const tier = TIERS.find((each) => each === tierName);
if (tier === undefined) throw new Error(`${tierName} is no tier`);
if (rest.includes("--help") || rest.includes("-h")) console.log(HELP);
else run(tier, rest);

function run(tier: Tier, words: readonly string[]): void {
  const { part, others } = readPart(words);
  if (part !== undefined && tier !== "deep") misused("--part belongs to test:deep");
  const files = [...new Set([...filesOf(tier, part), ...namedFiles(others)])];
  const env = {
    ...process.env,
    TEST_TIER: tier,
    TEST_FILES: files.map((file) => `test/${file}`).join("\n"),
    ...shareOf(tier, part),
  };
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts"];
  const child = spawn(process.execPath, [...vitest, ...others], {
    cwd: ROOT,
    env,
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  child.on("close", (code) => (process.exitCode = code ?? 1));
}

/** Test files that are named by their path, which are run whatever their tier is. */
function namedFiles(words: readonly string[]): string[] {
  const all = testFiles();
  return words
    .map((word) => relative(join(ROOT, "test"), resolve(ROOT, word)).replaceAll("\\", "/"))
    .filter((file) => all.includes(file));
}

function readPart(words: readonly string[]): { part: number | undefined; others: string[] } {
  const place = words.indexOf("--part");
  if (place < 0) return { part: undefined, others: [...words] };
  const value = words[place + 1] ?? "";
  const part = value === "by-commit" ? (commitNumber() % PARTS) + 1 : Number(value);
  if (!(Number.isInteger(part) && part >= 1 && part <= PARTS)) {
    misused(`--part is ${value || "missing"}; expected 1 to ${PARTS}, or by-commit`);
  }
  return { part, others: words.toSpliced(place, 2) };
}

/** The settings with which shared files play their share, and a line that tells how to play it again. */
function shareOf(tier: Tier, part: number | undefined): Record<string, string> {
  if (tier === "unit") return {};
  if (part !== undefined) {
    console.log(
      `Part ${part} of ${PARTS} of the deep tier; again: npm run test:deep -- --part ${part}`,
    );
    const seeds = quarter(SEEDS.cycle, part);
    const market = quarter(SEEDS.market, part);
    return {
      ...seedSettings(seeds.first, seeds.count, market.first, market.count),
      CRASH_MATRIX: `${part}/${PARTS}`,
    };
  }
  if (tier === "deep") return {};
  const sample = sampleNumber();
  console.log(`Sample ${sample} of simulated worlds and crashes; again: SAMPLE=${sample} npm test`);
  // Beyond the seeds that the deep tier plays.
  const first = 1000 + (sample % 1_000_000) * SAMPLE.seeds;
  return {
    ...seedSettings(first, SAMPLE.seeds, first, SAMPLE.marketSeeds),
    CRASH_MATRIX: `${SAMPLE.steps}@${sample}`,
  };
}

/** What is set already stays: a person may ask for other seeds. */
function seedSettings(
  first: number,
  count: number,
  marketFirst: number,
  marketCount: number,
): Record<string, string> {
  const wanted = {
    SIMULATION_FIRST_SEED: first,
    SIMULATION_SEEDS: count,
    SIMULATION_MARKET_FIRST_SEED: marketFirst,
    SIMULATION_MARKET_SEEDS: marketCount,
  };
  return Object.fromEntries(
    Object.entries(wanted).map(([name, value]) => [name, process.env[name] ?? String(value)]),
  );
}

function quarter(count: number, part: number): { first: number; count: number } {
  const before = Math.floor((count * (part - 1)) / PARTS);
  return { first: before + 1, count: Math.floor((count * part) / PARTS) - before };
}

function sampleNumber(): number {
  const given = process.env["SAMPLE"];
  if (given === undefined || given === "") return commitNumber();
  if (!/^[0-9]{1,7}$/.test(given)) misused(`SAMPLE is ${given}; expected a whole number`);
  return Number(given);
}

/** The commit's hash as a number of at most seven digits; a random one where there is no commit. */
function commitNumber(): number {
  const { stdout } = spawnSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" });
  const hash = stdout.trim();
  return /^[0-9a-f]{8}/.test(hash)
    ? parseInt(hash.slice(0, 8), 16) % 1_000_000
    : randomInt(1_000_000);
}

function misused(problem: string): never {
  console.error(`error: ${problem}\n\n${HELP}`);
  process.exit(2);
}

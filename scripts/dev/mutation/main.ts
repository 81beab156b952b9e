import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Command, InvalidArgumentError } from "commander";
import { drift, type ClaimCheck } from "./claim-check.ts";
import { readClaims, type Mutant } from "./statements.ts";
import type { Fate } from "./verdict.ts";
import { doAll } from "./workers.ts";
import { endedByArguments, EXIT, newCommand } from "../../cli/frame/command-line.ts";

const PAYOUT_CYCLE = fileURLToPath(new URL("payout-cycle.ts", import.meta.url));

interface Flags {
  list?: true;
  only?: string;
  workers: number;
  claims: string;
}

process.exitCode = await main(process.argv);

async function main(argv: string[]): Promise<number> {
  const command = createCommand();
  const ended = endedByArguments(command, argv);
  if (ended !== undefined) return ended;
  const flags = command.opts<Flags>();
  const modulePath = resolve(flags.claims);
  const { claimCheck } = (await import(pathToFileURL(modulePath).href)) as {
    claimCheck: ClaimCheck;
  };
  return await checkClaims(claimCheck, { ...flags, claims: modulePath });
}

function createCommand(): Command {
  return newCommand("mutation:claims")
    .description(
      "Removes each condition from each claiming statement in turn and runs the tests that have to\n" +
        "notice. Nothing is written to the working tree. See docs/testing.md.",
    )
    .option("--list", "only name the conditions")
    .option("--only <text>", "only conditions whose name holds this text")
    .option("--workers <n>", "mutants tried at once", toCount, Math.min(2, availableParallelism()))
    .option("--claims <module>", "what is checked, and with what", PAYOUT_CYCLE)
    .addHelpText(
      "after",
      "\nExit status: 0 a test failed for each condition; 1 one survived, could not be\n" +
        "tried, or the source and the lists differ; 2 used wrongly.",
    );
}

async function checkClaims(check: ClaimCheck, flags: Flags): Promise<number> {
  const { statements, mutants, problems } = readClaims(check.root, check.scope);
  const differences = [...problems, ...drift(check, mutants)];
  for (const difference of differences) console.error(`DRIFT     ${difference}`);
  const wanted = mutants.filter(({ id }) => id.includes(flags.only ?? ""));
  const exempt = wanted.filter(({ id }) => id in check.exempt);
  const tried = wanted.filter(({ id }) => !(id in check.exempt));
  if (flags.list) {
    for (const { id, file, line } of wanted) {
      console.log(`${id in check.exempt ? "exempt " : ""}${id} (${file}:${line})`);
    }
  }
  if (flags.list || differences.length > 0) {
    console.log(`${statements} statements, ${mutants.length} conditions.`);
    return differences.length > 0 ? EXIT.notDone : EXIT.done;
  }
  if (wanted.length === 0) {
    console.error(`No condition has "${flags.only}" in its name; --list shows all.`);
    return EXIT.usage;
  }

  const startedAt = performance.now();
  const count = { killed: 0, survived: 0, invalid: 0 };
  const unfit = await failingTests(check, tried, flags);
  if (unfit.length > 0) {
    for (const line of unfit) console.error(`UNFIT     ${line}`);
    return EXIT.notDone;
  }
  const tasks = tried.map((mutant) => ({ mutant }));
  await doAll(tasks, {
    modulePath: flags.claims,
    workers: flags.workers,
    onFate: ({ mutant }, fate) => {
      count[fate.kind]++;
      report(mutant, fate);
    },
  });
  for (const { id } of exempt) console.log(`exempt    ${id}\n          ${check.exempt[id]}`);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(
    `${statements} statements, ${mutants.length} conditions. ${tried.length} tried in ${seconds} s: ${count.killed} killed, ${count.survived} survived, ${count.invalid} invalid; ${exempt.length} exempt.`,
  );
  return count.survived + count.invalid === 0 ? EXIT.done : EXIT.notDone;
}

/** A test that fails anyway would kill every mutant. */
async function failingTests(
  check: ClaimCheck,
  mutants: readonly Mutant[],
  flags: Flags,
): Promise<string[]> {
  const files = new Set(mutants.flatMap(({ file }) => check.tests[file] ?? []));
  const tasks = [...files].map((testFile) => ({ testFile }));
  const failing: string[] = [];
  await doAll(tasks, {
    modulePath: flags.claims,
    workers: flags.workers,
    onFate: ({ testFile }, fate) => {
      if (fate.kind === "killed") failing.push(`${testFile} fails as it is: ${fate.by}`);
      if (fate.kind === "invalid") failing.push(`${testFile} fails as it is: ${fate.why}`);
    },
  });
  return failing;
}

function report({ id, file, line }: Mutant, fate: Fate): void {
  const where = `${id} (${file}:${line})`;
  switch (fate.kind) {
    case "killed":
      console.log(`killed    ${where}\n          by ${fate.by}`);
      return;
    case "survived":
      console.log(`SURVIVED  ${where}`);
      return;
    case "invalid":
      console.log(`INVALID   ${where}\n          ${fate.why}`);
  }
}

function toCount(text: string): number {
  const count = Number(text);
  if (!/^[1-9]$/.test(text)) throw new InvalidArgumentError("expected a number from 1 to 9.");
  return count;
}

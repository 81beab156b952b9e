/** Makes the files of a new job: `npm run new:job -- <domain>/<task>`. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "prettier";
import { toError } from "../../../lib/support/errors.ts";
import { endedByArguments, EXIT, newCommand } from "../../cli/frame/command-line.ts";
import { filesOf, type NewFile } from "./files.ts";
import { withRow, withWatched } from "./lists.ts";
import { newJob, type NewJob } from "./new-job.ts";
import { readPins } from "./workflow.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

const command = newCommand("new:job")
  .description("Makes the files of a new job, which does nothing yet, and says what is left to do.")
  .argument("<name>", "the job, as domain/task: ops/example")
  .addHelpText("after", "\nExit status: 0 made; 1 not made; 2 used wrongly.");
process.exitCode = endedByArguments(command) ?? (await main(command.args[0] ?? ""));

async function main(name: string): Promise<number> {
  const job = newJob(name);
  const problem =
    job === undefined
      ? "expected domain/task in small letters and dashes, such as ops/example"
      : whatIsInTheWay(job);
  if (job === undefined || problem !== undefined) {
    console.error(`error: ${name}: ${problem ?? ""}. Nothing was changed.`);
    return EXIT.usage;
  }
  const undo: (() => void)[] = [];
  try {
    const made = filesOf(job, readPins(ROOT));
    const changed = [
      { path: "jobs/watched.ts", text: withWatched(read("jobs/watched.ts"), job) },
      { path: "README.md", text: withRow(read("README.md"), job) },
    ];
    const generated = "docs/configuration.md";
    const before = read(generated);
    undo.push(() => writeFileSync(join(ROOT, generated), before));
    for (const file of [...made, ...changed]) undo.push(await write(file));
    // From the declaration, as for every job.
    execFileSync("npm", ["run", "--silent", "docs:generate"], {
      cwd: ROOT,
      stdio: ["ignore", "ignore", "inherit"],
    });
    console.log(told(job, made, [...changed.map(({ path }) => path), generated]));
    return EXIT.done;
  } catch (error) {
    for (const step of undo.reverse()) step();
    console.error(`error: ${toError(error).message}. Nothing was changed.`);
    return EXIT.notDone;
  }
}

/** Why the job can not be made; undefined where it can. */
function whatIsInTheWay(job: NewJob): string | undefined {
  const { domain } = job;
  for (const path of [`jobs/${domain}`, `lib/${domain}`, `test/lib/${domain}`]) {
    if (existsSync(`${join(ROOT, path)}.ts`))
      return `${path}.ts is a file, so ${domain} is no domain`;
    if (existsSync(join(ROOT, path)) && !statSync(join(ROOT, path)).isDirectory())
      return `${path} is a file, so ${domain} is no domain`;
  }
  const there = filesOf(job, { checkout: "", upload: "" }).find(({ path }) =>
    existsSync(join(ROOT, path)),
  );
  return there === undefined ? undefined : `${there.path} exists already`;
}

/** Writes a file as the formatter wants it; returns how to undo that. */
async function write({ path, text }: NewFile): Promise<() => void> {
  const whole = join(ROOT, path);
  const before = existsSync(whole) ? readFileSync(whole, "utf8") : undefined;
  const formatted = await format(text, { filepath: whole, printWidth: 100 });
  const folder = mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, formatted);
  return () => {
    if (before !== undefined) writeFileSync(whole, before);
    else rmSync(folder ?? whole, { recursive: true });
  };
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), "utf8");
}

function told(job: NewJob, made: readonly NewFile[], changed: readonly string[]): string {
  const { name, domain, task, slug } = job;
  return [
    `Made the job ${name}, which does nothing yet.`,
    "",
    ...made.map(({ path }) => `  new      ${path}`),
    ...changed.map((path) => `  changed  ${path}`),
    "",
    "Left to do:",
    `  1. Write the work in lib/${domain}/${task}/${task}.ts, and its tests.`,
    `  2. In jobs/${name}.ts say what it does, when it runs, what it locks and whether it moves money.`,
    `     The same cron, with its time in India, belongs in .github/workflows/${slug}.yml.`,
    `  3. Give it the rights it needs in prisma/roles.sql.`,
    `  4. Say in docs/jobs/${task}.md and in the row of README.md what it does and what it may change.`,
    "  5. Run npm run docs:generate, then see whether declaration, workflow and pages agree:",
    "     npm test -- test/workflows/registry.test.ts test/docs/jobs.test.ts test/docs/configuration.test.ts",
  ].join("\n");
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { jobs } from "../../jobs/registry.ts";
import { parseOptions } from "../../lib/job/options.ts";
import { runScript } from "../support/run-script.ts";
import { inlineCommandsOf, pages, ROOT } from "./commands/blocks.ts";
import { listedFor, scripts } from "./commands/listed.ts";

const commands = pages().flatMap((page) =>
  inlineCommandsOf(page).map((command) => ({ page, command })),
);

it("what a sentence tells a reader to type is there: script, command and flags", async () => {
  expect(commands.length).toBeGreaterThan(30);
  const problems: string[] = [];
  for (const { page, command } of commands) {
    for (const problem of await problemsOf(command))
      problems.push(`${page}: ${command}: ${problem}`);
  }
  expect(problems).toEqual([]);
});

async function problemsOf(command: string): Promise<string[]> {
  const listed = listedFor(command);
  if (listed) return listed.problems(command);
  const words = command
    .replace("<domain>/<job>", "payouts/process-payouts")
    .split(" ")
    .filter((word) => !/^[A-Z_]+=/.test(word));
  if (words[0] === "npm") return problemsOfNpm(words.slice(1));
  if (words[0] === "npx" && words[1] === "tsx") return problemsOfFile(words.slice(2));
  if (words[0] === "node") return problemsOfFile(words.slice(1));
  return [`nobody knows how to check ${words[0] ?? ""}`];
}

async function problemsOfNpm([verb = "", ...rest]: string[]): Promise<string[]> {
  if (["ci", "test", "install"].includes(verb)) return [];
  if (verb === "audit") return rest.join() === "signatures" ? [] : ["it checks signatures alone"];
  if (verb !== "run") return [`npm ${verb} is not known here`];
  const [script = "", ...behind] = rest.filter((word) => word !== "--silent");
  const line = scripts()[script];
  if (line === undefined) return [`package.json has no script ${script}`];
  if (behind[0] !== "--") return behind.length === 0 ? [] : ["flags stand behind --"];
  const [, file] = /node --import tsx (scripts\/\S+\.ts)/.exec(line) ?? [];
  if (file === undefined) return [`${script} starts no script that takes flags`];
  return problemsOfArguments(file, behind.slice(1));
}

async function problemsOfArguments(file: string, given: readonly string[]): Promise<string[]> {
  const [first = ""] = given;
  const main = await help(file, []);
  const isCommand = /^\s*Commands:/m.test(main);
  if (isCommand && !new RegExp(`^  ${first}( |$)`, "m").test(main)) return [`no command ${first}`];
  // What follows the name of a job is the job's.
  const known =
    isCommand && first === "run"
      ? helpOfJob("payouts/process-payouts")
      : isCommand
        ? await help(file, [first])
        : main;
  return unknownFlags(given, known);
}

function problemsOfFile(words: readonly string[]): string[] {
  const file = words.find((word) => /\.(ts|mjs)$/.test(word));
  if (file === undefined) return ["names no file"];
  if (!existsSync(join(ROOT, file))) return [`there is no ${file}`];
  const [, job] = /^jobs\/(.+)\.ts$/.exec(file) ?? [];
  const behind = words.slice(words.indexOf(file) + 1);
  return job === undefined ? [] : unknownFlags(behind, helpOfJob(job));
}

function unknownFlags(given: readonly string[], known: string): string[] {
  return given
    .filter((word) => word.startsWith("--"))
    .map((word) => word.split("=")[0] ?? word)
    .filter((flag) => !new RegExp(`(^|[\\s,])${flag}\\b`, "m").test(known))
    .map((flag) => `no flag ${flag}`);
}

function helpOfJob(name: string): string {
  const job = jobs.find((each) => each.name === name);
  let text = "";
  if (job) parseOptions(job, ["--help"], {}, { stdout: (part) => (text += part) });
  return text;
}

const helps = new Map<string, Promise<string>>();

function help(file: string, command: readonly string[]): Promise<string> {
  const key = [file, ...command].join(" ");
  const known = helps.get(key);
  if (known) return known;
  const asked = runScript(file, { args: [...command, "--help"] }).then(({ stdout }) => stdout);
  helps.set(key, asked);
  return asked;
}

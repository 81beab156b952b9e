import { onTestFinished } from "vitest";
import { blocksOf, commandsOf, isShell, type Block } from "./blocks.ts";
import { fillIn } from "./fill.ts";
import { knownVariables, listedFor } from "./listed.ts";
import { rememberIds, sandboxReady } from "./sandbox-ids.ts";
import { shell, startService, type Service, type ShellEnvironment } from "./shell.ts";
import { openCommandWorld } from "./world.ts";

/** What happened to one command of a page. */
export interface CommandResult {
  /** `docs/mail.md:12: npm run …` */
  at: string;
  /** Empty: it did what the page says. */
  problems: readonly string[];
  /** Of a real run of a job: the names of its step outputs, and the tables that it wrote to. */
  run?: { outputs: readonly string[]; changed: readonly string[] };
}

/** Serves until Ctrl-C. */
const SANDBOX = /^npm run (--silent )?sandbox\b/;
/** A page is a dozen processes or more, each of which takes its time on a busy machine. */
export const PAGE_TIMEOUT_MS = 400_000;

/**
 * Runs every command of a page from top to bottom in one world, those that are listed excepted, which are
 * looked at instead.
 */
export async function runPage(page: string): Promise<CommandResult[]> {
  const blocks = blocksOf(page).filter(isShell);
  if (blocks.length === 0) return [];
  const commands = blocks.flatMap(withCommands);
  const owesTax = commands.some(({ command }) => command.includes(" tds -- deposit"));
  const world = await openCommandWorld({ owesTax });
  const exported = new Map<string, string>();
  const services: Service[] = [];
  onTestFinished(async () => {
    for (const service of services.reverse()) await service.stop();
  });
  const ids = rememberIds();
  const results: CommandResult[] = [];

  for (const { block, command } of commands) {
    const add = (problems: readonly string[]): void =>
      void results.push({ at: `${page}:${block.line}: ${command}`, problems });
    const listed = listedFor(command);
    if (listed) {
      add(listed.problems(command));
      continue;
    }
    const setting = /^export ([A-Z0-9_]+)=(.*)$/.exec(command);
    if (setting) {
      const [, name = "", value = ""] = setting;
      add(knownVariables().has(name) ? [] : [`no job reads ${name}`]);
      // What belongs to this world stays: the reader's own server, keys and account.
      if (world.env[name] === undefined) exported.set(name, value);
      continue;
    }
    const env = { ...Object.fromEntries(exported), ...world.env };
    const typed = ids.fillIn(fillIn(command, world));
    if (SANDBOX.test(command)) {
      services.push(await startService(typed, { env, ready: sandboxReady }));
      await ids.prepare(world.port);
      add([]);
    } else {
      await world.changedTables();
      world.outputs();
      const problems = await problemsOf(typed, env, ids);
      const isRun = /\bjobs\/\S+\.ts\b/.test(command) && !command.includes("--dry-run");
      const run = { outputs: Object.keys(world.outputs()), changed: await world.changedTables() };
      results.push({
        at: `${page}:${block.line}: ${command}`,
        problems,
        ...(isRun ? { run } : {}),
      });
    }
  }
  return results;
}

function withCommands(block: Block): { block: Block; command: string }[] {
  return commandsOf(block).map((command) => ({ block, command }));
}

function isError(answer: string): boolean {
  const parsed: unknown = JSON.parse(answer);
  return typeof parsed === "object" && parsed !== null && "error" in parsed;
}

async function problemsOf(
  typed: string,
  env: ShellEnvironment,
  ids: ReturnType<typeof rememberIds>,
): Promise<string[]> {
  const { exitCode, stdout, stderr } = await shell(typed, env);
  ids.see(stdout);
  const problems: string[] = [];
  const left =
    /(?<![\w'"=/])(ID…?|TEXT|NAME|PAYMENT|USER|CONSULTANT|ADDRESS|RUN|REF|KIND|FILE\.csv)(?!\w)/.exec(
      typed.replace(/'[^']*'/g, ""),
    );
  if (left) problems.push(`nobody fills in ${left[0]}`);
  if (exitCode !== 0) problems.push(`exit code ${String(exitCode)}\n${typed}\n${stdout}${stderr}`);
  // curl ends well whatever it is answered.
  if (typed.startsWith("curl ") && isError(stdout)) problems.push(`${typed}\n${stdout}`);
  return problems;
}

/** Pauses jobs for a while: `npm run maintenance -- <command>`. See docs/operations.md. */
import { InvalidArgumentError } from "commander";
import {
  changePhase,
  readPhase,
  type Maintenance,
  type MaintenanceChange,
  type Phase,
  type Until,
} from "../../lib/ops/maintenance.ts";
import { present } from "../../lib/support/environment.ts";
import { istMinute } from "../../lib/support/calendar.ts";
import { oneLine } from "../../lib/support/one-line.ts";
import { BY, WHY } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand } from "./frame/command.ts";
import { printOne } from "./frame/print.ts";
import { redactor } from "./frame/redactor.ts";
import { until } from "./maintenance/until.ts";

const UNTIL = [
  "--until <time>",
  "automatic end: as 2026-11-25T18:00+05:30, or after a time such as 2h, 90m, 3d",
] as const;

const { program, reading, changing, run } = operatorCommand(
  "maintenance",
  "Shows and changes the maintenance phase, which pauses jobs. Each change is audited.",
);
program.addHelpText("after", EXIT_STATUS);

program
  .command("status")
  .description("the phase that is in force")
  .option("--json", "one JSON object")
  .action(async ({ json }: { json?: boolean }) => {
    const override = present(process.env, "MAINTENANCE_PHASE");
    await reading(async (db) => {
      const phase = await readPhase(db);
      const shown = { ...phase, override: override ?? null };
      printOne(shown, { json, lines: () => [phaseLine(phase)] });
    });
    if (override !== undefined) {
      console.error(`MAINTENANCE_PHASE is ${override} here, and comes before the database.`);
    }
  });

for (const [phase, description] of [
  ["degraded", "pauses what moves money or sends mail"],
  ["offline", "pauses every job"],
] as const) {
  program
    .command(phase)
    .description(description)
    .requiredOption(...WHY)
    .option(...UNTIL, until)
    .option("--replace", "also over another phase that is in force")
    .option(...BY)
    .action(change(phase));
}

program
  .command("off")
  .description("ends the phase that is in force")
  .option(...WHY)
  .option(...BY)
  .action(change("off"));

await run();

interface ChangeOptions {
  reason?: string;
  until?: Until;
  replace?: boolean;
  by?: string;
}

function change(phase: Phase): (options: ChangeOptions) => Promise<void> {
  return async (options) => {
    await changing(options, async (db, { by, reason }) => {
      const { until: end, replace = false } = options;
      const changed = await changePhase(db, { phase, reason, until: end, by, replace });
      if (changed.outcome === "past") {
        throw new InvalidArgumentError("option '--until <time>': expected a time to come.");
      }
      const done = changed.outcome !== "in-force";
      const isEndless =
        changed.outcome === "changed" && phase !== "off" && changed.now.until === null;
      return {
        done,
        line: changeLine(changed),
        ...(isEndless && { note: "It has no end: it stays until `maintenance -- off`." }),
      };
    });
  };
}

function changeLine(changed: Exclude<MaintenanceChange, { outcome: "past" }>): string {
  switch (changed.outcome) {
    case "changed":
      return `changed  ${phaseLine(changed.now)}; before: ${phaseLine(changed.before)}`;
    case "already-off":
      return "off already";
    case "in-force":
      return `not changed  ${phaseLine(changed.now)} is in force; --replace changes it all the same`;
  }
}

function phaseLine({ phase, reason: why, until: end, changedBy }: Maintenance): string {
  const parts = [
    end === null ? phase : `${phase} until ${istMinute(end)} IST`,
    ...(changedBy === null || phase === "off" ? [] : [`by ${changedBy}`]),
    ...(why === null || phase === "off" ? [] : [`(${why})`]),
  ];
  return oneLine(redactor.text(parts.join(" ")));
}

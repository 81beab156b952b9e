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
import { redactor } from "./frame/redactor.ts";
import { until } from "./maintenance/until.ts";
import { operatorName, reason, whoDoesIt } from "./frame/arguments.ts";
import { BY, databaseFor, describeFailure, EXIT, WHY } from "./frame/command.ts";
import { istMinute } from "../../lib/support/calendar.ts";
import { oneLine } from "../../lib/support/one-line.ts";
import { toJsonText } from "./payouts/print.ts";
import { newCommand } from "./frame/command-line.ts";

const withDatabase = databaseFor("afterhours maintenance");

const UNTIL = [
  "--until <time>",
  "automatic end: as 2026-11-25T18:00+05:30, or after a time such as 2h, 90m, 3d",
] as const;

const program = newCommand("maintenance")
  .description(
    "Shows and changes the maintenance phase, which pauses jobs. Each change is audited.",
  )
  .addHelpText("after", "\nExit status: 0 done; 1 something was not done; 2 used wrongly.")
  .exitOverride();

program
  .command("status")
  .description("the phase that is in force")
  .option("--json", "one JSON object")
  .action(async ({ json }: { json?: boolean }) => {
    const override = present(process.env, "MAINTENANCE_PHASE");
    await withDatabase({ readOnly: true }, async (db) => {
      const phase = await readPhase(db);
      if (json) console.log(toJsonText({ ...phase, override: override ?? null }));
      else console.log(phaseLine(phase));
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
    .requiredOption(...WHY, reason)
    .option(...UNTIL, until)
    .option("--replace", "also over another phase that is in force")
    .option(...BY, operatorName)
    .action(change(phase));
}

program
  .command("off")
  .description("ends the phase that is in force")
  .option(...WHY, reason)
  .option(...BY, operatorName)
  .action(change("off"));

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = describeFailure(thrown);
}

interface ChangeOptions {
  reason?: string;
  until?: Until;
  replace?: boolean;
  by?: string;
}

function change(phase: Phase): (options: ChangeOptions) => Promise<void> {
  return async (options) => {
    const by = whoDoesIt(options.by, process.env);
    await withDatabase({ readOnly: false }, async (db) => {
      const changed = await changePhase(db, {
        phase,
        reason: options.reason ?? null,
        until: options.until,
        by,
        replace: options.replace ?? false,
      });
      if (changed.outcome === "past") {
        throw new InvalidArgumentError("option '--until <time>': expected a time to come.");
      }
      console.log(changeLine(changed));
      if (changed.outcome === "in-force") process.exitCode = EXIT.notDone;
      if (changed.outcome === "changed" && phase !== "off" && changed.now.until === null) {
        console.error("It has no end: it stays until `maintenance -- off`.");
      }
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

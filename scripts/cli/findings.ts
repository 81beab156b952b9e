/** Differences that no job may correct: `npm run findings -- <command>`. See docs/findings.md. */
import { InvalidArgumentError } from "commander";
import type { Db } from "../../lib/db/client.ts";
import {
  FINDING_KINDS,
  FINDING_SEVERITIES,
  findFindings,
  listFindings,
  payoutsOf,
  resolveFinding,
  type Finding,
  type FindingKind,
  type FindingSeverity,
} from "../../lib/findings/index.ts";
import { AfterhoursError } from "../../lib/support/errors.ts";
import { BY, CSV_LIST, JSON_LIST, LIMIT, lowerCase, oneOf, reason } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand, unknown } from "./frame/command.ts";
import { printList, printOne, type ListFormat } from "./frame/print.ts";
import {
  FINDING_COLUMNS,
  findingLines,
  resolutionLine,
  showFindingLines,
} from "./findings/print.ts";

const { program, reading, changing, run } = operatorCommand(
  "findings",
  "Looks at findings and resolves them. Each resolution is audited.",
);
program.addHelpText("after", EXIT_STATUS);

program
  .command("list")
  .description("open findings, critical first, last seen first")
  .option("--all", "also those that are resolved")
  .option(
    "--severity <severity>",
    "only these: critical or warning",
    oneOf(FINDING_SEVERITIES, lowerCase),
  )
  .option("--kind <kind>", "only of this kind", oneOf(FINDING_KINDS))
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(
    async (
      options: {
        all?: boolean;
        severity?: FindingSeverity;
        kind?: FindingKind;
        limit: number;
      } & ListFormat,
    ) => {
      await reading(async (db) => {
        const { all = false, severity, kind, limit } = options;
        const { findings, more } = await listFindings(db, { all, severity, kind, limit });
        printList(findings, {
          format: options,
          columns: FINDING_COLUMNS,
          none: "No findings.",
          lines: findingLines,
          more,
          limit,
        });
      });
    },
  );

program
  .command("show")
  .description("everything about one finding")
  .argument("<id>", "the finding's id, or how it begins", findingId)
  .option("--json", "one JSON object")
  .action(async (id: string, options: { json?: boolean }) => {
    await reading(async (db) => {
      const finding = await theOne(db, id);
      const payouts = await payoutsOf(db, finding);
      const lines = (): string[] => showFindingLines(finding, payouts);
      printOne({ ...finding, payouts }, { json: options.json, lines });
    });
  });

program
  .command("resolve")
  .description("closes a finding for good")
  .argument("<id>", "the finding's id, or how it begins", findingId)
  .requiredOption("--reason <text>", "what was found out and done about it", reason)
  .option(...BY)
  .action(async (id: string, options: { by?: string; reason: string }) => {
    await changing(options, async (db, { by, reason: why }) => {
      const finding = await theOne(db, id);
      const resolution = await resolveFinding(db, { findingId: finding.id, by, reason: why });
      const done = resolution.outcome === "resolved";
      return { done, line: resolutionLine(finding, resolution) };
    });
  });

await run();

async function theOne(db: Db, idOrPrefix: string): Promise<Finding> {
  const [finding, another] = await findFindings(db, idOrPrefix);
  if (!finding) throw unknown("finding", idOrPrefix);
  if (another) {
    throw new AfterhoursError("AMBIGUOUS_ID", `several findings begin with ${idOrPrefix}`, {
      remedy: "Give more of the id; `findings list` shows it.",
    });
  }
  return finding;
}

/** Four characters are the least: fewer would be a guess. */
function findingId(text: string): string {
  if (!/^[0-9a-f][0-9a-f-]{3,35}$/i.test(text)) {
    throw new InvalidArgumentError("expected a finding's id, or at least its first 4 characters.");
  }
  return text.toLowerCase();
}

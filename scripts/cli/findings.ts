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
import { findingLines, resolutionLine, showFindingLines } from "./findings/print.ts";
import { listLimit, operatorName, reason, whoDoesIt } from "./frame/arguments.ts";
import { BY, databaseFor, describeFailure, EXIT, unknown } from "./frame/command.ts";
import { toJsonText } from "./payouts/print.ts";
import { newCommand } from "./frame/command-line.ts";

const withDatabase = databaseFor("afterhours findings");

const program = newCommand("findings")
  .description("Looks at findings and resolves them. Each resolution is audited.")
  .addHelpText("after", "\nExit status: 0 done; 1 something was not done; 2 used wrongly.")
  .exitOverride();

program
  .command("list")
  .description("open findings, critical first, last seen first")
  .option("--all", "also those that are resolved")
  .option("--severity <severity>", "only these: critical or warning", severity)
  .option("--kind <kind>", "only of this kind", kind)
  .option("--limit <n>", "at most so many", listLimit, 50)
  .option("--json", "one JSON array")
  .action(
    async (options: {
      all?: boolean;
      severity?: FindingSeverity;
      kind?: string;
      limit: number;
      json?: boolean;
    }) => {
      await withDatabase({ readOnly: true }, async (db) => {
        const { all = false, severity: wanted, kind: ofKind, limit } = options;
        const found = await listFindings(db, { all, severity: wanted, kind: ofKind, limit });
        if (options.json) console.log(toJsonText(found.findings));
        else if (found.findings.length === 0) console.log("No findings.");
        else console.log(findingLines(found.findings).join("\n"));
        if (found.more) console.error(`There are more than ${limit}; use --limit.`);
      });
    },
  );

program
  .command("show")
  .description("everything about one finding")
  .argument("<id>", "the finding's id, or how it begins", findingId)
  .option("--json", "one JSON object")
  .action(async (id: string, options: { json?: boolean }) => {
    await withDatabase({ readOnly: true }, async (db) => {
      const finding = await theOne(db, id);
      const payouts = await payoutsOf(db, finding);
      const page = (): string => showFindingLines(finding, payouts).join("\n");
      console.log(options.json ? toJsonText({ ...finding, payouts }) : page());
    });
  });

program
  .command("resolve")
  .description("closes a finding for good")
  .argument("<id>", "the finding's id, or how it begins", findingId)
  .requiredOption("--reason <text>", "what was found out and done about it", reason)
  .option(...BY, operatorName)
  .action(async (id: string, options: { by?: string; reason: string }) => {
    const by = whoDoesIt(options.by, process.env);
    await withDatabase({ readOnly: false }, async (db) => {
      const finding = await theOne(db, id);
      const resolution = await resolveFinding(db, {
        findingId: finding.id,
        by,
        reason: options.reason,
      });
      console.log(resolutionLine(finding, resolution));
      if (resolution.outcome !== "resolved") process.exitCode = EXIT.notDone;
    });
  });

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = describeFailure(thrown);
}

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

function severity(text: string): FindingSeverity {
  const found = FINDING_SEVERITIES.find((each) => each === text.toLowerCase());
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${FINDING_SEVERITIES.join(", ")}.`);
  }
  return found;
}

/** A kind that is written wrongly would look like nothing to do. */
function kind(text: string): FindingKind {
  const found = FINDING_KINDS.find((each) => each === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${FINDING_KINDS.join(", ")}.`);
  }
  return found;
}

/** Four characters are the least: fewer would be a guess. */
function findingId(text: string): string {
  if (!/^[0-9a-f][0-9a-f-]{3,35}$/i.test(text)) {
    throw new InvalidArgumentError("expected a finding's id, or at least its first 4 characters.");
  }
  return text.toLowerCase();
}

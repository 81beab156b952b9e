/** What finance does to payouts by hand: `npm run payouts -- <command>`. See docs/operating-payouts.md. */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import {
  DatabaseNotMigratedError,
  DatabaseUnreachableError,
  isConnectionError,
  isMissingSchema,
} from "../lib/db/connection.ts";
import { createPrisma, type Db } from "../lib/db/prisma.ts";
import {
  approvePayout,
  findConsultant,
  listPayouts,
  placeHold,
  rejectPayout,
  releaseHold,
  retryPayout,
  showPayout,
  type HoldKind,
  type PayoutChange,
  type PayoutStatus,
} from "../lib/payouts/operate/index.ts";
import { AfterhoursError, errorCode, toError } from "../lib/support/errors.ts";
import { createRedactor } from "../lib/support/redact.ts";
import { requireDatabaseUrl } from "./migrate/database-url.ts";
import {
  holdKind,
  listLimit,
  operatorName,
  payoutId,
  payoutIds,
  payoutStatus,
  reason,
  UsageError,
  whoDoesIt,
} from "./payouts/arguments.ts";
import { changeLine, holdLine, listLines, showLines, toJsonText } from "./payouts/print.ts";

const EXIT = { done: 0, notDone: 1, usage: 2 } as const;

const BY = ["--by <name>", "who does it (default: GITHUB_ACTOR, else USER)"] as const;
const WHY = ["--reason <text>", "why; it is kept in the audit log"] as const;

const program = new Command("payouts")
  .description("Looks at payouts and changes them. Each change is audited.")
  .addHelpText("after", "\nExit status: 0 done; 1 something was not done; 2 used wrongly.")
  .exitOverride();

program
  .command("list")
  .description("payouts, oldest first")
  .option("--status <status>", "only these", payoutStatus)
  .option("--consultant <id>", "only of this consultant: id or external reference")
  .option("--limit <n>", "at most so many", listLimit, 50)
  .option("--json", "one JSON array, amounts in decimal rupees")
  .action(
    async (options: {
      status?: PayoutStatus;
      consultant?: string;
      limit: number;
      json?: boolean;
    }) => {
      await withDatabase({ readOnly: true }, async (db) => {
        const { consultant: name, status, limit } = options;
        const consultant = name === undefined ? undefined : await findConsultant(db, name);
        if (name !== undefined && !consultant) throw unknown("consultant", name);
        const found = await listPayouts(db, { status, consultantId: consultant?.id, limit });
        if (options.json) console.log(toJsonText(found.payouts));
        else if (found.payouts.length === 0) console.log("No payouts.");
        else console.log(listLines(found.payouts).join("\n"));
        if (found.more) console.error(`There are more than ${limit}; use --limit.`);
      });
    },
  );

program
  .command("show")
  .description("everything about one payout: earnings, attempts, tax, audit")
  .argument("<id>", "the payout", payoutId)
  .option("--json", "one JSON object, amounts in decimal rupees")
  .action(async (id: string, options: { json?: boolean }) => {
    await withDatabase({ readOnly: true }, async (db) => {
      const payout = await showPayout(db, id);
      if (!payout) throw unknown("payout", id);
      console.log(options.json ? toJsonText(payout) : showLines(payout).join("\n"));
    });
  });

program
  .command("approve")
  .description("PENDING to APPROVED: the next payout run sends them")
  .argument("<ids...>", "the payouts", payoutIds)
  .option(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (ids: string[], options: { by?: string; reason?: string }) => {
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason ?? null };
    await changeEach("approved", ids, (db, id) => approvePayout(db, { payoutId: id, operator }));
  });

program
  .command("reject")
  .description("PENDING or APPROVED to REJECTED: their earnings wait for the next batch")
  .argument("<ids...>", "the payouts", payoutIds)
  .requiredOption(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (ids: string[], options: { by?: string; reason: string }) => {
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason };
    await changeEach("rejected", ids, (db, id) => rejectPayout(db, { payoutId: id, operator }));
  });

program
  .command("retry")
  .description("FAILED to APPROVED, where the provider said that nothing was paid")
  .argument("<ids...>", "the payouts", payoutIds)
  .option(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (ids: string[], options: { by?: string; reason?: string }) => {
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason ?? null };
    await changeEach("retried", ids, (db, id) => retryPayout(db, { payoutId: id, operator }));
  });

program
  .command("hold")
  .description("keeps a consultant out of new payouts")
  .argument("<consultant>", "id or external reference")
  .requiredOption(
    "--kind <kind>",
    "open_dispute, unverified_account, suspended or manual",
    holdKind,
  )
  .requiredOption(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (consultant: string, options: { kind: HoldKind; reason: string; by?: string }) => {
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason };
    await withDatabase({ readOnly: false }, async (db) => {
      const change = await placeHold(db, { consultant, kind: options.kind, operator });
      console.log(holdLine("held", change));
      if (!change.done) process.exitCode = EXIT.notDone;
    });
  });

program
  .command("release")
  .description("ends a consultant's holds")
  .argument("<consultant>", "id or external reference")
  .option("--kind <kind>", "only the hold of this kind", holdKind)
  .requiredOption(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (consultant: string, options: { kind?: HoldKind; reason: string; by?: string }) => {
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason };
    await withDatabase({ readOnly: false }, async (db) => {
      const change = await releaseHold(db, { consultant, kind: options.kind, operator });
      console.log(holdLine("released", change));
      if (!change.done) process.exitCode = EXIT.notDone;
    });
  });

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = describeFailure(thrown);
}

/** Each payout in a transaction of its own, with its own line; what fails does not stop the others. */
async function changeEach(
  verb: string,
  ids: readonly string[],
  change: (db: Db, id: string) => Promise<PayoutChange>,
): Promise<void> {
  await withDatabase({ readOnly: false }, async (db) => {
    for (const id of ids) {
      let line: string;
      try {
        const result = await change(db, id);
        line = changeLine(verb, result);
        if (!result.done) process.exitCode = EXIT.notDone;
      } catch (error) {
        if (isConnectionError(error) || isMissingSchema(error)) throw error;
        line = `not ${verb}  ${id}  DATABASE_REFUSED: ${briefly(error)}. Nothing was changed.`;
        process.exitCode = EXIT.notDone;
      }
      console.log(line);
    }
  });
}

async function withDatabase(
  { readOnly }: { readOnly: boolean },
  work: (db: Db) => Promise<void>,
): Promise<void> {
  const url = requireDatabaseUrl(process.env);
  const applicationName = "afterhours payouts";
  const db = createPrisma({ url, applicationName, readOnly, connections: 1 });
  try {
    await work(db);
  } catch (error) {
    if (isMissingSchema(error)) throw new DatabaseNotMigratedError(url, error);
    if (isConnectionError(error)) throw new DatabaseUnreachableError(url, error);
    throw error;
  } finally {
    await db.$disconnect();
  }
}

function unknown(what: string, name: string): AfterhoursError {
  return new AfterhoursError(`UNKNOWN_${what.toUpperCase()}`, `there is no ${what} ${name}`);
}

function describeFailure(thrown: unknown): number {
  // A reader that has seen enough, such as `head`, is no fault.
  if (errorCode(thrown) === "EPIPE") return EXIT.done;
  if (thrown instanceof CommanderError && !(thrown instanceof InvalidArgumentError)) {
    return thrown.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
  if (thrown instanceof AfterhoursError) {
    console.error(`error: ${thrown.message}`);
    if (thrown.remedy !== undefined) console.error(thrown.remedy);
    const isUsage = thrown.code === "MISCONFIGURED" || thrown instanceof DatabaseNotMigratedError;
    return isUsage ? EXIT.usage : EXIT.notDone;
  }
  if (thrown instanceof UsageError || thrown instanceof InvalidArgumentError) {
    console.error(`error: ${thrown.message}`);
    return EXIT.usage;
  }
  console.error(`error: ${briefly(thrown)}`);
  return EXIT.notDone;
}

/** The last line is what the database said; those before it quote the query. */
function briefly(thrown: unknown): string {
  const lines = toError(thrown).message.trim().split("\n");
  return createRedactor().text(lines.at(-1) ?? "no message");
}

/** Finance's commands for payouts: `npm run payouts -- <command>`. See docs/operating-payouts.md. */
import type { Db } from "../../lib/db/client.ts";
import { isConnectionError, isMissingSchema, isPermissionDenied } from "../../lib/db/sqlstate.ts";
import { storedFunds } from "../../lib/payouts/state/funds.ts";
import {
  approvePayout,
  findConsultant,
  listPayouts,
  placeHold,
  rejectPayout,
  releaseHold,
  setMailAddress,
  type ReleasedKind,
  retryPayout,
  setOrganizationPayee,
  showPayout,
  type HoldKind,
  type PayoutChange,
  type PayoutStatus,
} from "../../lib/payouts/operate/index.ts";
import type { Paise } from "../../lib/support/money.ts";
import { approveMany, choiceOf, type ApproveOptions } from "./payouts/approve-many.ts";
import {
  day,
  holdKind,
  mailAddress,
  releasedKind,
  listLimit,
  operatorName,
  payoutId,
  payoutIds,
  payoutStatus,
  reason,
  runId,
  rupees,
  shortText,
  whoDoesIt,
} from "./frame/arguments.ts";
import { briefly, BY, databaseFor, describeFailure, EXIT, unknown, WHY } from "./frame/command.ts";
import { requirePolicy } from "./payouts/policy.ts";
import {
  changeLine,
  fundsLines,
  holdLine,
  listLines,
  organizationLine,
  showLines,
  toJsonText,
  totalLine,
} from "./payouts/print.ts";
import { newCommand } from "./frame/command-line.ts";

const withDatabase = databaseFor("afterhours payouts");

const program = newCommand("payouts")
  .description("Looks at payouts and changes them. Each change is audited.")
  .addHelpText("after", "\nExit status: 0 done; 1 something was not done; 2 used wrongly.")
  .exitOverride();

program
  .command("list")
  .description("payouts, oldest first")
  .option("--status <status>", "only these", payoutStatus)
  .option("--consultant <id>", "only of this consultant: id or external reference")
  .option("--batch <run-id>", "only those that this run of create-payout-batch made", runId)
  .option("--created-from <day>", "only those made on this day in India or later", day)
  .option("--created-to <day>", "only those made on this day in India or before", day)
  .option("--min-rupees <amount>", "only those of at least so much", rupees)
  .option("--max-rupees <amount>", "only those of at most so much", rupees)
  .option("--limit <n>", "at most so many", listLimit, 50)
  .option("--json", "one JSON array, amounts in decimal rupees")
  .action(async (options: ListOptions) => {
    await withDatabase({ readOnly: true }, async (db) => {
      const { consultant: name, status, limit } = options;
      const consultant = name === undefined ? undefined : await findConsultant(db, name);
      if (name !== undefined && !consultant) throw unknown("consultant", name);
      const found = await listPayouts(db, {
        status,
        consultantId: consultant?.id,
        batch: options.batch,
        createdFrom: options.createdFrom,
        createdTo: options.createdTo,
        leastPaise: options.minRupees,
        mostPaise: options.maxRupees,
        limit,
      });
      if (options.json) console.log(toJsonText(found.payouts));
      else if (found.payouts.length === 0) console.log("No payouts.");
      else {
        const funds = fundsLines(await storedFunds(db));
        console.log([...listLines(found.payouts), totalLine(found.payouts), ...funds].join("\n"));
      }
      if (found.more) console.error(`There are more than ${limit}; use --limit.`);
    });
  });

interface ListOptions {
  status?: PayoutStatus;
  consultant?: string;
  batch?: string;
  createdFrom?: string;
  createdTo?: string;
  minRupees?: Paise;
  maxRupees?: Paise;
  limit: number;
  json?: boolean;
}

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
  .argument("[ids...]", "the payouts", payoutIds)
  .option("--batch <run-id>", "all that wait of this run of create-payout-batch", runId)
  .option("--all", "all that wait; needs --max-total")
  .option("--file <file>", "those in this file: one payout id or consultant's code on each line")
  .option("--max-total <rupees>", "approve nothing if they are more than this together", rupees)
  .option("--yes", "do not ask; needed where nobody can be asked")
  .option(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (named: string[] | undefined, options: ApproveOptions) => {
    const ids = named ?? [];
    const policy = requirePolicy(process.env);
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason ?? null };
    const choice = await choiceOf(ids, options);
    if (choice === undefined) {
      await changeEach("approved", ids, (db, id) =>
        approvePayout(db, { payoutId: id, operator, policy }),
      );
      return;
    }
    await withDatabase({ readOnly: false }, async (db) => {
      await approveMany(db, choice, {
        options,
        operator,
        policy,
        approveEach: (each, change) => changeEachOn("approved", each, change),
      });
    });
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
  .description(
    "FAILED to APPROVED (an organization's to PENDING), where the provider said that nothing was paid",
  )
  .argument("<ids...>", "the payouts", payoutIds)
  .option(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (ids: string[], options: { by?: string; reason?: string }) => {
    const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason ?? null };
    const policy = requirePolicy(process.env);
    await changeEach("retried", ids, (db, id) =>
      retryPayout(db, { payoutId: id, operator, policy }),
    );
  });

program
  .command("hold")
  .description("keeps a consultant from being paid, also what is due already")
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
  .command("mail-address")
  .description("sets where mail to a payee goes; without an address, takes it away")
  .argument("<consultant>", "id or external reference")
  .argument("[address]", "such as asha@example.com", mailAddress)
  .option(...BY, operatorName)
  .action(async (consultant: string, address: string | undefined, options: { by?: string }) => {
    const by = whoDoesIt(options.by, process.env);
    await withDatabase({ readOnly: false }, async (db) => {
      const change = await setMailAddress(db, { consultant, address: address ?? null, by });
      if (change.done) console.log(`${address === undefined ? "removed" : "set"}  ${change.ref}`);
      else console.log(`not set  ${change.refusal.code}: ${change.refusal.message}`);
      if (!change.done) process.exitCode = EXIT.notDone;
    });
  });

program
  .command("release")
  .description("ends a consultant's holds")
  .argument("<consultant>", "id or external reference")
  .option("--kind <kind>", "only the hold of this kind", releasedKind)
  .requiredOption(...WHY, reason)
  .option(...BY, operatorName)
  .action(
    async (consultant: string, options: { kind?: ReleasedKind; reason: string; by?: string }) => {
      const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason };
      await withDatabase({ readOnly: false }, async (db) => {
        const change = await releaseHold(db, { consultant, kind: options.kind, operator });
        console.log(holdLine("released", change));
        if (!change.done) process.exitCode = EXIT.notDone;
      });
    },
  );

program
  .command("organization")
  .description(
    "makes a consultant the payee of an organization: paid without approval from then on",
  )
  .argument("<consultant>", "id or external reference", shortText)
  .requiredOption("--ref <reference>", "how the marketplace names the organization", shortText)
  .requiredOption("--name <name>", "the organization's name, if it is new here", shortText)
  .option(...WHY, reason)
  .option(...BY, operatorName)
  .action(
    async (
      consultant: string,
      options: { ref: string; name: string; reason?: string; by?: string },
    ) => {
      const { ref: organizationRef, name } = options;
      const operator = { by: whoDoesIt(options.by, process.env), reason: options.reason ?? null };
      await withDatabase({ readOnly: false }, async (db) => {
        const change = await setOrganizationPayee(db, {
          consultant,
          organizationRef,
          name,
          operator,
        });
        console.log(organizationLine(change));
        if (!change.done) process.exitCode = EXIT.notDone;
      });
    },
  );

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = describeFailure(thrown);
}

async function changeEach(
  verb: string,
  ids: readonly string[],
  change: (db: Db, id: string) => Promise<PayoutChange>,
): Promise<void> {
  await withDatabase({ readOnly: false }, async (db) => {
    await changeEachOn(verb, ids, (id) => change(db, id));
  });
}

/** Each payout in a separate transaction, with its own line; a failure does not stop the others. */
async function changeEachOn(
  verb: string,
  ids: readonly string[],
  change: (id: string) => Promise<PayoutChange>,
): Promise<void> {
  for (const id of ids) {
    let line: string;
    try {
      const result = await change(id);
      line = changeLine(verb, result);
      if (!result.done) process.exitCode = EXIT.notDone;
    } catch (error) {
      if (isConnectionError(error) || isMissingSchema(error) || isPermissionDenied(error)) {
        throw error;
      }
      line = `not ${verb}  ${id}  DATABASE_REFUSED: ${briefly(error)}. Nothing was changed.`;
      process.exitCode = EXIT.notDone;
    }
    console.log(line);
  }
}

/** Finance's commands for payouts: `npm run payouts -- <command>`. See docs/operating-payouts.md. */
import { isConnectionError, isMissingSchema, isPermissionDenied } from "../../lib/db/sqlstate.ts";
import { storedFunds } from "../../lib/payouts/state/funds.ts";
import {
  approvePayout,
  findConsultant,
  HOLD_KINDS,
  listPayouts,
  PAYOUT_STATUSES,
  placeHold,
  rejectPayout,
  RELEASED_KINDS,
  releaseHold,
  retryPayout,
  setMailAddress,
  setOrganizationPayee,
  showPayout,
  type HoldKind,
  type PayoutChange,
  type PayoutStatus,
  type ReleasedKind,
} from "../../lib/payouts/operate/index.ts";
import type { Paise } from "../../lib/support/money.ts";
import {
  BY,
  CSV_LIST,
  day,
  idOf,
  JSON_LIST,
  LIMIT,
  month,
  oneOf,
  rupees,
  shortText,
  upperCase,
  WHY,
} from "./frame/arguments.ts";
import {
  briefly,
  EXIT_STATUS,
  operatorCommand,
  tellChange,
  unknown,
  type Changed,
} from "./frame/command.ts";
import { printList, printOne, type ListFormat } from "./frame/print.ts";
import { approveMany, choiceOf, type ApproveOptions } from "./payouts/approve-many.ts";
import { mailAddress, payoutId, payoutIds } from "./payouts/arguments.ts";
import { wantedStatement, writeStatements, type StatementOptions } from "./payouts/statement.ts";
import { requirePolicy } from "./frame/approval-policy.ts";
import {
  changeLine,
  fundsLines,
  holdLine,
  LIST_COLUMNS,
  listLines,
  organizationLine,
  showLines,
  totalLine,
} from "./payouts/print.ts";

const { program, reading, changing, run } = operatorCommand(
  "payouts",
  "Looks at payouts and changes them. Each change is audited.",
);
program.addHelpText("after", EXIT_STATUS);

program
  .command("list")
  .description("payouts, oldest first")
  .option("--status <status>", "only these", oneOf(PAYOUT_STATUSES, upperCase))
  .option("--consultant <id>", "only of this consultant: id or external reference")
  .option("--batch <run-id>", "only those that this run of create-payout-batch made", idOf("run"))
  .option("--created-from <day>", "only those made on this day in India or later", day)
  .option("--created-to <day>", "only those made on this day in India or before", day)
  .option("--min-rupees <amount>", "only those of at least so much", rupees)
  .option("--max-rupees <amount>", "only those of at most so much", rupees)
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(async (options: ListOptions) => {
    await reading(async (db) => {
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
      const { payouts, more } = found;
      const funds = payouts.length > 0 ? fundsLines(await storedFunds(db)) : [];
      printList(payouts, {
        format: options,
        columns: LIST_COLUMNS,
        none: "No payouts.",
        lines: () => [...listLines(payouts), totalLine(payouts), ...funds],
        more,
        limit,
      });
    });
  });

interface ListOptions extends ListFormat {
  status?: PayoutStatus;
  consultant?: string;
  batch?: string;
  createdFrom?: string;
  createdTo?: string;
  minRupees?: Paise;
  maxRupees?: Paise;
  limit: number;
}

program
  .command("show")
  .description("everything about one payout: earnings, attempts, tax, audit")
  .argument("<id>", "the payout", payoutId)
  .option("--json", "one JSON object, amounts in decimal rupees")
  .action(async (id: string, options: { json?: boolean }) => {
    await reading(async (db) => {
      const payout = await showPayout(db, id);
      if (!payout) throw unknown("payout", id);
      printOne(payout, { json: options.json, lines: () => showLines(payout) });
    });
  });

program
  .command("statement")
  .description("a payee's month: earned, refunded, recovered, paid and owed, proven by the ledger")
  .requiredOption("--month <month>", "a month of India, such as 2026-11", month)
  .option("--consultant <id>", "of this payee: id or external reference")
  .option("--all", "of every payee, one file each into the folder of --out")
  .option("--csv", "for a spreadsheet")
  .option("--html", "to print on A4")
  .option("--out <path>", "a file, in place of standard output; with --all a folder")
  .action(async (options: StatementOptions) => {
    const wanted = wantedStatement(options);
    await reading((db) => writeStatements(db, wanted, options));
  });

program
  .command("approve")
  .description("PENDING to APPROVED: the next payout run sends them")
  .argument("[ids...]", "the payouts", payoutIds)
  .option("--batch <run-id>", "all that wait of this run of create-payout-batch", idOf("run"))
  .option("--all", "all that wait; needs --max-total")
  .option("--file <file>", "those in this file: one payout id or consultant's code on each line")
  .option("--max-total <rupees>", "approve nothing if they are more than this together", rupees)
  .option("--yes", "do not ask; needed where nobody can be asked")
  .option(...WHY)
  .option(...BY)
  .action(async (named: string[] | undefined, options: ApproveOptions) => {
    const ids = named ?? [];
    const policy = requirePolicy(process.env);
    const choice = await choiceOf(ids, options);
    await changing(options, async (db, operator) => {
      const approveEach: ChangeEach = (each, change) => changeEach("approved", each, change);
      if (choice === undefined) {
        await approveEach(ids, (id) => approvePayout(db, { payoutId: id, operator, policy }));
      } else {
        await approveMany(db, choice, { options, operator, policy, approveEach });
      }
    });
  });

program
  .command("reject")
  .description("PENDING or APPROVED to REJECTED: their earnings wait for the next batch")
  .argument("<ids...>", "the payouts", payoutIds)
  .requiredOption(...WHY)
  .option(...BY)
  .action(async (ids: string[], options: { by?: string; reason: string }) => {
    await changing(options, (db, operator) =>
      changeEach("rejected", ids, (id) => rejectPayout(db, { payoutId: id, operator })),
    );
  });

program
  .command("retry")
  .description(
    "FAILED to APPROVED (an organization's to PENDING), where the provider said that nothing was paid",
  )
  .argument("<ids...>", "the payouts", payoutIds)
  .option(...WHY)
  .option(...BY)
  .action(async (ids: string[], options: { by?: string; reason?: string }) => {
    const policy = requirePolicy(process.env);
    await changing(options, (db, operator) =>
      changeEach("retried", ids, (id) => retryPayout(db, { payoutId: id, operator, policy })),
    );
  });

program
  .command("hold")
  .description("keeps a consultant from being paid, also what is due already")
  .argument("<consultant>", "id or external reference")
  .requiredOption(
    "--kind <kind>",
    "open_dispute, unverified_account, suspended or manual",
    oneOf(HOLD_KINDS),
  )
  .requiredOption(...WHY)
  .option(...BY)
  .action(async (consultant: string, options: { kind: HoldKind; reason: string; by?: string }) => {
    await changing(options, async (db, operator) => {
      const change = await placeHold(db, { consultant, kind: options.kind, operator });
      return { done: change.done, line: holdLine("held", change) };
    });
  });

program
  .command("mail-address")
  .description("sets where mail to a payee goes; without an address, takes it away")
  .argument("<consultant>", "id or external reference")
  .argument("[address]", "such as asha@example.com", mailAddress)
  .option(...BY)
  .action(async (consultant: string, address: string | undefined, options: { by?: string }) => {
    await changing(options, async (db, { by }) => {
      const change = await setMailAddress(db, { consultant, address: address ?? null, by });
      return {
        done: change.done,
        line: change.done
          ? `${address === undefined ? "removed" : "set"}  ${change.ref}`
          : `not set  ${change.refusal.code}: ${change.refusal.message}`,
      };
    });
  });

program
  .command("release")
  .description("ends a consultant's holds")
  .argument("<consultant>", "id or external reference")
  .option("--kind <kind>", "only the hold of this kind", oneOf(RELEASED_KINDS))
  .requiredOption(...WHY)
  .option(...BY)
  .action(
    async (consultant: string, options: { kind?: ReleasedKind; reason: string; by?: string }) => {
      await changing(options, async (db, operator) => {
        const change = await releaseHold(db, { consultant, kind: options.kind, operator });
        return { done: change.done, line: holdLine("released", change) };
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
  .option(...WHY)
  .option(...BY)
  .action(
    async (
      consultant: string,
      options: { ref: string; name: string; reason?: string; by?: string },
    ) => {
      const { ref: organizationRef, name } = options;
      await changing(options, async (db, operator) => {
        const wanted = { consultant, organizationRef, name, operator };
        const change = await setOrganizationPayee(db, wanted);
        return { done: change.done, line: organizationLine(change) };
      });
    },
  );

await run();

type ChangeEach = (
  ids: readonly string[],
  change: (id: string) => Promise<PayoutChange>,
) => Promise<void>;

/** Each payout in a separate transaction, with its own line; a failure does not stop the others. */
async function changeEach(
  verb: string,
  ids: readonly string[],
  change: (id: string) => Promise<PayoutChange>,
): Promise<void> {
  for (const id of ids) tellChange(await changeOne(verb, id, change));
}

async function changeOne(
  verb: string,
  id: string,
  change: (id: string) => Promise<PayoutChange>,
): Promise<Changed> {
  try {
    const result = await change(id);
    return { done: result.done, line: changeLine(verb, result) };
  } catch (error) {
    if (isConnectionError(error) || isMissingSchema(error) || isPermissionDenied(error)) {
      throw error;
    }
    const line = `not ${verb}  ${id}  DATABASE_REFUSED: ${briefly(error)}. Nothing was changed.`;
    return { done: false, line };
  }
}

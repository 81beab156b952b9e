/** Finance's lists of money that stays here: `npm run earnings -- <command>`. See docs/operating-payouts.md. */
import { InvalidArgumentError } from "commander";
import {
  listDebts,
  listWaiting,
  type OpenDebt,
  type WaitingMoney,
} from "../../lib/earnings/waiting.ts";
import { textTable } from "../../lib/support/text-table.ts";
import { CSV_LIST, JSON_LIST, LIMIT } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand } from "./frame/command.ts";
import { money, printList, type Columns, type ListFormat } from "./frame/print.ts";

const { program, reading, run } = operatorCommand(
  "earnings",
  "Lists what waits for a payout and what consultants owe, oldest first. It changes nothing.",
);
program.addHelpText("after", EXIT_STATUS);

const OLDER = ["--older-than <days>", "only what is older than so many days", days] as const;

const WAITING_COLUMNS: Columns<WaitingMoney> = {
  consultant: true,
  currency: true,
  earnings: true,
  amountPaise: true,
  since: true,
  days: true,
  holds: true,
  hasAccount: true,
  owedPaise: true,
};

const DEBT_COLUMNS: Columns<OpenDebt> = {
  consultant: true,
  bookingReference: true,
  currency: true,
  amountPaise: true,
  recoveredPaise: true,
  owedPaise: true,
  since: true,
  days: true,
};

interface ListOptions extends ListFormat {
  olderThan?: number;
  limit: number;
}

program
  .command("waiting")
  .description("consultants with money in no payout: too small, on hold, without an account")
  .option(...OLDER)
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(async ({ olderThan: olderThanDays = -1, limit, ...format }: ListOptions) => {
    await reading(async (db) => {
      const { waiting, more } = await listWaiting(db, { olderThanDays, limit });
      printList(waiting, {
        format,
        columns: WAITING_COLUMNS,
        none: "Nothing waits.",
        lines: waitingLines,
        more,
        limit,
      });
    });
  });

program
  .command("debts")
  .description("what consultants owe for refunded sales")
  .option(...OLDER)
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(async ({ olderThan: olderThanDays = -1, limit, ...format }: ListOptions) => {
    await reading(async (db) => {
      const { debts, more } = await listDebts(db, { olderThanDays, limit });
      printList(debts, {
        format,
        columns: DEBT_COLUMNS,
        none: "Nobody owes anything.",
        lines: debtLines,
        more,
        limit,
      });
    });
  });

await run();

function days(text: string): number {
  if (!/^[0-9]{1,4}$/.test(text)) {
    throw new InvalidArgumentError("expected a whole number of days from 0 to 9999.");
  }
  return Number(text);
}

function waitingLines(waiting: readonly WaitingMoney[]): string[] {
  return textTable(
    ["Consultant", "Waits", "Sales", "Since", "Days", "Owed", "Remark"],
    waiting.map((each) => [
      each.consultant,
      money(each.amountPaise, each.currency),
      String(each.earnings),
      each.since,
      String(each.days),
      money(each.owedPaise, each.currency),
      remarkOf(each),
    ]),
  );
}

function remarkOf({ holds, hasAccount }: WaitingMoney): string {
  return [...(hasAccount ? [] : ["no account"]), ...holds.map((kind) => `on hold: ${kind}`)].join(
    ", ",
  );
}

function debtLines(debts: readonly OpenDebt[]): string[] {
  return textTable(
    ["Consultant", "Booking", "Owes", "Of", "Since", "Days"],
    debts.map(({ consultant, bookingReference, currency, owedPaise, amountPaise, since, days }) => [
      consultant,
      bookingReference,
      money(owedPaise, currency),
      money(amountPaise, currency),
      since,
      String(days),
    ]),
  );
}

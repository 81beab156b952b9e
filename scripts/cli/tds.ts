/** Finance command: `npm run --silent tds -- <command>`. Exit status 2 means that it was used wrongly. */
import { defaultTaxPolicy } from "../../lib/tds/index.ts";
import type { Quarter } from "../../lib/tax-returns/index.ts";
import { BY, month, shortText } from "./frame/arguments.ts";
import { EXIT } from "./frame/command-line.ts";
import { operatorCommand } from "./frame/command.ts";
import { amount, day, format, quarter, taxSettingsOf } from "./tds/arguments.ts";
import { assessLines } from "./tds/assess-lines.ts";
import { addPaperCommands } from "./tds/paper-commands.ts";
import type { Format } from "./tds/print-register.ts";
import { printChallans, printRegister, recordOneDeposit } from "./tds/returns.ts";

const ASSESS_HELP = `
Each line of standard input is one credit, as a JSON object. Amounts are whole paise, as integers or
decimal strings; days are YYYY-MM-DD.

  creditedOn, paidOn?            the earlier of the two fixes rate and financial year
  payeeCategory                  individual, huf, company, firm or other
  resident                       true or false
  panStatus                      valid, missing or inoperative
  panRelief?                     { from, to }: days on which an inoperative PAN counts as valid
  aadhaar                        true or false; true for an individual alone, and of use without a PAN alone
  grossPaise                     without GST, before the platform's fee
  yearGrossBeforePaise           gross of the payee's earlier credits of the year
  yearTaxBeforePaise             tax withheld from them
  yearCreditsBefore?             the same credits by day: [{ creditedOn, grossPaise }]
  certificate?                   { rateBps, from, to, ceilingPaise, usedPaise }
  paymentPaise?                  the money in hand; default: the gross
  carriedForwardBeforePaise?     tax assessed earlier that did not fit
  crossingPolicy?                whole-year (default) or excess-only
  rounding?                      rupee-half-up (default), paisa-half-up or paisa-floor

Each line of output answers one: { taxPaise, rateBps, section, reason, carriedForwardPaise }, or
{ error: { code, field, message } }.

Exit status: 0 every line was answered; 2 the input was not JSON lines (what came before was answered).
The rules and their sources are in docs/tax.md.`;

const tds = operatorCommand("tds", "Tax deducted at source from payments to consultants.");
const { program, reading, changing, run } = tds;
program.showHelpAfterError("(--help shows what is accepted)");

program
  .command("assess")
  .description(
    "Read credits from standard input, one JSON object per line, and write the tax on each.",
  )
  .option(
    "--no-aadhaar-2025",
    "from 1 April 2026, tax payees with an Aadhaar alone like payees without PAN",
  )
  .addHelpText("after", ASSESS_HELP)
  .action(async (options: { aadhaar2025: boolean }) => {
    const aadhaarSuffices = {
      ...defaultTaxPolicy.aadhaarSuffices,
      act2025: options.aadhaar2025,
    };
    const { problem } = await assessLines(
      { input: process.stdin, output: process.stdout },
      { ...defaultTaxPolicy, aadhaarSuffices },
    );
    if (problem === undefined) return;
    process.stderr.write(`tds assess: ${problem}\n`);
    process.exitCode = EXIT.usage;
  });

const FORMAT = [
  "--format <format>",
  "csv or table (default: table on a terminal)",
  format,
] as const;

program
  .command("register")
  .description("The deductee register of a quarter: each credit with the tax withheld from it.")
  .requiredOption("--quarter <quarter>", "such as 2026Q2: July to September 2026", quarter)
  .option("--unmask", "print whole PANs; keep the output accordingly")
  .option("--all", "also what was withheld and taken back again, as lines of their own")
  .option(...FORMAT)
  .addHelpText(
    "after",
    `
Quarters are those of the tax year: 2026Q1 is April to June 2026, 2026Q4 January to March 2027.
Credits that are not paid yet are lines with status accrued: their tax is due by the same day.
Exit status: 0 the register agrees with the ledger; 1 it does not, or something failed; 2 used wrongly.`,
  )
  .action(
    async (options: { quarter: Quarter; unmask?: boolean; all?: boolean; format?: Format }) => {
      const settings = taxSettingsOf(process.env);
      await reading(async (db) => {
        const { unmask = false, all = false } = options;
        const agrees = await printRegister(db, options.quarter, {
          unmask,
          all,
          settings,
          format: options.format ?? defaultFormat(),
        });
        if (!agrees) process.exitCode = EXIT.notDone;
      });
    },
  );

program
  .command("challans")
  .description("What is to be deposited by when, for each month, section and payment code.")
  .option("--all", "also what is deposited already")
  .option(...FORMAT)
  .addHelpText(
    "after",
    "\nAccrued is the tax on credits that are not paid yet: it is due by the same day as what is withheld.",
  )
  .action(async (options: { all?: boolean; format?: Format }) => {
    const settings = taxSettingsOf(process.env);
    await reading(async (db) => {
      const { all = false } = options;
      await printChallans(db, { all, settings, format: options.format ?? defaultFormat() });
    });
  });

program
  .command("deposit")
  .description(
    "Records tax that was deposited, and books it. The same challan again changes nothing.",
  )
  .requiredOption("--month <month>", "of the credits, such as 2026-07", month)
  .requiredOption("--section <section>", "as `challans` prints it", shortText)
  .requiredOption("--code <code>", "as `challans` prints it", shortText)
  .requiredOption("--amount <rupees>", "such as 1234.00", amount)
  .requiredOption("--challan <reference>", "BSR code, date and serial number", shortText)
  .requiredOption("--on <day>", "when it was deposited, such as 2026-08-05", day)
  .option(...BY)
  .action(
    async (options: {
      month: string;
      section: string;
      code: string;
      amount: bigint;
      challan: string;
      on: string;
      by?: string;
    }) => {
      const settings = taxSettingsOf(process.env);
      await changing(options, async (db, { by: recordedBy }) => {
        const deposit = {
          month: options.month,
          section: options.section,
          code: options.code,
          amountPaise: options.amount,
          challanReference: options.challan,
          depositedOn: options.on,
          recordedBy,
        };
        return await recordOneDeposit(db, deposit, settings);
      });
    },
  );

addPaperCommands(tds);

function defaultFormat(): Format {
  return process.stdout.isTTY ? "table" : "csv";
}

await run();

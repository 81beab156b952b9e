/** Finance command: `npm run --silent tds -- <command>`. Exit status 2 means that it was used wrongly. */
import { Command, CommanderError } from "commander";
import { errorCode } from "../lib/support/errors.ts";
import { defaultTaxPolicy } from "../lib/tds/index.ts";
import { assessLines } from "./tds/assess-lines.ts";

const USAGE_ERROR = 2;

const ASSESS_HELP = `
Each line of standard input is one credit, as a JSON object. Amounts are whole paise, as integers or
decimal strings; days are YYYY-MM-DD.

  creditedOn, paidOn?            the earlier of the two fixes rate and financial year
  payeeCategory                  individual, huf, company, firm or other
  resident, aadhaar              true or false
  panStatus                      valid, missing or inoperative
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

const program = new Command("tds")
  .description("Tax deducted at source from payments to consultants.")
  .showHelpAfterError("(--help shows what is accepted)")
  .exitOverride();

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
    process.exitCode = USAGE_ERROR;
  });

try {
  await program.parseAsync();
} catch (thrown) {
  // A reader that has seen enough, such as `head`, is no fault.
  if (errorCode(thrown) === "EPIPE") process.exit();
  if (!(thrown instanceof CommanderError)) throw thrown;
  process.exitCode = thrown.exitCode === 0 ? 0 : USAGE_ERROR;
}

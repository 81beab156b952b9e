import type { Command } from "commander";
import { formatRupees, type Paise } from "../../../lib/support/money.ts";
import {
  addCertificate,
  addRelief,
  endCertificate,
  endRelief,
  listCertificates,
  listLikely,
  listRelief,
  markLikely,
  readHigherRateTaken,
  type ListedCertificate,
} from "../../../lib/tds/papers/index.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { BY, CSV_LIST, JSON_LIST, shortText, WHY } from "../frame/arguments.ts";
import type { Changed, OperatorCommand } from "../frame/command.ts";
import { printList, type Columns, type ListFormat } from "../frame/print.ts";
import { amount, certificateNumber, day, rate, taxSettingsOf } from "./arguments.ts";
import { describeHigherRate, higherRateLines } from "./print-higher-rate.ts";

const PAYEE = ["--payee <payee>", "the marketplace's code, or the id", shortText] as const;

interface Given {
  payee: string;
  by?: string;
  reason?: string;
}

/** `tds relief`, `tds certificate` and `tds likely`: the papers of a payee that change the tax. All are audited. */
export function addPaperCommands(tds: OperatorCommand): void {
  const { program } = tds;
  addReliefCommands(
    tds,
    program
      .command("relief")
      .description("Days on which an inoperative PAN counts as valid, by a circular."),
  );
  addCertificateCommands(
    tds,
    program.command("certificate").description("Certificates for deduction at a lower rate."),
  );
  addLikelyCommands(
    tds,
    program
      .command("likely")
      .description("Payees whose year is likely to exceed the threshold of the exemption."),
  );
}

const RELIEF_HELP = `
The circulars, and the days to give (docs/tax.md has their sources):
  to 31 March 2024              if the PAN was operative by 31 May 2024
  1 April 2024 to 31 July 2025  if it was operative by 30 September 2025
  from 1 August 2025            for each month, if it is operative within two months after the month's end

Relief changes the tax of credits that are assessed from now on. Tax that was taken at 5% before stays taken:
\`tds relief list\` shows it with its amount.`;

function addReliefCommands(tds: OperatorCommand, relief: Command): void {
  relief
    .command("add")
    .description("records the days of a payee; the same days again change nothing")
    .requiredOption(...PAYEE)
    .requiredOption("--from <day>", "the first day", day)
    .requiredOption("--to <day>", "the last day", day)
    .option(...WHY)
    .option(...BY)
    .addHelpText("after", RELIEF_HELP)
    .action(async (options: Given & { from: string; to: string }) => {
      const { tax } = taxSettingsOf(process.env);
      await tds.changing(options, async (db, operator) => {
        const { payee, from, to } = options;
        const { outcome, payeeRef } = await addRelief(db, { payee, from, to, operator });
        const { done, line } = told(outcome, `relief of ${payeeRef} from ${from} to ${to}`);
        const taken = await readHigherRateTaken(db, tax);
        const own = taken.filter((each) => each.payeeRef === payeeRef);
        const lines = own.length > 0 ? higherRateLines(own) : [];
        return { done, line: [line, ...lines].join("\n") };
      });
    });
  relief
    .command("end")
    .description("lets the days end earlier; a day before the first takes them away")
    .requiredOption(...PAYEE)
    .requiredOption("--on <day>", "the last day of relief", day)
    .option(...WHY)
    .option(...BY)
    .action(async (options: Given & { on: string }) => {
      await tds.changing(options, async (db, operator) => {
        const { payee, on } = options;
        const { outcome, payeeRef, after } = await endRelief(db, { payee, on, operator });
        return told(
          outcome,
          after === null ? `no relief of ${payeeRef}` : `relief of ${payeeRef} to ${after.to}`,
        );
      });
    });
  relief
    .command("list")
    .description(
      "payees with relief or an inoperative PAN, and 5% that was taken although the PAN counts now",
    )
    .addOption(JSON_LIST)
    .addOption(CSV_LIST)
    .action(async (format: ListFormat) => {
      const { tax } = taxSettingsOf(process.env);
      await tds.reading(async (db) => {
        printList(await listRelief(db), {
          format,
          columns: { payeeRef: true, payeeName: true, panStatus: true, from: true, to: true },
          none: "No payee has relief or an inoperative PAN.",
          lines: (payees) =>
            textTable(
              ["Payee", "Name", "PAN", "Relief from", "to"],
              payees.map(({ payeeRef, payeeName, panStatus, from, to }) => [
                payeeRef,
                payeeName,
                panStatus,
                from ?? "none",
                to ?? "",
              ]),
            ),
        });
        const taken = await readHigherRateTaken(db, tax);
        if (taken.length === 0) return;
        const note = ["", ...higherRateLines(taken), describeHigherRate(taken)].join("\n");
        // Beside rows for a program it is a note for the person.
        if (format.json || format.csv) console.error(note);
        else console.log(note);
      });
    });
}

function addCertificateCommands(tds: OperatorCommand, certificate: Command): void {
  certificate
    .command("add")
    .description("records a certificate; the same one again changes nothing")
    .requiredOption(...PAYEE)
    .requiredOption("--number <number>", "as on the certificate", certificateNumber)
    .requiredOption("--rate <percent>", "such as 0.05; 0 for none", rate)
    .requiredOption("--from <day>", "the first day on which it is valid", day)
    .requiredOption("--to <day>", "the last day", day)
    .requiredOption("--ceiling <rupees>", "gross up to which it is valid", amount)
    .option("--beside", "it is valid beside another one of the payee, which is used up first")
    .option(...WHY)
    .option(...BY)
    .addHelpText(
      "after",
      `
A certificate (section 197; from April 2026 section 395) lowers the tax of credits that are assessed from now on,
within its days and its ceiling, and only beside a valid PAN.`,
    )
    .action(
      async (
        options: Given & {
          number: string;
          rate: number;
          from: string;
          to: string;
          ceiling: Paise;
          beside?: boolean;
        },
      ) => {
        await tds.changing(options, async (db, operator) => {
          const { payee, number, from, to, beside = false } = options;
          const change = await addCertificate(db, {
            payee,
            certificate: { number, from, to, rateBps: options.rate, ceilingPaise: options.ceiling },
            beside,
            operator,
          });
          const changed = told(
            change.outcome,
            `certificate ${number} of ${change.payeeRef}: ${options.rate / 100}% from ${from} to ${to} on up to ${formatRupees(options.ceiling)}`,
          );
          const note =
            "The payee's PAN is inoperative: outside its days of relief the certificate changes nothing.";
          return change.panDoesNotCount ? { ...changed, note } : changed;
        });
      },
    );
  certificate
    .command("end")
    .description("lets a certificate end earlier, as when it is cancelled")
    .requiredOption(...PAYEE)
    .requiredOption("--number <number>", "as on the certificate", certificateNumber)
    .requiredOption("--on <day>", "the last day on which it is valid", day)
    .option(...WHY)
    .option(...BY)
    .action(async (options: Given & { number: string; on: string }) => {
      await tds.changing(options, async (db, operator) => {
        const { payee, number, on } = options;
        const change = await endCertificate(db, { payee, number, on, operator });
        return told(change.outcome, `certificate ${number} of ${change.payeeRef} ends on ${on}`);
      });
    });
  certificate
    .command("list")
    .description("every certificate with its days, its ceiling and what is left of it")
    .addOption(JSON_LIST)
    .addOption(CSV_LIST)
    .action(async (format: ListFormat) => {
      await tds.reading(async (db) => {
        printList(await listCertificates(db), {
          format,
          columns: CERTIFICATE_COLUMNS,
          none: "No certificates.",
          lines: (certificates) =>
            textTable(
              ["Payee", "Name", "Number", "Rate", "From", "To", "Ceiling", "Used", "Left"],
              certificates.map((each) => [
                each.payeeRef,
                each.payeeName,
                each.number,
                `${each.rateBps / 100}%`,
                each.from,
                each.to,
                formatRupees(each.ceilingPaise),
                formatRupees(each.usedPaise),
                formatRupees(leftOf(each)),
              ]),
            ),
        });
      });
    });
}

const CERTIFICATE_COLUMNS: Columns<ListedCertificate> = {
  payeeRef: true,
  payeeName: true,
  number: true,
  rateBps: true,
  from: true,
  to: true,
  ceilingPaise: true,
  usedPaise: true,
};

function leftOf({ ceilingPaise, usedPaise }: { ceilingPaise: Paise; usedPaise: Paise }): Paise {
  return usedPaise < ceilingPaise ? ceilingPaise - usedPaise : 0n;
}

function addLikelyCommands(tds: OperatorCommand, likely: Command): void {
  const marks = [
    ["add", true, "taxes a payee from the first rupee from now on"],
    ["end", false, "takes the mark away: taxed at the crossing like everybody else"],
  ] as const;
  for (const [name, isLikely, description] of marks) {
    likely
      .command(name)
      .description(description)
      .requiredOption(...PAYEE)
      .option(...WHY)
      .option(...BY)
      .action(async (options: Given) => {
        await tds.changing(options, async (db, operator) => {
          const { payee } = options;
          const { outcome, payeeRef } = await markLikely(db, { payee, isLikely, operator });
          return told(
            outcome,
            `${payeeRef} is ${isLikely ? "" : "not "}marked as likely to exceed`,
          );
        });
      });
  }
  likely
    .command("list")
    .description("the payees who are marked")
    .addOption(JSON_LIST)
    .addOption(CSV_LIST)
    .action(async (format: ListFormat) => {
      await tds.reading(async (db) => {
        printList(await listLikely(db), {
          format,
          columns: { payeeRef: true, payeeName: true },
          none: "No payees.",
          lines: (payees) =>
            textTable(
              ["Payee", "Name"],
              payees.map(({ payeeRef, payeeName }) => [payeeRef, payeeName]),
            ),
        });
      });
    });
}

/** The same again is no failure. */
function told(outcome: "changed" | "known", fact: string): Changed {
  const said = outcome === "changed" ? "Recorded" : "Known, nothing was changed";
  return { done: true, line: `${said}: ${fact}.` };
}

import type { Db } from "../../../lib/db/client.ts";
import { formatRupees, sumPaise, type Paise } from "../../../lib/support/money.ts";
import type { TaxSettings } from "../../../lib/tds/settings.ts";
import { readHigherRateTaken } from "../../../lib/tds/papers/index.ts";
import {
  accruedLines,
  parseChallan,
  proveRegister,
  readChallans,
  readDepositsOf,
  recordDeposit,
  withheldLines,
  type Deposit,
  type Quarter,
  type RegisterLine,
  type RegisterProof,
  type Unassessed,
} from "../../../lib/tax-returns/index.ts";
import type { Changed } from "../frame/command.ts";
import {
  challanCsv,
  challanTable,
  registerCsv,
  registerCsvHeader,
  registerTable,
  type Format,
} from "./print-register.ts";

const CHUNK = 1_000;

interface Totals {
  lines: number;
  grossPaise: Paise;
  taxPaise: Paise;
}

export interface RegisterOptions {
  unmask: boolean;
  format: Format;
  /** Also tax that was withheld and taken back. */
  all: boolean;
  settings: TaxSettings;
}

/** Prints the register to standard output, and notes to standard error. Returns whether the books agree. */
export async function printRegister(
  db: Db,
  quarter: Quarter,
  { unmask, format, all, settings }: RegisterOptions,
): Promise<boolean> {
  const print = { unmask, challansOf: await readDepositsOf(db, quarter) };
  const totals = { withheld: new Map<string, Totals>(), accrued: new Map<string, Totals>() };
  const kept: RegisterLine[] = [];
  const take = (line: RegisterLine): void => {
    count(totals[line.status], `section ${line.section}, code ${line.code}`, line);
    kept.push(line);
    // A table needs the widest cell of each column, CSV nothing but the line.
    if (format === "csv" && kept.length === CHUNK)
      process.stdout.write(registerCsv(kept.splice(0), print));
  };
  if (format === "csv") process.stdout.write(registerCsvHeader(print));
  for await (const line of withheldLines(db, quarter, { all })) take(line);
  for (const line of await accruedLines(db, quarter, settings)) take(line);
  if (format === "csv") process.stdout.write(registerCsv(kept, print));
  else process.stdout.write(`${registerTable(kept, print).join("\n")}\n`);

  console.error(`${quarter.label}: credits from ${quarter.from} to ${quarter.to}`);
  for (const [name, each] of totals.withheld) console.error(`  ${name}: ${describe(each)}`);
  console.error(`  together: ${describe(sum(totals.withheld.values()))}`);
  const accrued = sum(totals.accrued.values());
  if (accrued.lines > 0) {
    console.error(
      `  accrued: ${describe(accrued)}; these credits are not paid yet, and their tax is due all the same`,
    );
  }
  const higher = await readHigherRateTaken(db, settings.tax);
  if (higher.length > 0) {
    console.error(
      "Of some payees tax was taken at the higher rate, and their PAN counts now: `npm run tds -- relief list` shows them.",
    );
  }
  return saysWhetherItAgrees(await proveRegister(db, quarter));
}

function saysWhetherItAgrees({ disagreeing }: RegisterProof): boolean {
  if (disagreeing.length === 0) {
    console.error("The register agrees with the ledger.");
    return true;
  }
  for (const { payoutId, registerPaise, ledgerPaise } of disagreeing) {
    console.error(
      `error: payout ${payoutId} has ${formatRupees(registerPaise)} of tax in its deductions and ${formatRupees(ledgerPaise)} in the ledger`,
    );
  }
  console.error("The register does not agree with the ledger. Run ledger/reconcile-ledger.");
  return false;
}

export async function printChallans(
  db: Db,
  { all, format, settings }: { all: boolean; format: Format; settings: TaxSettings },
): Promise<void> {
  const { challans, unassessed } = await readChallans(db, { all, settings });
  if (format === "csv") process.stdout.write(challanCsv(challans));
  else if (challans.length === 0) console.log("Nothing is due.");
  else console.log(challanTable(challans).join("\n"));
  if (unassessed.length > 0) console.error(describeUnassessed(unassessed));
}

/** Nothing is accrued for these payees; the sum would look complete without a word. */
function describeUnassessed(unassessed: readonly Unassessed[]): string {
  const credits = unassessed.reduce((total, payee) => total + payee.credits, 0);
  const grossPaise = sumPaise(unassessed.map((payee) => payee.grossPaise));
  const codes = [...new Set(unassessed.map(({ code }) => code))].join(", ");
  return `Not in it: ${credits} unpaid credits of ${unassessed.length} payees, gross ${formatRupees(grossPaise)}. Their tax can not be assessed (${codes}).`;
}

export async function recordOneDeposit(
  db: Db,
  deposit: Deposit,
  settings: TaxSettings,
): Promise<Changed> {
  const outcome = await recordDeposit(db, deposit, settings);
  const what = `${formatRupees(deposit.amountPaise)} for ${deposit.month}, section ${deposit.section}, code ${deposit.code}`;
  return {
    done: true,
    line:
      outcome === "recorded"
        ? `Recorded and booked: ${what}.`
        : `Recorded before, nothing was changed: ${what}.`,
    ...(parseChallan(deposit.challanReference) === undefined && {
      note: "The challan's BSR code and serial number can not be read from the reference, so the register shows the reference alone. Written as on the receipt it is '0510308 05-08-2026 00012'.",
    }),
  };
}

function count(all: Map<string, Totals>, name: string, line: RegisterLine): void {
  const totals = all.get(name) ?? { lines: 0, grossPaise: 0n, taxPaise: 0n };
  all.set(name, sum([totals, { ...line, lines: 1 }]));
}

function sum(parts: Iterable<Totals>): Totals {
  const total: Totals = { lines: 0, grossPaise: 0n, taxPaise: 0n };
  for (const { lines, grossPaise, taxPaise } of parts) {
    total.lines += lines;
    total.grossPaise += grossPaise;
    total.taxPaise += taxPaise;
  }
  return total;
}

function describe({ lines, grossPaise, taxPaise }: Totals): string {
  return `${lines} lines, gross ${formatRupees(grossPaise)}, tax ${formatRupees(taxPaise)}`;
}

import type { Db } from "../../lib/db/client.ts";
import { formatRupees, type Paise } from "../../lib/support/money.ts";
import {
  proveRegister,
  readChallans,
  recordDeposit,
  registerLines,
  type Deposit,
  type Quarter,
  type RegisterLine,
} from "../../lib/tds/returns/index.ts";
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

/** The register to standard output, what is to be said of it to standard error. Whether the books agree. */
export async function printRegister(
  db: Db,
  quarter: Quarter,
  { unmask, format }: { unmask: boolean; format: Format },
): Promise<boolean> {
  const bySection = new Map<string, Totals>();
  const kept: RegisterLine[] = [];
  if (format === "csv") process.stdout.write(registerCsvHeader());
  for await (const line of registerLines(db, quarter)) {
    count(bySection, `section ${line.section}, code ${line.code}`, line);
    kept.push(line);
    // A table needs the widest cell of each column, CSV nothing but the line.
    if (format === "csv" && kept.length === CHUNK)
      process.stdout.write(registerCsv(kept.splice(0), { unmask }));
  }
  if (format === "csv") process.stdout.write(registerCsv(kept, { unmask }));
  else process.stdout.write(`${registerTable(kept, { unmask }).join("\n")}\n`);

  const proof = await proveRegister(db, quarter);
  console.error(`${quarter.label}: credits from ${quarter.from} to ${quarter.to}`);
  for (const [name, totals] of bySection) console.error(`  ${name}: ${describe(totals)}`);
  console.error(`  together: ${describe(sum(bySection.values()))}`);
  const { lines, taxPaise } = proof.inFlight;
  if (lines > 0) {
    console.error(
      `  not in it: ${lines} lines with ${formatRupees(taxPaise)} of tax, whose payouts are in flight`,
    );
  }
  if (proof.disagreeing.length === 0) {
    console.error("The register agrees with the ledger.");
    return true;
  }
  for (const { payoutId, registerPaise, ledgerPaise } of proof.disagreeing) {
    console.error(
      `error: payout ${payoutId} has ${formatRupees(registerPaise)} of tax in its deductions and ${formatRupees(ledgerPaise)} in the ledger`,
    );
  }
  console.error("The register does not agree with the ledger. Run ledger/reconcile-ledger.");
  return false;
}

export async function printChallans(
  db: Db,
  { all, format }: { all: boolean; format: Format },
): Promise<void> {
  const challans = await readChallans(db, { all });
  if (format === "csv") process.stdout.write(challanCsv(challans));
  else if (challans.length === 0) console.log("Nothing is due.");
  else console.log(challanTable(challans).join("\n"));
}

export async function recordOneDeposit(db: Db, deposit: Deposit): Promise<void> {
  const outcome = await recordDeposit(db, deposit);
  const what = `${formatRupees(deposit.amountPaise)} for ${deposit.month}, section ${deposit.section}, code ${deposit.code}`;
  console.log(
    outcome === "recorded"
      ? `Recorded and booked: ${what}.`
      : `Recorded before, nothing was changed: ${what}.`,
  );
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

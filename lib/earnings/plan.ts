import type { ClientBase } from "pg";
import { formatRupees } from "../support/money.ts";
import { accountDifferences } from "./agreement.ts";
import { lookAlike } from "./code-form.ts";
import type { ColumnName } from "./columns.ts";
import { compareIdentities, type SharedIdentities } from "./identity.ts";
import {
  loadConsultants,
  loadEarnings,
  loadPaidDirectly,
  type ConsultantOnRecord,
  type EarningOnRecord,
} from "./on-record.ts";
import type { Problem } from "./problems.ts";
import type { EarningsFile } from "./read-file.ts";
import { planPapers, type NewPapers } from "./tax-papers.ts";
import type {
  ConsultantDetails,
  ConsultantInFile,
  EarningRow,
  PayoutAccountDetails,
} from "./types.ts";
import { refundedSales } from "./refunded-sales.ts";
import { upiWarnings } from "./upi-limit.ts";

/** The rows that an import of a file would write now, and the problems that forbid it. */
export interface ImportPlan {
  newConsultants: ConsultantDetails[];
  knownConsultants: ConsultantOnRecord[];
  /** Consultants on record that lack a tax profile. */
  newTaxProfiles: OfConsultant[];
  /** Consultants on record whose account is a new one from now on. */
  newAccounts: NewAccount[];
  /** Of `newAccounts`, how many replace another. */
  replacedAccounts: number;
  /** Relief, certificates and marks that are not on record. */
  newPapers: NewPapers[];
  newEarnings: EarningRow[];
  knownEarnings: EarningOnRecord[];
  /** Earlier earnings that were paid directly, of consultants of the file: a payout takes them in for their tax. */
  paidDirectly: EarningOnRecord[];
  /** Consultants of the file with a hold after the import: they are not paid until the hold ends. */
  onHold: HeldConsultant[];
  /** Consultants whose name on record is another one; it stays. */
  namesKept: number;
  /** Payees that share a PAN or an account from this import on. */
  shared: SharedIdentities;
  problems: Problem[];
  /** Rows that are imported but cannot be paid yet. */
  warnings: Problem[];
}

export interface HeldConsultant {
  ref: string;
  /** Kinds of the holds; `refused_account`: the provider refused the account. */
  holds: readonly string[];
}

export interface OfConsultant {
  consultantId: string;
  details: ConsultantDetails;
}

interface NewAccount extends OfConsultant {
  /** The active account until now; undefined when there was none. */
  before: PayoutAccountDetails | undefined;
  /** Whether there was an account at all, active or not. */
  hasBefore: boolean;
}

/** Compares the good rows of a file with the database. Reads only. */
export async function planImport(
  client: ClientBase,
  file: EarningsFile,
  { updateAccounts, althoughRefunded }: { updateAccounts: boolean; althoughRefunded: boolean },
): Promise<ImportPlan> {
  const plan: ImportPlan = {
    newConsultants: [],
    knownConsultants: [],
    newTaxProfiles: [],
    newAccounts: [],
    replacedAccounts: 0,
    newPapers: [],
    newEarnings: [],
    knownEarnings: [],
    paidDirectly: [],
    onHold: [],
    namesKept: 0,
    shared: { pan: [], account: [] },
    problems: [],
    warnings: [],
  };
  const { found, alike } = await loadConsultants(client, [...file.consultants.keys()]);
  for (const inFile of file.consultants.values()) {
    const { ref } = inFile.details;
    const onRecord = found.get(ref);
    const other = alike.get(ref);
    if (onRecord) planKnownConsultant(plan, inFile, onRecord, { updateAccounts });
    else plan.newConsultants.push(inFile.details);
    if (other !== undefined) plan.problems.push(lookAlike(inFile.line, ref, other, "on record"));
  }
  const changed = new Set([
    ...plan.newConsultants.map(({ ref }) => ref),
    ...[...plan.newTaxProfiles, ...plan.newAccounts].map(({ details }) => details.ref),
  ]);
  const { problems, shared } = await compareIdentities(
    client,
    [...file.consultants.values()],
    (code) => changed.has(code),
  );
  plan.problems.push(...problems);
  plan.shared = shared;

  const papers = await planPapers(client, file.consultants.values());
  plan.newPapers.push(...papers.newPapers);
  plan.problems.push(...papers.problems);

  const references = file.rows.map((row) => row.bookingReference);
  const earnings = await loadEarnings(client, references);
  for (const row of file.rows) {
    const onRecord = earnings.found.get(row.bookingReference);
    const other = earnings.alike.get(row.bookingReference);
    if (onRecord === undefined) {
      plan.newEarnings.push(row);
      if (other !== undefined) plan.problems.push(alikeOnRecord(row, other));
    } else {
      plan.knownEarnings.push(onRecord);
      plan.problems.push(...compareEarning(row, onRecord));
    }
  }
  const refunded = await refundedSales(client, plan.newEarnings);
  (althoughRefunded ? plan.warnings : plan.problems).push(...refunded);
  const inFile = new Set(plan.knownEarnings.map(({ id }) => id));
  const ids = plan.knownConsultants.map(({ id }) => id);
  const direct = await loadPaidDirectly(client, ids);
  plan.paidDirectly.push(...direct.filter(({ id }) => !inFile.has(id)));
  plan.onHold.push(...heldConsultants(plan));
  const unpaid = [...plan.newEarnings, ...plan.knownEarnings.filter(({ free }) => free)];
  plan.warnings.push(...upiWarnings(file.consultants.values(), unpaid));
  return plan;
}

/** A hold of an account ends where the file brings another one. */
function heldConsultants({ knownConsultants, newAccounts }: ImportPlan): HeldConsultant[] {
  const replaced = new Set(newAccounts.map(({ consultantId }) => consultantId));
  return knownConsultants.flatMap(({ id, ref, holds, isAccountRefused }) => {
    const isStillRefused = isAccountRefused && !replaced.has(id);
    const open = [...holds, ...(isStillRefused ? ["refused_account"] : [])];
    return open.length > 0 ? [{ ref, holds: open }] : [];
  });
}

function planKnownConsultant(
  plan: ImportPlan,
  { line, details }: ConsultantInFile,
  onRecord: ConsultantOnRecord,
  { updateAccounts }: { updateAccounts: boolean },
): void {
  plan.knownConsultants.push(onRecord);
  if (details.name !== undefined && details.name !== onRecord.name) plan.namesKept++;

  const ofConsultant = { consultantId: onRecord.id, details };
  if (onRecord.tax === undefined) plan.newTaxProfiles.push(ofConsultant);
  else plan.problems.push(...compareTax(line, details, onRecord.tax));

  const differences = onRecord.account
    ? accountDifferences(onRecord.account, details.account)
    : ([details.account.kind === "vpa" ? "vpa" : "account_number"] as const);
  if (differences.length === 0) return;
  if (onRecord.hasAccounts && !updateAccounts) {
    const message =
      "differs from the active payout account on record; if the consultant has changed it, run again with --update-accounts";
    plan.problems.push(...differences.map((column) => ({ line, column, message })));
    return;
  }
  plan.newAccounts.push({
    ...ofConsultant,
    before: onRecord.account,
    hasBefore: onRecord.hasAccounts,
  });
  if (onRecord.hasAccounts) plan.replacedAccounts++;
}

/** Tax facts are never changed by an import: they decide tax already withheld. */
function compareTax(
  line: number,
  details: ConsultantDetails,
  tax: NonNullable<ConsultantOnRecord["tax"]>,
): Problem[] {
  const differences: [ColumnName, boolean][] = [
    ["pan", details.pan !== tax.pan],
    ["category", details.category !== tax.category],
    ["pan_status", details.panStatus !== undefined && details.panStatus !== tax.panStatus],
    ["resident", details.resident !== undefined && details.resident !== tax.resident],
    ["aadhaar", details.aadhaar !== undefined && details.aadhaar !== tax.aadhaar],
  ];
  const message =
    "differs from the tax profile on record; correct the file, or the profile before the import";
  return differences
    .filter(([, differs]) => differs)
    .map(([column]) => ({ line, column, message }));
}

/** One sale that is written in two ways would be paid twice. */
function alikeOnRecord({ line, bookingReference }: EarningRow, other: string): Problem {
  const message = `${bookingReference} and ${other} (on record) look like one booking; write the reference of one booking in one way`;
  return { line, column: "booking_reference", message };
}

function compareEarning(row: EarningRow, onRecord: EarningOnRecord): Problem[] {
  const { line } = row;
  const known = "the booking is already imported with";
  const problems: Problem[] = [];
  if (row.consultantRef !== onRecord.consultantRef) {
    problems.push({ line, column: "consultant", message: `${known} another consultant` });
  }
  if (row.creditedOn !== onRecord.creditedOn) {
    const message = `${known} ${onRecord.creditedOn}, not ${row.creditedOn}`;
    problems.push({ line, column: "credit_date", message });
  }
  if (row.grossPaise !== onRecord.grossPaise) {
    const message = `${known} ${formatRupees(onRecord.grossPaise)}, not ${formatRupees(row.grossPaise)}`;
    problems.push({ line, column: "gross", message });
  }
  if (row.platformFeePaise !== onRecord.platformFeePaise) {
    const message = `${known} ${formatRupees(onRecord.platformFeePaise)}, not ${formatRupees(row.platformFeePaise)}`;
    problems.push({ line, column: "platform_fee", message });
  }
  const isSameMoney =
    row.grossPaise === onRecord.grossPaise && row.platformFeePaise === onRecord.platformFeePaise;
  if (isSameMoney && row.amountPaise !== onRecord.amountPaise) {
    const direct = onRecord.grossPaise - onRecord.platformFeePaise - onRecord.amountPaise;
    const message = `${known} ${formatRupees(direct)}, not ${formatRupees(row.paidDirectlyPaise ?? 0n)}`;
    problems.push({ line, column: "paid_directly", message });
  }
  return problems;
}

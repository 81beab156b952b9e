import { referenceKey } from "../support/reference-key.ts";
import type { ColumnName } from "./columns.ts";
import { codeKey, lookAlike } from "./code-form.ts";
import type { Problem } from "./problems.ts";
import type { RowRead } from "./read-row.ts";
import { spreadsheetDamage } from "./spreadsheet.ts";
import { mergePapers, PAPER_COLUMNS } from "./tax-papers.ts";
import type {
  ConsultantDetails,
  ConsultantInFile,
  EarningRow,
  PayoutAccountDetails,
} from "./types.ts";

interface Agreement {
  /** Problems of a row compared with the rows before it. */
  check(row: RowRead): Problem[];
  /** The consultants of these rows, each with all that the file says of it. */
  consultantsOf(rows: readonly EarningRow[]): Map<string, ConsultantInFile>;
}

/**
 * Rules over several rows: a booking reference occurs in one row only, and the rows of one consultant agree. An
 * empty value agrees with any value.
 */
export function agreement(): Agreement {
  const bookings = new Map<string, Stood>();
  const consultants = new Map<string, Stated>();
  const codes = new Map<string, { ref: string; line: number }>();

  return {
    check: (row) => [
      ...checkBooking(row, bookings),
      ...checkCode(row, codes),
      ...checkConsultant(row, consultants),
    ],
    consultantsOf: (rows) => {
      const found = new Map<string, ConsultantInFile>();
      for (const { consultantRef, line } of rows) {
        const details = consultants.get(consultantRef)?.details;
        if (details && !found.has(consultantRef)) found.set(consultantRef, { line, details });
      }
      return found;
    },
  };
}

/** A consultant as the rows up to now state it, and the line on which each value first stood. */
interface Stated {
  details: ConsultantDetails;
  lines: Map<ColumnName, number>;
}

/** A reference as it first stood. */
interface Stood {
  reference: string;
  line: number;
}

/** References that differ by case or white space alone are one sale, written in two ways. */
function checkBooking(
  { line, bookingReference: reference }: RowRead,
  bookings: Map<string, Stood>,
): Problem[] {
  if (reference === undefined) return [];
  const first = bookings.get(referenceKey(reference));
  if (first === undefined) {
    bookings.set(referenceKey(reference), { reference, line });
    return [];
  }
  const message =
    first.reference === reference
      ? `line ${line} repeats the booking reference of line ${first.line}; each may occur once${collapsed(reference)}`
      : `${reference} and ${first.reference} (line ${first.line}) look like one booking; write the reference of one booking in one way`;
  return [{ line, column: "booking_reference", message }];
}

/** Different references that a spreadsheet has cut become one. */
function collapsed(reference: string): string {
  return spreadsheetDamage(reference) === undefined
    ? ""
    : "; a spreadsheet may have made one of two references: compare both with the source";
}

/** Codes that differ by case alone are one payee, written in two ways. */
function checkCode(
  { line, consultant }: RowRead,
  codes: Map<string, { ref: string; line: number }>,
): Problem[] {
  if (consultant === undefined) return [];
  const { ref } = consultant;
  const first = codes.get(codeKey(ref));
  if (first === undefined) codes.set(codeKey(ref), { ref, line });
  if (first === undefined || first.ref === ref) return [];
  return [lookAlike(line, ref, first.ref, `line ${first.line}`)];
}

function checkConsultant(
  { line, consultant }: RowRead,
  consultants: Map<string, Stated>,
): Problem[] {
  if (consultant === undefined) return [];
  const known = consultants.get(consultant.ref);
  if (known === undefined) {
    const lines = new Map(COMPARED.map(({ column }) => [column, line]));
    consultants.set(consultant.ref, { details: consultant, lines });
    return [];
  }
  const problems: Problem[] = [];
  for (const { column, what, value } of COMPARED) {
    const [before, now] = [value(known.details), value(consultant)];
    if (now === undefined) continue;
    if (before === undefined) known.lines.set(column, line);
    else if (before !== now) {
      const first = known.lines.get(column) ?? line;
      const message = `${what} differs from line ${first}; rows of one consultant must agree (lines ${first} and ${line})`;
      problems.push({ line, column, message });
    }
  }
  known.details = merge(known.details, consultant);
  return problems;
}

/** The values that must agree. They are only compared, never shown. */
const COMPARED: readonly {
  column: ColumnName;
  what: string;
  value: (details: ConsultantDetails) => string | undefined;
}[] = [
  { column: "name", what: "the name", value: ({ name }) => name },
  { column: "pan", what: "the PAN", value: ({ pan }) => pan ?? "" },
  { column: "category", what: "the category", value: ({ category }) => category },
  {
    column: "account_number",
    what: "the payout account",
    value: ({ account }) => account.kind,
  },
  { column: "ifsc", what: "the IFSC", value: ({ account }) => bank(account)?.ifsc },
  {
    column: "account_number",
    what: "the payout account",
    value: ({ account }) => bank(account)?.accountNumber,
  },
  { column: "vpa", what: "the payout account", value: ({ account }) => vpa(account) },
  { column: "pan_status", what: "the PAN's status", value: ({ panStatus }) => panStatus },
  { column: "resident", what: "the residence", value: ({ resident }) => resident?.toString() },
  { column: "aadhaar", what: "the Aadhaar", value: ({ aadhaar }) => aadhaar?.toString() },
  ...PAPER_COLUMNS,
];

function bank(
  account: PayoutAccountDetails,
): Extract<PayoutAccountDetails, { kind: "bank_account" }> | undefined {
  return account.kind === "bank_account" ? account : undefined;
}

function vpa(account: PayoutAccountDetails): string | undefined {
  return account.kind === "vpa" ? account.vpa : undefined;
}

/** Equal for equal payout accounts. */
export function accountKey(account: PayoutAccountDetails): string {
  return account.kind === "vpa"
    ? `vpa ${account.vpa}`
    : `bank ${account.ifsc} ${account.accountNumber}`;
}

/** The columns in which two payout accounts differ, none when they are the same. */
export function accountDifferences(
  before: PayoutAccountDetails,
  now: PayoutAccountDetails,
): ("ifsc" | "account_number" | "vpa")[] {
  const [bankBefore, bankNow] = [bank(before), bank(now)];
  if (bankBefore && bankNow) {
    return [
      ...(bankBefore.ifsc === bankNow.ifsc ? [] : (["ifsc"] as const)),
      ...(bankBefore.accountNumber === bankNow.accountNumber ? [] : (["account_number"] as const)),
    ];
  }
  if (vpa(before) === vpa(now)) return [];
  return [now.kind === "vpa" ? "vpa" : "account_number"];
}

function merge(known: ConsultantDetails, stated: ConsultantDetails): ConsultantDetails {
  return {
    ...known,
    name: known.name ?? stated.name,
    panStatus: known.panStatus ?? stated.panStatus,
    resident: known.resident ?? stated.resident,
    aadhaar: known.aadhaar ?? stated.aadhaar,
    papers: mergePapers(known.papers, stated.papers),
  };
}

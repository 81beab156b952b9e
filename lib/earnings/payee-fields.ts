import { IFSC_SHAPE, ifscProblem } from "./ifsc-list.ts";
import type { RowReader } from "./row-reader.ts";
import type { PayeeCategory, PayoutAccountDetails } from "./types.ts";

const PAN = /^[A-Z]{5}[0-9]{4}[A-Z]$/;

/**
 * The fourth letter of a PAN names the type of its holder. Beyond persons, families, companies and firms: A
 * association, B body of individuals, T trust, L local authority, J artificial juridical person, G government.
 */
const PAN_LETTERS: Record<PayeeCategory, string> = {
  individual: "P",
  huf: "H",
  company: "C",
  firm: "F",
  other: "ABTLJG",
};

/** The provider's limits for fund accounts. */
const ACCOUNT_NUMBER = /^[A-Za-z0-9]{5,35}$/;
const VPA = /^[^\s@\p{C}]+@[^\s@\p{C}]+$/u;
const VPA_LENGTH = { min: 3, max: 100 };

/** The PAN in capitals, `null` when none was furnished, `undefined` when it was refused. */
export function readPan(
  reader: RowReader,
  category: PayeeCategory | undefined,
): string | null | undefined {
  if (!reader.has("pan")) return null;
  const pan = reader.text("pan").toUpperCase();
  if (!PAN.test(pan)) {
    reader.refuse("pan", "is not a PAN; expected five letters, four digits and a letter");
    return undefined;
  }
  if (category !== undefined && !PAN_LETTERS[category].includes(pan.charAt(3))) {
    const expected = PAN_LETTERS[category].split("").join(" or ");
    reader.refuse(
      "pan",
      `does not fit category ${category}: its fourth letter must be ${expected}`,
    );
    return undefined;
  }
  return pan;
}

/** Exactly one of a bank account and a VPA. */
export function readAccount(
  reader: RowReader,
  allowedIfsc: ReadonlySet<string>,
): PayoutAccountDetails | undefined {
  const bank = reader.has("ifsc") || reader.has("account_number");
  if (bank && reader.has("vpa")) {
    reader.refuse("vpa", "stands beside a bank account; expected only one of the two");
    return undefined;
  }
  if (reader.has("vpa")) return readVpa(reader);
  if (bank) return readBankAccount(reader, allowedIfsc);
  reader.refuse("account_number", "expected ifsc and account_number, or vpa; all are empty");
  return undefined;
}

function readVpa(reader: RowReader): PayoutAccountDetails | undefined {
  // Case means nothing in a VPA; one spelling keeps two of it from looking like a change.
  const vpa = reader.text("vpa").toLowerCase();
  const { min, max } = VPA_LENGTH;
  if (!VPA.test(vpa) || vpa.length < min || vpa.length > max) {
    reader.refuse("vpa", `expected ${min} to ${max} characters with exactly one @`);
    return undefined;
  }
  return { kind: "vpa", vpa };
}

function readBankAccount(
  reader: RowReader,
  allowedIfsc: ReadonlySet<string>,
): PayoutAccountDetails | undefined {
  const code = readIfsc(reader, allowedIfsc);
  const accountNumber = readAccountNumber(reader);
  if (code === undefined || accountNumber === undefined) return undefined;
  return { kind: "bank_account", ifsc: code, accountNumber };
}

function readIfsc(reader: RowReader, allowed: ReadonlySet<string>): string | undefined {
  const code = reader.text("ifsc").toUpperCase();
  if (code === "") {
    reader.refuse("ifsc", "is empty beside an account number");
    return undefined;
  }
  if (!IFSC_SHAPE.test(code)) {
    reader.refuse("ifsc", "expected four letters, a zero and six letters or digits");
    return undefined;
  }
  const problem = ifscProblem(code, allowed);
  if (problem === undefined) return code;
  reader.refuse("ifsc", problem);
  return undefined;
}

function readAccountNumber(reader: RowReader): string | undefined {
  const text = reader.text("account_number");
  if (text === "") {
    reader.refuse("account_number", "is empty beside an IFSC");
    return undefined;
  }
  if (ACCOUNT_NUMBER.test(text)) return text;
  reader.refuse("account_number", "expected 5 to 35 letters and digits");
  return undefined;
}

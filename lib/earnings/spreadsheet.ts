import type { ColumnName } from "./columns.ts";

/** Columns whose values name something. A spreadsheet that takes one for a number changes it. */
export const IDENTIFIERS: readonly ColumnName[] = [
  "consultant",
  "pan",
  "ifsc",
  "account_number",
  "vpa",
  "booking_reference",
  "certificate_number",
];

/** The damage that a spreadsheet has done to an identifier. */
interface SpreadsheetDamage {
  /** `certain`: the value is lost. `likely`: it may be right, and a person has to say so. */
  certainty: "certain" | "likely";
  /** Never quotes the value. */
  message: string;
}

/** The option that confirms a value that is likely damaged and right all the same. */
const CONFIRM_OPTION = "--accept-long-numbers";

/** `2.02611E+14` of spreadsheets, `2.02611E14` of programs. `12E5` alone may be a code. */
const EXPONENT = /^[+-]?(?:[0-9]+(?:[.,][0-9]+)?E\+[0-9]+|[0-9][.,][0-9]+E[0-9]+)$/i;
const APOSTROPHE = /^['‘’`´]|['‘’`´]$/;
const FORMULA = /^=/;
const ERROR_VALUE = /^#(?:N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NUM!|NULL!|#+)$/i;
/** A spreadsheet keeps 15 digits of a number and fills up with zeros. */
const CUT_TO_15 = /^[0-9]{15}0+$/;
const DECIMALS = /^[0-9]+\.0+$/;

const AS_TEXT = "format the column as text and export the file again";

/** The damage that an identifier shows, if any: one check for all of them. */
export function spreadsheetDamage(text: string): SpreadsheetDamage | undefined {
  if (EXPONENT.test(text)) {
    return certain(
      `a spreadsheet has turned the number into a power of ten, and its last digits are lost; ${AS_TEXT}`,
    );
  }
  if (FORMULA.test(text) || ERROR_VALUE.test(text)) {
    return certain(`holds a formula of a spreadsheet or its error, not a value; ${AS_TEXT}`);
  }
  if (APOSTROPHE.test(text)) {
    return certain(
      "begins or ends with an apostrophe, which a spreadsheet puts before text; take it off",
    );
  }
  if (CUT_TO_15.test(text)) {
    return likely(
      `has ${text.length} digits, and all after the 15th are zeros, as a spreadsheet leaves a longer number`,
    );
  }
  if (DECIMALS.test(text)) {
    return likely("ends in .0, as a spreadsheet or program leaves a number");
  }
  return undefined;
}

function certain(message: string): SpreadsheetDamage {
  return { certainty: "certain", message };
}

function likely(message: string): SpreadsheetDamage {
  const confirm = `compare it with the source; if it is right, run again with ${CONFIRM_OPTION}`;
  return { certainty: "likely", message: `${message}; ${confirm}` };
}

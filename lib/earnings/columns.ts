/**
 * The columns of a finance export and the other headings under which each is known. Headings are
 * compared without case, spaces, `_`, `-` and anything in brackets: `Gross (INR)` is `gross`.
 */
const COLUMNS = {
  consultant: ["consultantid", "consultantcode", "consultantref"],
  name: ["consultantname", "payeename"],
  pan: ["panno", "pannumber"],
  category: ["payeecategory", "payeetype"],
  ifsc: ["ifsccode"],
  account_number: ["accountno", "bankaccount", "bankaccountno", "bankaccountnumber"],
  vpa: ["upi", "upiid"],
  booking_reference: ["bookingref", "bookingid", "booking"],
  credit_date: ["creditedon", "dateofcredit"],
  gross: ["grossamount"],
  platform_fee: ["fee", "platformcommission", "commission"],
  resident: ["isresident"],
  aadhaar: ["aadhaarfurnished", "aadhar"],
  pan_status: [],
  paid_directly: ["paiddirectlytoconsultant"],
  likely_to_exceed: ["likelytoexceedthreshold"],
  pan_relief_from: [],
  pan_relief_to: [],
  certificate_number: ["certificateno", "lowerdeductioncertificate"],
  certificate_rate: [],
  certificate_from: ["certificatevalidfrom"],
  certificate_to: ["certificatevalidto"],
  certificate_ceiling: [],
} as const satisfies Record<string, readonly string[]>;

export type ColumnName = keyof typeof COLUMNS;

export const columnNames = Object.keys(COLUMNS) as ColumnName[];

const BY_HEADING = new Map<string, ColumnName>(
  columnNames.flatMap((name) => [normalise(name), ...COLUMNS[name]].map((text) => [text, name])),
);

/** The column that a heading means. */
export function columnOf(heading: string): ColumnName | undefined {
  return BY_HEADING.get(normalise(heading));
}

function normalise(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/\([^()]*\)|\[[^[\]]*\]|\{[^{}]*\}/g, "")
    .replace(/[\s_-]/g, "");
}

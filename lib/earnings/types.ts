import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import type { CertificateTerms } from "../tds/papers/index.ts";

export const payeeCategories = ["individual", "huf", "company", "firm", "other"] as const;
export type PayeeCategory = (typeof payeeCategories)[number];

export const panStatuses = ["valid", "missing", "inoperative"] as const;
export type PanStatus = (typeof panStatuses)[number];

/** Where a consultant is paid: a bank account or a VPA, never both. */
export type PayoutAccountDetails =
  { kind: "bank_account"; ifsc: string; accountNumber: string } | { kind: "vpa"; vpa: string };

/** Papers that change a consultant's tax; each is `undefined` where the file leaves it open. */
export interface TaxPapers {
  /** Days on which an inoperative PAN counts as valid. */
  relief: { from: Day; to: Day } | undefined;
  certificate: CertificateTerms | undefined;
  /** The year is likely to exceed the threshold of the exemption. */
  likelyToExceed: boolean | undefined;
}

/** A file's data about one consultant. A field that the file leaves empty is `undefined`. */
export interface ConsultantDetails {
  /** The marketplace's id or code. */
  ref: string;
  name: string | undefined;
  /** `null` when none was furnished. */
  pan: string | null;
  category: PayeeCategory;
  panStatus: PanStatus | undefined;
  resident: boolean | undefined;
  aadhaar: boolean | undefined;
  account: PayoutAccountDetails;
  papers?: TaxPapers;
}

/** One sale, as a good row of a file states it. */
export interface EarningRow {
  /** Line of the file, the header being line 1. */
  line: number;
  consultantRef: string;
  bookingReference: string;
  creditedOn: Day;
  grossPaise: Paise;
  platformFeePaise: Paise;
  /** The part of the gross that the buyer paid to the consultant directly. Default: nothing. */
  paidDirectlyPaise?: Paise;
  /** Gross less platform fee and direct payments; zero only where the rest was paid directly. */
  amountPaise: Paise;
}

/** A consultant of the file, with the first of its lines. */
export interface ConsultantInFile {
  line: number;
  details: ConsultantDetails;
}

export interface EarningTotals {
  grossPaise: Paise;
  platformFeePaise: Paise;
  amountPaise: Paise;
}

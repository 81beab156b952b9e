/** Brings finance exports in: `readEarningsFile`, then `importEarnings`. */
export { describeReport } from "./describe-report.ts";
export { importEarnings, type ImportOptions, type ImportReport } from "./import-earnings.ts";
export type { Importer } from "./audit-import.ts";
export { IFSC_LIST, IFSC_SHAPE } from "./ifsc-list.ts";
export {
  AMOUNT_FORMATS,
  DATE_FORMATS,
  type AmountFormat,
  type DateFormat,
  type ReadOptions,
} from "./read-options.ts";
export { formatProblems, PRINTED_PROBLEMS, type Problem } from "./problems.ts";
export {
  refundEarning,
  type EarningRefund,
  type RefundRefusal,
  type RefundResult,
} from "./refund.ts";
export { readEarningsFile, type EarningsFile } from "./read-file.ts";

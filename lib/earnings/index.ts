/** Brings finance exports in: `readEarningsFile`, then `importEarnings`. */
export { describeReport } from "./describe-report.ts";
export { importEarnings, type ImportOptions, type ImportReport } from "./import-earnings.ts";
export { formatProblems, PRINTED_PROBLEMS, type Problem } from "./problems.ts";
export {
  refundEarning,
  type EarningRefund,
  type RefundRefusal,
  type RefundResult,
} from "./refund.ts";
export { readEarningsFile, type EarningsFile } from "./read-file.ts";

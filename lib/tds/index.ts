/**
 * Tax deducted at source from payments to e-commerce participants. docs/tax.md lists the implemented rules, and
 * the settings that the operator's accountant decides.
 */
export { assess } from "./assess.ts";
export { assessCredits, emptyYear, rateDateOf } from "./assess-credits.ts";
export type {
  CreditLine,
  PayableCredit,
  PayeeProfile,
  PaymentAssessment,
  YearTotals,
} from "./assess-credits.ts";
export { INOPERATIVE_PAN_FROM, ratesOn, statuteOn } from "./law.ts";
export type { Act, RatePeriod, StatutePeriod } from "./law.ts";
export {
  CROSSING_POLICIES,
  DEFAULT_REFUND_BASE,
  defaultTaxPolicy,
  LIKELY_POLICIES,
  REFUND_BASES,
  ROUNDINGS,
} from "./policy.ts";
export type { CrossingPolicy, LikelyPolicy, RefundBase, Rounding, TaxPolicy } from "./policy.ts";
export { mayHaveAadhaar, PAN_STATUSES, PAYEE_CATEGORIES, REASONS } from "./types.ts";
export type {
  Assessment,
  AssessmentInput,
  AssessmentResult,
  Certificate,
  CertificateUse,
  DatedGross,
  DayRange,
  PanStatus,
  PayeeCategory,
  Reason,
  Refusal,
  TaxError,
} from "./types.ts";

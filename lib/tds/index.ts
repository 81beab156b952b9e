/**
 * Tax deducted at source from payments to e-commerce participants. docs/tax.md says what is implemented
 * and which settings the operator's accountant decides.
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
export { ratesOn, statuteOn } from "./law.ts";
export type { Act, RatePeriod, StatutePeriod } from "./law.ts";
export { CROSSING_POLICIES, defaultTaxPolicy, LIKELY_POLICIES, ROUNDINGS } from "./policy.ts";
export type { CrossingPolicy, LikelyPolicy, Rounding, TaxPolicy } from "./policy.ts";
export { PAN_STATUSES, PAYEE_CATEGORIES, REASONS } from "./types.ts";
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

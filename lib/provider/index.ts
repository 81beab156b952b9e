/** Our port to the payment provider: how a core asks, and how it is answered. An adapter such as `lib/razorpay` implements it. */
export type {
  Answer,
  Failure,
  SystemicAnswer,
  SystemicFault,
  UnknownAnswer,
  UnknownCause,
} from "./answer.ts";
export {
  chooseMode,
  defaultModeSettings,
  MINIMUM_PAYOUT_PAISE,
  type ModeChoice,
  type ModeSettings,
  type PayoutMode,
} from "./choose-mode.ts";
export { accountHolderName, contactName } from "./contact-name.ts";
export {
  PROVIDER_PAYOUT_STATUSES,
  type Balance,
  type Contact,
  type FundAccount,
  type ProviderPayout,
  type ProviderPayoutStatus,
  type Transaction,
} from "./entities.ts";
export { failureCode } from "./failure-code.ts";
export {
  faultOf,
  gatewayDown,
  NO_ANSWER_IN_A_ROW,
  paymentsFault,
  PROVIDER_RUNBOOKS,
  refusesAll,
  systemicFault,
} from "./faults.ts";
export type { JsonValue } from "./json.ts";
export type { PaymentProvider, RefundRequest } from "./payment-provider.ts";
export {
  bearsReceipt,
  receiptsOf,
  PROVIDER_DISPUTE_STATUSES,
  PROVIDER_ORDER_STATUSES,
  PROVIDER_PAYMENT_STATUSES,
  PROVIDER_REFUND_STATUSES,
  type ProviderDispute,
  type ProviderDisputeStatus,
  type ProviderOrder,
  type ProviderOrderStatus,
  type ProviderPayment,
  type ProviderPaymentStatus,
  type ProviderRefund,
  type ProviderRefundStatus,
} from "./payments-entities.ts";
export {
  ACCOUNT_KINDS,
  type AccountKind,
  type CallOptions,
  type ContactInput,
  type FundAccountInput,
  type PayoutFilter,
  type PayoutProvider,
  type PayoutRequest,
  type TimeWindow,
  type TransactionFilter,
} from "./payout-provider.ts";
export {
  buildPayoutRequest,
  requestHash,
  type BuiltPayoutRequest,
  type PayoutDetails,
} from "./payout-request.ts";
export {
  DOCUMENTED_REASONS,
  nextStep,
  REASON_RULES,
  reasonsWith,
  ruleOf,
  stepOf,
  type DocumentedReason,
  type ReasonAction,
  type ReasonRule,
  type RefusedMode,
} from "./reasons.ts";
export {
  buildRefundRequest,
  MINIMUM_REFUND_PAISE,
  type BuiltRefundRequest,
  type RefundDetails,
  type RefundSpeed,
} from "./refund-request.ts";
export {
  createRefusalStreak,
  refusedAs,
  REFUSALS_IN_A_ROW,
  type RefusalStreak,
} from "./refusal-streak.ts";
export { walkList, type Walk } from "./walk-list.ts";

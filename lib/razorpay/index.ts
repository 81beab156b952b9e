/**
 * The provider's two APIs: RazorpayX payouts, and the payments side (orders, payments, refunds). Clients are
 * made in `client.ts`, `payments-client.ts`, `open-gateway.ts` and `open-payments.ts`: import these dynamically,
 * so that a skipped run does not load them.
 */
export type {
  Answer,
  Failure,
  SystemicAnswer,
  SystemicFault,
  UnknownAnswer,
  UnknownCause,
} from "./answer.ts";
export type { RazorpayPorts } from "./caller.ts";
export {
  chooseMode,
  defaultModeSettings,
  MINIMUM_PAYOUT_PAISE,
  type ModeChoice,
  type ModeSettings,
  type PayoutMode,
} from "./choose-mode.ts";
export { accountHolderName, contactName } from "./contact-name.ts";
export { ACCOUNT_KINDS } from "./contract.ts";
export type {
  AccountKind,
  CallOptions,
  ConnectionSettings,
  ContactInput,
  FundAccountInput,
  PayoutFilter,
  PayoutRequest,
  RazorpayX,
  RazorpayXSettings,
  RetryEvent,
  TimeWindow,
  TransactionFilter,
} from "./contract.ts";
export {
  type Balance,
  type Contact,
  type FundAccount,
  PROVIDER_PAYOUT_STATUSES,
  type ProviderPayout,
  type ProviderPayoutStatus,
  type Transaction,
} from "./entities.ts";
export type { JsonValue } from "./json.ts";
export {
  type BuiltPayoutRequest,
  buildPayoutRequest,
  type PayoutDetails,
  requestHash,
} from "./payout-request.ts";
export type {
  RazorpayPayments,
  RazorpayPaymentsSettings,
  RefundRequest,
} from "./payments-contract.ts";
export {
  bearsReceipt,
  PROVIDER_ORDER_STATUSES,
  PROVIDER_PAYMENT_STATUSES,
  PROVIDER_REFUND_STATUSES,
  type ProviderOrder,
  type ProviderOrderStatus,
  type ProviderPayment,
  type ProviderPaymentStatus,
  type ProviderRefund,
  type ProviderRefundStatus,
} from "./payments-entities.ts";
export {
  type BuiltRefundRequest,
  buildRefundRequest,
  MINIMUM_REFUND_PAISE,
  type RefundDetails,
  type RefundSpeed,
} from "./refund-request.ts";
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
export { redactBody, scrubText } from "./redact-body.ts";
export {
  parseRazorpayPaymentsEnv,
  parseRazorpayXEnv,
  razorpayPaymentsEnvironment,
  razorpayPaymentsVariables,
  razorpayXEnvironment,
  razorpayXVariables,
} from "./settings.ts";
export { walkList, type Walk } from "./walk-list.ts";

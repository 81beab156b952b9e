/**
 * RazorpayX payouts. `createRazorpayX` is not here but in `client.ts`, which loads the `razorpay`
 * package: import that one dynamically where a client is made.
 */
export type {
  Answer,
  Failure,
  SystemicAnswer,
  SystemicFault,
  UnknownAnswer,
  UnknownCause,
} from "./answer.ts";
export type { RazorpayXPorts } from "./caller.ts";
export {
  chooseMode,
  defaultModeSettings,
  MINIMUM_PAYOUT_PAISE,
  type ModeChoice,
  type ModeSettings,
  type PayoutMode,
} from "./choose-mode.ts";
export { accountHolderName, contactName } from "./contact-name.ts";
export type {
  CallOptions,
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
export { redactBody, scrubText } from "./redact-body.ts";
export {
  parseRazorpayXEnv,
  razorpayXEnv,
  razorpayXVariables,
  type SettingProblem,
} from "./settings.ts";
export { walkList, type Walk } from "./walk-list.ts";

/**
 * Razorpay behind our port (`lib/provider`): RazorpayX payouts, and the payments API. What makes a client is not here
 * but in `client.ts`, `payments-client.ts`, `open-gateway.ts` and `open-payments.ts`: import them dynamically, so that
 * a run which is skipped does not load them.
 */
export type { RazorpayPorts } from "./caller.ts";
export type {
  ConnectionSettings,
  RazorpayPaymentsSettings,
  RazorpayXSettings,
  RetryEvent,
} from "./contract.ts";
export { redactBody, scrubText } from "./redact-body.ts";
export {
  parseRazorpayPaymentsEnv,
  parseRazorpayXEnv,
  razorpayPaymentsEnvironment,
  razorpayPaymentsVariables,
  razorpayXEnvironment,
  razorpayXVariables,
  asEnvironment,
  type ProviderVariable,
  type SettingProblem,
} from "./settings.ts";

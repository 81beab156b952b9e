/**
 * The provider's two APIs: RazorpayX payouts, and the payments side (orders, payments, refunds). Clients are
 * made in `client.ts`, `payments-client.ts`, `open-gateway.ts` and `open-payments.ts`: import these dynamically,
 * so that a skipped run does not load them.
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
} from "./settings.ts";

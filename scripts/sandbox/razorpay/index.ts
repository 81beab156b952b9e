export { SANDBOX_DEFAULTS, startSandbox } from "./sandbox.ts";
export type { Sandbox, SandboxOptions, SandboxVariable } from "./sandbox.ts";
export type {
  CheckoutControl,
  DashboardRefund,
  NewDispute,
  NewOrder,
  NewPayment,
  OrderRecord,
} from "./checkout-control.ts";
export type { DisputeState, PaymentState, RefundState } from "./checkout-states.ts";
export type { DisputeRecord } from "./disputes.ts";
export { IllegalMove, PAYMENT_STATES, REFUND_STATES } from "./checkout-states.ts";
export type { BalanceChange } from "./control-balance.ts";
export type { SandboxControl } from "./control.ts";
export type { AccountSummary } from "./account.ts";
export type { CallRecord } from "./calls.ts";
export type { Fault } from "./faults.ts";
export { InvalidFault } from "./faults.ts";
export type { RemainingFault } from "./fault-plan.ts";
export type { PaymentRecord } from "./payment-json.ts";
export type { PayoutRecord } from "./payout-json.ts";
export type { RefundRecord } from "./refund-json.ts";
export type { PayoutState } from "./states.ts";
export { IllegalTransition, PAYOUT_STATES } from "./states.ts";

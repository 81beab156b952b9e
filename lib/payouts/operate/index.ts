/** An operator's actions on payouts: look, approve, reject, retry, hold. Each change is audited. */
export {
  APPROVAL_POLICIES,
  approvalPolicy,
  approvalVariable,
  type ApprovalPolicy,
} from "./approval.ts";
export { approvePayout } from "./approve.ts";
export type { Operator, PayoutChange, Refusal } from "./change.ts";
export { choosePayouts, type Choice, type Chosen } from "./choose.ts";
export { findConsultant, isUuid, type ConsultantName } from "./consultant.ts";
export {
  HOLD_KINDS,
  placeHold,
  RELEASED_KINDS,
  releaseHold,
  type HoldChange,
  type HoldKind,
  type HoldReach,
  type ReleasedKind,
} from "./hold.ts";
export { listPayouts, type AccountNote, type ListedPayout, type PayoutFilter } from "./list.ts";
export { setMailAddress, type MailAddressChange } from "./mail-address.ts";
export { PAYOUT_STATUSES, type PayoutStatus } from "./locked-payout.ts";
export { setOrganizationPayee, type OrganizationChange } from "./organization.ts";
export { rejectPayout } from "./reject.ts";
export { retryPayout } from "./retry.ts";
export type { Shown } from "./shown.ts";
export { showPayout, type PayoutDetails } from "./show.ts";
export type { LineKind, StatementLine } from "./statement/lines.ts";
export {
  payeesWithStatement,
  readStatement,
  StatementDisagreesError,
  type PayeeStatement,
  type StatementPayee,
} from "./statement/read-statement.ts";

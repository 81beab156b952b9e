import type { Fault } from "../../../scripts/sandbox/razorpay/index.ts";

/** What the provider does with a payee's requests, for as long as it does. */
type Fate = Omit<Fault, "match" | "times">;

/**
 * One payee of the scripted world. A fate holds for every request of the payee and ends by what the
 * database shows, never by a count of requests: it is the same however often a request is made.
 */
export interface ScriptedPayee {
  /** Says what becomes of it; steps and differences are named by it. */
  readonly name: string;
  /** Gross of each earning, in rupees; default 1,000. */
  readonly rupees?: readonly number[];
  /** Platform fee in percent; default 10. */
  readonly feePercent?: number;
  readonly fate?: Fate;
  /** Until this is seen in the database; default: for good. */
  readonly until?:
    | "a payout failed"
    | "an attempt was never accepted"
    | "an attempt was turned away"
    | "a claim was given back";
  /** What the provider does with the next payout, after `fate` has ended. */
  readonly then?: Fate;
  /** Where the provider moves the payout later, once we have it in this state. */
  readonly later?: { when: "ACCEPTED" | "PROCESSED"; moves: readonly Move[] };
  readonly isOrganization?: boolean;
  readonly isCompany?: boolean;
  readonly hasPan?: boolean;
  /** `none`: an account is added only after a payout has failed for want of it. */
  readonly account?: "bank" | "vpa" | "none";
  readonly isHeld?: boolean;
  /** The provider gives a reason for which nothing is sent to the account any more. */
  readonly isRefusedForGood?: boolean;
}

export interface Move {
  status: "processing" | "processed" | "rejected" | "reversed" | "failed";
  reason?: string;
}

const on = "POST /payouts";
/** Says nothing of the account, so that the next batch sends to it again. */
const invalidRequest = { on, status: 400, error: { reason: "input_validation_failed" } } as const;
const closedAccount = "bank_account_closed";
const cameBack = { status: "reversed", reason: "server_error_temporary" } as const;

/** In the order of their payouts. Never five without an answer in a row: that would end the run. */
export const PAYEES: readonly ScriptedPayee[] = [
  { name: "claimed by a run that died" },
  { name: "paid 1" },
  { name: "refused", fate: invalidRequest, until: "a payout failed" },
  { name: "answer dropped after acceptance", fate: { on, dropAfter: true } },
  { name: "paid 2", rupees: [400, 700] },
  {
    name: "dropped before acceptance",
    fate: { on, dropBefore: true },
    until: "an attempt was never accepted",
  },
  { name: "tax withheld", hasPan: false },
  { name: "paid at once", fate: { on, initialState: "processed" } },
  { name: "error after acceptance", fate: { on, status: 503, accept: true } },
  {
    name: "queued",
    fate: { on, initialState: "queued", endReason: "gateway_degraded" },
    later: { when: "ACCEPTED", moves: [{ status: "processing" }] },
  },
  { name: "paid 3" },
  {
    name: "error before acceptance",
    fate: { on, status: 503 },
    until: "an attempt was never accepted",
  },
  { name: "organization", isOrganization: true },
  { name: "failed after acceptance", fate: { on, endState: "failed" }, until: "a payout failed" },
  {
    name: "failed in the answer",
    fate: { on, initialState: "failed" },
    until: "a payout failed",
  },
  { name: "answer unreadable", fate: { on, malformed: true } },
  { name: "nothing left after tax", hasPan: false, rupees: [20_000], feePercent: 95 },
  { name: "no account", account: "none", until: "a payout failed" },
  {
    name: "account refused",
    fate: { on: "POST /fund_accounts", status: 400, error: { reason: "invalid_ifsc_code" } },
    until: "a payout failed",
    isRefusedForGood: true,
  },
  { name: "paid by UPI", account: "vpa" },
  {
    name: "contact not to be had",
    fate: { on: "POST /contacts", status: 503 },
    until: "a claim was given back",
  },
  { name: "paid 4", rupees: [300, 300, 600] },
  { name: "reversed", later: { when: "PROCESSED", moves: [cameBack] } },
  { name: "approved by hand", rupees: [9_000] },
  {
    name: "stays in processing",
    fate: { on, endState: "processing" },
    later: { when: "ACCEPTED", moves: [{ status: "processed" }] },
  },
  {
    name: "refused, then the answer is lost",
    fate: invalidRequest,
    until: "a payout failed",
    then: { on, dropAfter: true },
  },
  {
    name: "reversed with tax",
    isCompany: true,
    rupees: [4_000],
    later: { when: "PROCESSED", moves: [cameBack] },
  },
  {
    name: "rejected later",
    fate: { on, initialState: "pending" },
    until: "a payout failed",
    later: { when: "ACCEPTED", moves: [{ status: "rejected" }] },
  },
  {
    name: "completed here, failed there",
    later: { when: "PROCESSED", moves: [cameBack, { status: "failed" }] },
  },
  {
    name: "organization, refused",
    isOrganization: true,
    fate: invalidRequest,
    until: "a payout failed",
  },
  { name: "paid 5, by hand", rupees: [6_000, 2_000] },
  { name: "no answer after acceptance", fate: { on, hang: true, accept: true } },
  {
    name: "no answer before acceptance",
    fate: { on, hang: true },
    until: "an attempt was never accepted",
  },
  {
    name: "failed, and the answer lost",
    fate: { on, dropAfter: true, endState: "failed" },
    until: "a payout failed",
  },
  {
    name: "refused for good",
    fate: { on, status: 400, error: { reason: closedAccount } },
    isRefusedForGood: true,
  },
  {
    name: "failed for good",
    fate: { on, endState: "failed", endReason: closedAccount },
    isRefusedForGood: true,
  },
  {
    name: "came back for good",
    later: { when: "PROCESSED", moves: [{ status: "reversed", reason: closedAccount }] },
    isRefusedForGood: true,
  },
  { name: "paid 6", isCompany: true },
  {
    name: "not covered by the balance",
    fate: { on, lowBalance: true },
    until: "an attempt was turned away",
  },
  { name: "on hold", isHeld: true },
  { name: "below the minimum", rupees: [200] },
];

/** Ids are the same in every world, so that ends can be compared. */
export const consultantIdOf = (payee: ScriptedPayee): string => idOf("c", payee);
export const accountIdOf = (payee: ScriptedPayee): string => idOf("a", payee);
export const organizationIdOf = (payee: ScriptedPayee): string => idOf("d", payee);
export const earningIdOf = (payee: ScriptedPayee, index: number): string =>
  idOf(`e${index}`, payee);
export const accountNumberOf = (payee: ScriptedPayee): string => `99${numberOf(payee)}`;
export const vpaOf = (payee: ScriptedPayee): string => `payee${numberOf(payee)}@upi`;

function idOf(kind: string, payee: ScriptedPayee): string {
  return `${kind.padEnd(8, "0")}-0000-4000-8000-${numberOf(payee).padStart(12, "0")}`;
}

function numberOf(payee: ScriptedPayee): string {
  return String(PAYEES.indexOf(payee) + 1).padStart(10, "0");
}

/** The part of a request by which the payee's faults find it. */
export function matchOf(payee: ScriptedPayee, { on: route }: Fate): NonNullable<Fault["match"]> {
  if (route === "POST /contacts") return { contact_reference: consultantIdOf(payee) };
  return payee.account === "vpa"
    ? { vpa: vpaOf(payee) }
    : { account_number: accountNumberOf(payee) };
}

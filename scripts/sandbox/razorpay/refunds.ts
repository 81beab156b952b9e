import type { Clock } from "../../../lib/support/clock.ts";
import type { Account } from "./account.ts";
import type { RefundState } from "./checkout-states.ts";
import { checkRefundMove } from "./checkout-states.ts";
import { invalid, Refusal } from "./errors.ts";
import type { JsonObject, Notes } from "./fields.ts";
import { allowOnly, optionalNotes, optionalText, requiredPaise } from "./fields.ts";
import { REFUND_KEY_HEADER } from "./idempotency.ts";
import type { Ids } from "./ids.ts";
import type { Payment, Payments } from "./payments.ts";

export interface Refund {
  readonly id: string;
  readonly createdAtSeconds: number;
  readonly payment: Payment;
  readonly request: RefundRequest;
  readonly idempotencyKey: string | null;
  readonly endState: RefundState;
  readonly history: { state: RefundState; at: Date }[];
  state: RefundState;
  arn: string | null;
}

interface RefundRequest {
  amountPaise: number;
  speed: "normal" | "optimum";
  receipt: string | null;
  notes: Notes;
}

/** How a new refund departs from the usual course: `pending`, then `processed`. */
export interface RefundCourse {
  initialState?: RefundState;
  /** `pending` means that it stays there. */
  endState?: RefundState;
  /** Behave as if the balance did not cover this refund. */
  lowBalance?: boolean;
}

export interface Refunds {
  /** Throws a `Refusal` when the payment's state, its remaining amount or the balance forbids it. */
  create(order: {
    payment: Payment;
    request: RefundRequest;
    idempotencyKey: string | null;
    course: RefundCourse;
  }): Refund;
  get(id: string): Refund | undefined;
  /** Oldest first. */
  all(): readonly Refund[];
  ofPayment(paymentId: string): Refund[];
  /** Throws `IllegalMove`. */
  move(refund: Refund, to: RefundState): void;
  /** Ends every refund that has been pending for the settlement time. */
  settleDue(): void;
}

export function createRefunds(options: {
  account: Account;
  payments: Payments;
  clock: Clock;
  ids: Ids;
  settleAfterMs: number;
}): Refunds {
  const { account, payments, clock, ids, settleAfterMs } = options;
  const byId = new Map<string, Refund>();
  const unsettled = new Set<Refund>();

  function enter(refund: Refund, to: RefundState): void {
    refund.state = to;
    refund.history.push({ state: to, at: clock.now() });
    if (to !== "pending") unsettled.delete(refund);
    if (to === "processed") refund.arn = ids.utr();
    if (to !== "failed") return;
    const { payment, request } = refund;
    account.credit(request.amountPaise, () => ({ id: refund.id, entity: "refund" }));
    payments.refunded(payment, -request.amountPaise);
  }

  function move(refund: Refund, to: RefundState): void {
    checkRefundMove(refund.id, refund.state, to);
    enter(refund, to);
  }

  return {
    create({ payment, request, idempotencyKey, course }) {
      const earlier = [...byId.values()].filter((refund) => refund.payment === payment);
      checkReceipt(earlier, request.receipt);
      if (course.lowBalance || !account.covers(request.amountPaise)) throw notEnoughBalance();
      const refund: Refund = {
        id: ids.next("rfnd"),
        createdAtSeconds: Math.floor(clock.now().getTime() / 1000),
        payment,
        request,
        idempotencyKey,
        endState: course.endState ?? "processed",
        history: [],
        state: "pending",
        arn: null,
      };
      byId.set(refund.id, refund);
      account.debit(request.amountPaise, () => ({ id: refund.id, entity: "refund" }));
      payments.refunded(payment, request.amountPaise);
      enter(refund, "pending");
      const initial = course.initialState ?? "pending";
      if (initial !== "pending") move(refund, initial);
      // As with payouts: a refund that was put into a state stays there until it is moved.
      else if (course.initialState === undefined && refund.endState !== "pending")
        unsettled.add(refund);
      return refund;
    },
    get: (id) => byId.get(id),
    all: () => [...byId.values()],
    ofPayment: (paymentId) => [...byId.values()].filter(({ payment }) => payment.id === paymentId),
    move,
    settleDue() {
      const nowMs = clock.now().getTime();
      for (const refund of unsettled) {
        const since = refund.history[0]?.at.getTime() ?? nowMs;
        if (since + settleAfterMs <= nowMs) move(refund, refund.endState);
      }
    },
  };
}

/** Throws a `Refusal` that names the wrong field. Without an amount, the whole rest is refunded. */
export function parseRefund(body: JsonObject, payment: Payment): RefundRequest {
  allowOnly(body, ["amount", "speed", "receipt", "notes"]);
  const capturedPaise = payment.order.amountPaise;
  if (payment.state === "refunded")
    throw refusedWithoutReason("The payment has been fully refunded already.");
  if (payment.state !== "captured")
    throw refusedWithoutReason("The payment status should be captured for a refund.");
  const leftPaise = capturedPaise - payment.refundedPaise;
  const amountPaise = body["amount"] === undefined ? leftPaise : requiredPaise(body, "amount", 100);
  if (amountPaise > leftPaise)
    throw refusedWithoutReason("The refund amount is greater than what is left of the payment.");
  const speed = optionalText(body, "speed", { oneOf: ["normal", "optimum"] });
  return {
    amountPaise,
    speed: speed === "optimum" ? "optimum" : "normal",
    receipt: optionalText(body, "receipt", { max: 40 }),
    notes: optionalNotes(body),
  };
}

/** The key of a request, or null without one: the provider takes refunds without. */
export function refundKeyOf(key: string | undefined): string | null {
  if (key === undefined) return null;
  if (!/^[A-Za-z0-9_-]{10,}$/.test(key))
    throw invalid(
      REFUND_KEY_HEADER,
      "The idempotency key must have at least 10 letters, digits, hyphens or underscores.",
    );
  return key;
}

function checkReceipt(earlier: Refund[], receipt: string | null): void {
  if (receipt !== null && earlier.some(({ request }) => request.receipt === receipt))
    throw refusedWithoutReason("Duplicate receipt found for this refund request.");
}

function notEnoughBalance(): Refusal {
  return refusedWithoutReason("The account does not have enough balance for this refund.");
}

/** The refunds API gives a description and neither reason nor field. */
function refusedWithoutReason(description: string): Refusal {
  return new Refusal(400, { description, source: "NA", step: "NA", reason: null });
}

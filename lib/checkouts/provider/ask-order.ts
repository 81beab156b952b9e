import type {
  Answer,
  ProviderOrder,
  ProviderPayment,
  PaymentProvider,
  SystemicFault,
} from "../../provider/index.ts";

/** The provider's record of the payments of one order. */
export type OrderSays =
  /** Nothing of it is authorized or captured: it may be given up. The order's notes, for an annotation. */
  | { kind: "unpaid"; notes: Readonly<Record<string, string>> }
  /** Money of it has reached us and was not all refunded; oldest first. */
  | { kind: "captured"; payments: readonly ProviderPayment[] }
  /** The bank has set money aside for it, which may be captured any time. */
  | { kind: "authorized"; sinceMs: number }
  /**
   * No usable answer, or one that says nothing certain: nothing may be concluded. `isSilent`: there was no
   * answer at all, which may be the gateway's fault and not this order's.
   */
  | { kind: "unanswered"; code: string; detail: string; isSilent: boolean }
  /** The next order would meet the same fault. */
  | { kind: "systemic"; fault: SystemicFault; detail: string };

/**
 * Asks for the order, and then for its payments. The order comes first because only it can show that the order
 * does not exist, which must not stop a run. The list comes last because it is newer. The order's own status is
 * proof of payment, even if the list is incomplete.
 */
export async function askOrder(
  gateway: PaymentProvider,
  orderId: string,
  { signal }: { signal: AbortSignal },
): Promise<OrderSays> {
  const order = await gateway.fetchOrder(orderId, { signal });
  if (order.kind !== "accepted") return unusable(order);
  const payments = await gateway.listOrderPayments(orderId, { signal });
  if (payments.kind !== "accepted") return unusable(payments);
  return conclude(order.value, payments.value);
}

/**
 * The same with one call where the order shows no capture: authorized payments do not matter once the hold has
 * ended.
 */
export async function askForCaptures(
  gateway: PaymentProvider,
  orderId: string,
  { signal }: { signal: AbortSignal },
): Promise<OrderSays> {
  const order = await gateway.fetchOrder(orderId, { signal });
  if (order.kind !== "accepted") return unusable(order);
  const { status, amountPaidPaise, notes } = order.value;
  if ((status === "created" || status === "attempted") && !amountPaidPaise) {
    return { kind: "unpaid", notes };
  }
  const payments = await gateway.listOrderPayments(orderId, { signal });
  if (payments.kind !== "accepted") return unusable(payments);
  return conclude(order.value, payments.value);
}

function conclude(order: ProviderOrder, payments: readonly ProviderPayment[]): OrderSays {
  const captured = payments
    .filter((payment) => payment.captured && payment.status !== "refunded")
    .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  if (captured.length > 0) return { kind: "captured", payments: captured };
  const authorized = payments.filter(({ status }) => status === "authorized");
  if (authorized.length > 0) {
    return { kind: "authorized", sinceMs: Math.min(...authorized.map((one) => one.createdAtMs)) };
  }
  const odd =
    order.status === "unrecognised"
      ? order
      : payments.find(({ status }) => status === "unrecognised");
  if (odd) {
    const detail = `the provider has a status that is not known here: ${odd.statusText}`;
    return { kind: "unanswered", code: "UNRECOGNISED_STATUS", detail, isSilent: false };
  }
  const sentBack = payments.some(({ status }) => status === "refunded");
  if (!sentBack && (order.status === "paid" || (order.amountPaidPaise ?? 0n) > 0n)) {
    const detail = "the order is paid, and its list holds no payment that was captured";
    return { kind: "unanswered", code: "PAID_WITHOUT_PAYMENT", detail, isSilent: false };
  }
  return { kind: "unpaid", notes: order.notes };
}

function unusable(answer: Exclude<Answer<unknown>, { kind: "accepted" }>): OrderSays {
  switch (answer.kind) {
    case "systemic":
      return { kind: "systemic", fault: answer.fault, detail: answer.detail };
    case "refused":
      return {
        kind: "unanswered",
        code: answer.failure.code,
        detail: `the provider refuses to tell: ${answer.failure.description}`,
        isSilent: false,
      };
    case "unknown":
      return { kind: "unanswered", code: answer.cause, detail: answer.detail, isSilent: true };
  }
}

import * as z from "zod";
import { AfterhoursError } from "../support/errors.ts";
import type { Answer } from "../provider/answer.ts";
import { argumentErrors, checkedId, windowQuery, withQuery } from "./arguments.ts";
import type { Caller, RazorpayPorts } from "./caller.ts";
import { connect } from "./connect.ts";
import type { CallOptions } from "../provider/payout-provider.ts";
import { type JsonValue, parseJson } from "../provider/json.ts";
import { notesRules, sortedNotes } from "../provider/notes.ts";
import type { PaymentProvider, RefundRequest } from "../provider/payment-provider.ts";
import { bearsReceipt, type ProviderRefund } from "../provider/payments-entities.ts";
import {
  readDispute,
  readDisputes,
  readOrder,
  readPayment,
  readPayments,
  readRefund,
  readRefunds,
} from "./read-payments.ts";
import { expecting } from "./reading.ts";
import { walkList } from "../provider/walk-list.ts";
import type { RazorpayPaymentsSettings } from "./contract.ts";

const badArgument = argumentErrors("Razorpay");

/**
 * A client of the payments API. It keeps one rate limit for all its calls, so make one per process.
 * Its first one loads the HTTP client; import this module dynamically all the same.
 */
export function createRazorpayPayments(
  settings: RazorpayPaymentsSettings,
  ports: RazorpayPorts,
): PaymentProvider {
  const perform = connect(settings, ports);

  return {
    fetchOrder: async (orderId, options) =>
      perform(
        {
          operation: "fetch order",
          call: "fetch",
          request: { method: "GET", path: `/orders/${checkedId(orderId, badArgument)}` },
          read: expecting(readOrder, (order) => otherThan(orderId, order.id)),
        },
        options?.signal,
      ),

    listOrderPayments: async (orderId, options) =>
      perform(
        {
          operation: "list payments of order",
          call: "list",
          request: { method: "GET", path: `/orders/${checkedId(orderId, badArgument)}/payments` },
          read: expecting(readPayments, (payments) =>
            payments.every((payment) => payment.orderId === orderId)
              ? undefined
              : "payments of another order",
          ),
        },
        options?.signal,
      ),

    annotateOrder: async (orderId, notes, options) =>
      perform(
        {
          operation: "annotate order",
          call: "update-record",
          request: {
            method: "PATCH",
            path: `/orders/${checkedId(orderId, badArgument)}`,
            body: JSON.stringify({ notes: checkedNotes(notes) }),
          },
          read: expecting(readOrder, (order) => otherThan(orderId, order.id)),
        },
        options?.signal,
      ),

    fetchPayment: async (paymentId, options) =>
      perform(
        {
          operation: "fetch payment",
          call: "fetch",
          request: { method: "GET", path: `/payments/${checkedId(paymentId, badArgument)}` },
          read: expecting(readPayment, (payment) => otherThan(paymentId, payment.id)),
        },
        options?.signal,
      ),

    createRefund: async (request, options) => {
      const asked = readRefundRequest(request);
      return perform(
        {
          operation: "create refund",
          call: "create-refund",
          request: {
            method: "POST",
            path: `/payments/${checkedId(request.paymentId, badArgument)}/refund`,
            body: request.body,
            headers: { "X-Refund-Idempotency": request.idempotencyKey },
          },
          resend: request.resend,
          read: expecting(readRefund, (refund) => differenceFrom(asked, refund)),
        },
        options?.signal,
      );
    },

    fetchRefund: async (refundId, options) =>
      perform(
        {
          operation: "fetch refund",
          call: "fetch",
          request: { method: "GET", path: `/refunds/${checkedId(refundId, badArgument)}` },
          read: expecting(readRefund, (refund) => otherThan(refundId, refund.id)),
        },
        options?.signal,
      ),

    listRefunds: (paymentId, options) => listRefunds(perform, paymentId, options),

    listAllRefunds: async (window, options) =>
      perform(
        {
          operation: "list refunds",
          call: "list",
          request: {
            method: "GET",
            path: withQuery("/refunds", windowQuery(window, badArgument)),
          },
          read: readRefunds,
        },
        options?.signal,
      ),

    listDisputes: async (window, options) =>
      perform(
        {
          operation: "list disputes",
          call: "list",
          request: {
            method: "GET",
            path: withQuery("/disputes", windowQuery(window, badArgument)),
          },
          read: readDisputes,
        },
        options?.signal,
      ),

    fetchDispute: async (disputeId, options) =>
      perform(
        {
          operation: "fetch dispute",
          call: "fetch",
          request: { method: "GET", path: `/disputes/${checkedId(disputeId, badArgument)}` },
          read: expecting(readDispute, (dispute) => otherThan(disputeId, dispute.id)),
        },
        options?.signal,
      ),
  };
}

async function listRefunds(
  perform: Caller,
  paymentId: string,
  options: CallOptions = {},
): Promise<Answer<ProviderRefund[]>> {
  const path = `/payments/${checkedId(paymentId, badArgument)}/refunds`;
  const { signal = new AbortController().signal } = options;
  const refunds: ProviderRefund[] = [];
  const bodies: JsonValue[] = [];
  let httpStatus = 200;
  try {
    const walk = await walkList(
      async ({ count, skip }) => {
        const query = { count: String(count), skip: String(skip) };
        const page = await perform(
          {
            operation: "list refunds of payment",
            call: "list",
            request: { method: "GET", path: withQuery(path, query) },
            read: expecting(readRefunds, (found) =>
              found.every((refund) => refund.paymentId === paymentId)
                ? undefined
                : "refunds of another payment",
            ),
          },
          signal,
        );
        if (page.kind === "accepted") {
          bodies.push(page.body);
          httpStatus = page.httpStatus;
        }
        return page;
      },
      { signal, onPage: (page) => void refunds.push(...page) },
    );
    if (walk.kind === "unusable") return walk.answer;
    if (walk.kind === "interrupted") {
      return { kind: "unknown", cause: "interrupted", detail: "stopped before the list's end" };
    }
    return { kind: "accepted", value: refunds, httpStatus, body: bodies };
  } catch (thrown) {
    if (!(thrown instanceof AfterhoursError) || thrown.code !== "PROVIDER_LIST_ENDLESS") {
      throw thrown;
    }
    return { kind: "unknown", cause: "unreadable-answer", detail: thrown.message };
  }
}

const refundBody = z.object({
  amount: z.int().positive().transform(BigInt),
  receipt: z.string().min(1),
});

type AskedRefund = z.infer<typeof refundBody> & { paymentId: string };

/** The provider asks for at least 10; at most 36, so that one scheme of keys serves both APIs. */
const IDEMPOTENCY_KEY = /^[A-Za-z0-9_-]{10,36}$/;

function readRefundRequest(request: RefundRequest): AskedRefund {
  if (!IDEMPOTENCY_KEY.test(request.idempotencyKey)) {
    throw badArgument("idempotencyKey", "10 to 36 letters, digits, hyphens or underscores");
  }
  const parsed = refundBody.safeParse(parseJson(request.body));
  if (!parsed.success) throw badArgument("body", "JSON with amount and receipt");
  return { ...parsed.data, paymentId: request.paymentId };
}

function differenceFrom(asked: AskedRefund, refund: ProviderRefund): string | undefined {
  if (refund.paymentId !== asked.paymentId) return "another payment_id than was asked for";
  if (refund.amountPaise !== asked.amount) return "another amount than was asked for";
  // An answer that has lost the receipt is none of another refund: see `bearsReceipt`.
  return refund.receipt === null || bearsReceipt(refund, asked.receipt)
    ? undefined
    : "another receipt than was asked for";
}

function otherThan(wanted: string, found: string): string | undefined {
  return found === wanted ? undefined : "another id";
}

function checkedNotes(notes: Record<string, string>): Record<string, string> {
  for (const [field, holds, expected] of notesRules(notes)) {
    if (!holds) throw badArgument(field, expected);
  }
  return sortedNotes(notes);
}

import * as z from "zod";
import {
  PROVIDER_DISPUTE_STATUSES,
  PROVIDER_ORDER_STATUSES,
  PROVIDER_PAYMENT_STATUSES,
  PROVIDER_REFUND_STATUSES,
  type ProviderDispute,
  type ProviderOrder,
  type ProviderPayment,
  type ProviderRefund,
} from "../provider/payments-entities.ts";
import { amountPaise, anyDetail, id, listReader, type Reader, reader, text } from "./reading.ts";
import { scrubReference, scrubWord } from "./redact-body.ts";

const secondsAsMs = z
  .int()
  .nonnegative()
  .transform((seconds) => seconds * 1000);

/** `{}` or `[]` when there are none; values other than text are left out. */
const notes = z
  .record(z.string(), z.unknown())
  .transform((pairs) =>
    Object.fromEntries(
      Object.entries(pairs).filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    ),
  )
  .catch({});

/** A word of the provider's vocabulary, which is kept and shown. */
const word = anyDetail.transform((value) => (value === null ? null : scrubWord(value)));

const order = z
  .object({
    id,
    status: z.string().min(1),
    amount: amountPaise,
    amount_paid: amountPaise.nullish().catch(null),
    currency: z.string().min(1),
    receipt: text.catch(null),
    attempts: z.int().nonnegative().nullish().catch(null),
    notes,
    created_at: secondsAsMs,
  })
  .transform((raw): ProviderOrder => ({
    id: raw.id,
    status: known(PROVIDER_ORDER_STATUSES, raw.status),
    statusText: scrubWord(raw.status),
    amountPaise: raw.amount,
    amountPaidPaise: raw.amount_paid ?? null,
    currency: raw.currency,
    receipt: raw.receipt,
    attempts: raw.attempts ?? null,
    notes: raw.notes,
    createdAtMs: raw.created_at,
  }));

const payment = z
  .object({
    id,
    order_id: id.nullish(),
    status: z.string().min(1),
    amount: amountPaise,
    amount_refunded: amountPaise.nullish(),
    currency: z.string().min(1),
    captured: z.boolean().nullish(),
    method: word,
    error_reason: word,
    created_at: secondsAsMs,
  })
  .transform((raw): ProviderPayment => ({
    id: raw.id,
    orderId: raw.order_id ?? null,
    status: known(PROVIDER_PAYMENT_STATUSES, raw.status),
    statusText: scrubWord(raw.status),
    amountPaise: raw.amount,
    amountRefundedPaise: raw.amount_refunded ?? 0n,
    currency: raw.currency,
    captured: raw.captured ?? raw.status === "captured",
    method: raw.method,
    failureReason: raw.error_reason,
    createdAtMs: raw.created_at,
  }));

const refund = z
  .object({
    id,
    payment_id: id,
    status: z.string().min(1),
    amount: amountPaise,
    // Documented answers have "" here as well as INR; the payment says which currency it is.
    currency: z.enum(["INR", ""]).nullish(),
    receipt: text.catch(null),
    notes,
    acquirer_data: z
      .object({
        arn: anyDetail.transform((value) => (value === null ? null : scrubReference(value))),
      })
      .nullish()
      .catch(null),
    created_at: secondsAsMs,
  })
  .transform((raw): ProviderRefund => ({
    id: raw.id,
    paymentId: raw.payment_id,
    status: known(PROVIDER_REFUND_STATUSES, raw.status),
    statusText: scrubWord(raw.status),
    amountPaise: raw.amount,
    receipt: raw.receipt,
    notes: raw.notes,
    arn: raw.acquirer_data?.arn ?? null,
    createdAtMs: raw.created_at,
  }));

const dispute = z
  .object({
    id,
    payment_id: id,
    status: z.string().min(1),
    amount: amountPaise,
    amount_deducted: amountPaise.nullish(),
    currency: z.string().min(1),
    phase: word,
    reason_code: word,
    respond_by: secondsAsMs.nullish().catch(null),
    created_at: secondsAsMs,
  })
  .transform((raw): ProviderDispute => ({
    id: raw.id,
    paymentId: raw.payment_id,
    status: known(PROVIDER_DISPUTE_STATUSES, raw.status),
    statusText: scrubWord(raw.status),
    amountPaise: raw.amount,
    deductedPaise: raw.amount_deducted ?? 0n,
    currency: raw.currency,
    phase: raw.phase,
    reasonCode: raw.reason_code,
    respondByMs: raw.respond_by ?? null,
    createdAtMs: raw.created_at,
  }));

export const readOrder: Reader<ProviderOrder> = reader(order);
export const readPayment: Reader<ProviderPayment> = reader(payment);
export const readPayments: Reader<ProviderPayment[]> = listReader(payment);
export const readRefund: Reader<ProviderRefund> = reader(refund);
export const readRefunds: Reader<ProviderRefund[]> = listReader(refund);
export const readDispute: Reader<ProviderDispute> = reader(dispute);
export const readDisputes: Reader<ProviderDispute[]> = listReader(dispute);

function known<Status extends string>(
  statuses: readonly Status[],
  word: string,
): Status | "unrecognised" {
  return statuses.find((status) => status === word) ?? "unrecognised";
}

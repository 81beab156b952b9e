import { expect, onTestFinished, vi } from "vitest";
import type { Clock } from "../../../lib/support/clock.ts";
import type { Sandbox, SandboxOptions } from "../../../scripts/sandbox/razorpay/index.ts";
import { startSandbox } from "../../../scripts/sandbox/razorpay/index.ts";

export type Json = Record<string, unknown>;

export interface Answer {
  status: number;
  body: Json;
  headers: Headers;
}

export interface CallOptions {
  body?: unknown;
  /** Sent instead of `body`, as it is. */
  rawBody?: string;
  /** Of a payout. */
  key?: string;
  refundKey?: string;
  authorization?: string;
  signal?: AbortSignal;
}

/** A sandbox that stops when the test ends. */
export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  onTestFinished(() => sandbox.close());
  return sandbox;
}

/** A call with the sandbox's own credentials. Rejects when no answer comes. */
export async function call(
  sandbox: Sandbox,
  route: string,
  options: CallOptions = {},
): Promise<Answer> {
  const [method = "", path = ""] = route.split(" ");
  const { RAZORPAYX_KEY_ID: id, RAZORPAYX_KEY_SECRET: secret } = sandbox.env;
  const text = options.rawBody ?? (options.body ? JSON.stringify(options.body) : undefined);
  const response = await fetch(sandbox.url + path, {
    method,
    headers: {
      authorization:
        options.authorization ?? `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}`,
      ...(options.key === undefined ? {} : { "x-payout-idempotency": options.key }),
      ...(options.refundKey === undefined ? {} : { "x-refund-idempotency": options.refundKey }),
      ...(text === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(text === undefined ? {} : { body: text }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  return {
    status: response.status,
    body: (await response.json()) as Json,
    headers: response.headers,
  };
}

/** The `error` of a refusal with this status. */
export function errorOf(answer: Answer, status = 400): Json {
  expect(answer.status).toBe(status);
  return answer.body["error"] as Json;
}

export function itemsOf(answer: Answer): Json[] {
  expect(answer.body).toMatchObject({ entity: "collection" });
  return answer.body["items"] as Json[];
}

export function idOf(answer: Answer): string {
  expect(answer).toMatchObject({ status: 200 });
  return String(answer.body["id"]);
}

export async function addContact(sandbox: Sandbox, changes: Json = {}): Promise<string> {
  const body = { name: "Asha Verma", type: "vendor", reference_id: "consultant-1", ...changes };
  return idOf(await call(sandbox, "POST /contacts", { body }));
}

export async function addBankAccount(
  sandbox: Sandbox,
  options: { contactId?: string; accountNumber?: string } = {},
): Promise<string> {
  const body = {
    contact_id: options.contactId ?? (await addContact(sandbox)),
    account_type: "bank_account",
    bank_account: {
      name: "Asha Verma",
      ifsc: "HDFC0000053",
      account_number: options.accountNumber ?? "50100000000001",
    },
  };
  return idOf(await call(sandbox, "POST /fund_accounts", { body }));
}

export async function addVpa(sandbox: Sandbox, address = "asha@examplebank"): Promise<string> {
  const body = {
    contact_id: await addContact(sandbox),
    account_type: "vpa",
    vpa: { address },
  };
  return idOf(await call(sandbox, "POST /fund_accounts", { body }));
}

export function payoutBody(sandbox: Sandbox, fundAccountId: string, changes: Json = {}): Json {
  return {
    account_number: sandbox.env.RAZORPAYX_ACCOUNT_NUMBER,
    fund_account_id: fundAccountId,
    amount: 100_000,
    currency: "INR",
    mode: "IMPS",
    purpose: "payout",
    queue_if_low_balance: false,
    reference_id: "payout-1",
    narration: "Consultation fees",
    ...changes,
  };
}

let keys = 0;

/** Asks for a payout, under a key of its own unless one is given. */
export function pay(
  sandbox: Sandbox,
  fundAccountId: string,
  changes: Json = {},
  options: CallOptions = {},
): Promise<Answer> {
  return call(sandbox, "POST /payouts", {
    body: payoutBody(sandbox, fundAccountId, changes),
    key: `key-${++keys}`,
    ...options,
  });
}

export function listPayouts(sandbox: Sandbox, query = ""): Promise<Answer> {
  const account = sandbox.env.RAZORPAYX_ACCOUNT_NUMBER;
  return call(sandbox, `GET /payouts?account_number=${account}${query}`);
}

export async function statusesByReference(sandbox: Sandbox): Promise<Json> {
  const payouts = itemsOf(await listPayouts(sandbox, "&count=100"));
  return Object.fromEntries(
    payouts.map((payout) => [payout["reference_id"], payout["status"]]).reverse(),
  ) as Json;
}

/** A clock that moves only when told to. */
export function manualClock(start = "2026-11-02T10:00:00Z"): Clock & {
  advance(ms: number): void;
} {
  let ms = Date.parse(start);
  return {
    now: () => new Date(ms),
    monotonicMs: () => ms,
    advance: (by) => void (ms += by),
  };
}

/** Waits until the expectation holds, however busy the machine is. */
export function eventually(expectation: () => void): Promise<void> {
  return vi.waitFor(expectation, { timeout: 20_000, interval: 5 });
}

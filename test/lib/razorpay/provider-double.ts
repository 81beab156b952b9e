import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createRazorpayX } from "../../../lib/razorpay/client.ts";
import type { RazorpayPorts, RazorpayXSettings } from "../../../lib/razorpay/index.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import {
  type JsonValue,
  type PayoutProvider,
  buildPayoutRequest,
} from "../../../lib/provider/index.ts";

export const KEY_ID = "rzp_test_madeupkey";
export const KEY_SECRET = "madeup-secret-9f1c";
export const ACCOUNT_NUMBER = "7000000000000011";

export interface Received {
  method: string;
  url: string;
  headers: IncomingMessage["headers"];
  body: string;
}

/** A server on this machine that answers as the test says and remembers what it was asked. */
export async function startServer(
  respond: (response: ServerResponse, received: Received, nth: number) => void,
): Promise<{ baseUrl: string; port: number; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method = "", url = "", headers } = request;
      const seen = { method, url, headers, body: Buffer.concat(chunks).toString("utf8") };
      received.push(seen);
      respond(response, seen, received.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}/v1`, port, received };
}

/** A client whose back-off takes no time. */
export function clientOf(
  settings: Partial<RazorpayXSettings> & Pick<RazorpayXSettings, "baseUrl">,
  ports: Partial<RazorpayPorts> = {},
): PayoutProvider {
  return createRazorpayX(
    {
      keyId: KEY_ID,
      keySecret: KEY_SECRET,
      accountNumber: ACCOUNT_NUMBER,
      timeoutMs: 10_000,
      requestsPerSecond: 100,
      ...settings,
    },
    { clock: systemClock, random: () => 0.5, sleep: () => Promise.resolve(), ...ports },
  );
}

export function json(response: ServerResponse, httpStatus: number, body: JsonValue): void {
  response.writeHead(httpStatus, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

export function providerError(
  code = "BAD_REQUEST_ERROR",
  more: Record<string, JsonValue> = {},
): JsonValue {
  const error = { code, description: "Made-up refusal", source: "business", step: "NA" };
  return { error: { ...error, reason: "input_validation_failed", metadata: {}, ...more } };
}

export const sentRequest = buildPayoutRequest({
  accountNumber: ACCOUNT_NUMBER,
  fundAccountId: "fa_MadeUp0000001",
  amountPaise: 123_456n,
  mode: "IMPS",
  referenceId: "po-0001-1",
  narration: "Consultation fees",
});

/** The provider's answer to `sentRequest`. */
export function payoutBody(more: Record<string, JsonValue> = {}): Record<string, JsonValue> {
  return {
    id: "pout_MadeUp0000001",
    entity: "payout",
    fund_account_id: "fa_MadeUp0000001",
    amount: 123_456,
    currency: "INR",
    notes: [],
    fees: 0,
    tax: 0,
    status: "processing",
    purpose: "payout",
    utr: null,
    mode: "IMPS",
    reference_id: "po-0001-1",
    narration: "Consultation fees",
    batch_id: null,
    status_details: null,
    created_at: 1_750_000_000,
    fee_type: null,
    ...more,
  };
}

export const firstSend = {
  body: sentRequest.body,
  idempotencyKey: "po-0001-1",
  resend: false,
};

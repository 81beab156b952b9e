import { Agent, EnvHttpProxyAgent, errors, Pool, request as send } from "undici";
import { seconds } from "../support/clock.ts";
import { errorCode } from "../support/errors.ts";
import { isLoopbackHost } from "../support/loopback.ts";
import type { ConnectionSettings } from "./contract.ts";

export interface HttpRequest {
  method: "GET" | "POST" | "PATCH";
  /** Below the base URL, query included: `/payouts?count=10`. */
  path: string;
  body?: string;
  headers?: Record<string, string>;
}

/** The result: any answer, or the reason why there is none. */
export type Exchange =
  | { kind: "answer"; httpStatus: number; text: string; retryAfter: string | undefined }
  | { kind: "no-answer"; reason: "timeout" }
  | { kind: "no-answer"; reason: "interrupted" }
  /** `code` is Node's: `ECONNREFUSED`, `ECONNRESET`, `CERT_HAS_EXPIRED`. */
  | { kind: "no-answer"; reason: "network"; code: string };

export type Transport = (request: HttpRequest, signal?: AbortSignal) => Promise<Exchange>;

/**
 * A connection is used again only within this time, and only after a check that the other side has not closed
 * it. The provider keeps an idle one for longer. Otherwise a close during a request would look exactly like a
 * request that was lost after it arrived. One connection for each payout costs a handshake for each, and 0.37 ms
 * of processor time where a kept one takes 0.14. Through the `razorpay` package's axios it was 0.5 (3,000
 * payouts, 100 at once).
 */
const KEPT_FOR_MS = seconds(1);

/**
 * A full page of a list has 0.3 MB. The connection ends at the first byte beyond, with a code that means an
 * unreadable answer: a payout is then unknown, whatever the status said.
 */
export const LARGEST_ANSWER_BYTES = 4 * 2 ** 20;

/** A slower server will not answer: nothing has been sent by then. */
const MOST_TO_CONNECT_MS = seconds(10);

/**
 * HTTP exchanges with the provider. The `razorpay` package can't be used for money: its methods drop every
 * header but two without a word, so no idempotency key; they have no timeout; and they turn a network
 * failure into a TypeError that has lost its cause.
 *
 * Never rejects for anything that the network does. Nothing is sent twice here, and no redirect followed.
 */
export function createTransport({
  keyId,
  keySecret,
  baseUrl,
  timeoutMs,
}: Omit<ConnectionSettings, "requestsPerSecond">): Transport {
  const base = new URL(baseUrl);
  const ownHeaders = {
    accept: "application/json",
    // An answer is read as it comes.
    "accept-encoding": "identity",
    authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`,
    "user-agent": "afterhours",
  };
  const options = {
    keepAliveTimeout: KEPT_FOR_MS,
    keepAliveMaxTimeout: KEPT_FOR_MS,
    // One limit for the whole exchange: see `limitedBy`. A connection attempt that was given up ends by this
    // one.
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: LARGEST_ANSWER_BYTES,
    connect: { timeout: Math.min(MOST_TO_CONNECT_MS, timeoutMs) },
  };
  // Elsewhere HTTPS_PROXY counts, by which a runner without a fixed address gets an allow-listed one.
  const dispatcher = isLoopbackHost(base.hostname)
    ? new Agent(options)
    : new EnvHttpProxyAgent({
        ...options,
        // The connections to the proxy take none of these options, and would wait 300 s for a tunnel.
        clientFactory: (origin, own) => new Pool(origin, { ...own, headersTimeout: timeoutMs }),
      });

  return async ({ method, path, body, headers }, signal) => {
    const limits = limitedBy(timeoutMs, signal);
    try {
      const exchange = send(`${baseUrl}${path}`, {
        dispatcher,
        method,
        headers: {
          ...ownHeaders,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: body ?? null,
        signal: limits.signal,
      }).then(async ({ statusCode, headers: received, body: answer }) => ({
        kind: "answer" as const,
        httpStatus: statusCode,
        text: await answer.text(),
        retryAfter: firstOf(received["retry-after"]),
      }));
      // While it connects the client does not listen to the signal; once connected it sends nothing then.
      return await Promise.race([exchange, limits.fired]);
    } catch (thrown) {
      const reason = limits.firedBecause();
      return reason
        ? { kind: "no-answer", reason }
        : { kind: "no-answer", reason: "network", code: cleanCode(thrown) };
    } finally {
      limits.clear();
    }
  };
}

/**
 * A signal that fires when time is up or when the caller's fires, and which of them it was. A client's
 * own timeouts measure silence, so an answer that drips in would never end them.
 */
function limitedBy(
  timeoutMs: number,
  outer: AbortSignal | undefined,
): {
  signal: AbortSignal;
  /** Rejects when the signal fires. */
  fired: Promise<never>;
  firedBecause: () => "timeout" | "interrupted" | undefined;
  clear: () => void;
} {
  const controller = new AbortController();
  let giveUp: () => void = () => undefined;
  const fired = new Promise<never>((_, reject) => {
    giveUp = () => reject(new Error("given up"));
  });
  fired.catch(() => undefined);
  let because: "timeout" | "interrupted" | undefined;
  const fire = (reason: "timeout" | "interrupted"): void => {
    because ??= reason;
    controller.abort();
    giveUp();
  };
  const interrupt = (): void => fire("interrupted");
  const timer = setTimeout(() => fire("timeout"), timeoutMs);
  if (outer?.aborted) interrupt();
  outer?.addEventListener("abort", interrupt, { once: true });
  return {
    signal: controller.signal,
    fired,
    firedBecause: () => because,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", interrupt);
    },
  };
}

function firstOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header : header?.[0];
}

/** The code alone: messages quote addresses. */
function cleanCode(thrown: unknown): string {
  // Of bytes that are no HTTP at all it gives no code.
  const code =
    errorCode(thrown) ?? (thrown instanceof errors.HTTPParserError ? "HPE_UNKNOWN" : undefined);
  return code !== undefined && /^[A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN_NETWORK_ERROR";
}

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import Razorpay from "razorpay";
import { AfterhoursError, errorCode } from "../support/errors.ts";
import type { ConnectionSettings } from "./contract.ts";
import { isLoopbackHost } from "../support/loopback.ts";

export interface HttpRequest {
  method: "GET" | "POST" | "PATCH";
  /** Below the base URL, query included: `/payouts?count=10`. */
  path: string;
  body?: string;
  headers?: Record<string, string>;
  /**
   * A connection of its own. On a kept one the provider may just be hanging up, which looks exactly
   * like a request that was lost after it arrived.
   */
  freshConnection: boolean;
}

/** What came back: an answer, whatever it says, or the reason why there is none. */
export type Exchange =
  | { kind: "answer"; httpStatus: number; text: string; retryAfter: string | undefined }
  | { kind: "no-answer"; reason: "timeout" }
  | { kind: "no-answer"; reason: "interrupted" }
  /** `code` is Node's: `ECONNREFUSED`, `ECONNRESET`, `CERT_HAS_EXPIRED`. */
  | { kind: "no-answer"; reason: "network"; code: string };

export type Transport = (request: HttpRequest, signal?: AbortSignal) => Promise<Exchange>;

/**
 * One HTTP exchange through the axios instance that the official package configures with our
 * credentials. The package's own methods can't be used for money: they drop every header but two without
 * a word, so no idempotency key; they have no timeout; and they turn a network failure into
 * a TypeError that has lost its cause.
 *
 * Never rejects for anything that the network does, and lets no axios error out: those carry the
 * credentials in their configuration.
 */
export function createTransport(
  settings: Omit<ConnectionSettings, "requestsPerSecond">,
): Transport {
  const call = axiosOf(new Razorpay({ key_id: settings.keyId, key_secret: settings.keySecret }));
  const fresh = {
    httpAgent: new HttpAgent({ keepAlive: false }),
    httpsAgent: new HttpsAgent({ keepAlive: false }),
  };
  // Elsewhere HTTPS_PROXY counts, by which a runner without a fixed address gets an allow-listed one.
  const direct = isLoopbackHost(new URL(settings.baseUrl).hostname)
    ? { proxy: false as const }
    : {};

  return async (request, signal) => {
    const limits = limitedBy(settings.timeoutMs, signal);
    try {
      const response = await call({
        baseURL: settings.baseUrl,
        url: request.path,
        method: request.method,
        headers: { Accept: "application/json", ...contentType(request), ...request.headers },
        data: request.body,
        signal: limits.signal,
        ...direct,
        ...(request.freshConnection ? fresh : {}),
        // An answer is text until classify.ts has looked at its status, and the body leaves as it is:
        // by default axios trims it.
        responseType: "text",
        transformRequest: [unchanged],
        transformResponse: [unchanged],
        validateStatus: () => true,
        maxRedirects: 0,
      });
      return {
        kind: "answer",
        httpStatus: response.status,
        text: typeof response.data === "string" ? response.data : "",
        retryAfter: headerOf(response.headers, "retry-after"),
      };
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

/** As much of axios as is used here; it is the package's dependency, not ours. */
type AxiosCall = (config: {
  baseURL: string;
  url: string;
  method: string;
  headers: Record<string, string>;
  data: string | undefined;
  signal: AbortSignal;
  proxy?: false;
  httpAgent?: HttpAgent;
  httpsAgent?: HttpsAgent;
  responseType: "text";
  transformRequest: ((data: unknown) => unknown)[];
  transformResponse: ((data: unknown) => unknown)[];
  validateStatus: () => boolean;
  maxRedirects: number;
}) => Promise<{ status: number; data: unknown; headers: object }>;

function axiosOf(razorpay: Razorpay): AxiosCall {
  const api: object = razorpay.api;
  if (!("rq" in api) || typeof api.rq !== "function") {
    throw new AfterhoursError(
      "RAZORPAY_PACKAGE_CHANGED",
      "The razorpay package no longer offers its HTTP instance as `api.rq`.",
      { remedy: "Install the version of razorpay that package.json names." },
    );
  }
  return api.rq as AxiosCall;
}

function contentType(request: HttpRequest): Record<string, string> {
  return request.body === undefined ? {} : { "Content-Type": "application/json" };
}

function unchanged(data: unknown): unknown {
  return data;
}

/**
 * A signal that fires when time is up or when the caller's fires, and which of them it was. Axios's
 * own timeout measures silence, so an answer that drips in would never end it.
 */
function limitedBy(
  timeoutMs: number,
  outer: AbortSignal | undefined,
): {
  signal: AbortSignal;
  firedBecause: () => "timeout" | "interrupted" | undefined;
  clear: () => void;
} {
  const controller = new AbortController();
  let because: "timeout" | "interrupted" | undefined;
  const fire = (reason: "timeout" | "interrupted"): void => {
    because ??= reason;
    controller.abort();
  };
  const interrupt = (): void => fire("interrupted");
  const timer = setTimeout(() => fire("timeout"), timeoutMs);
  if (outer?.aborted) interrupt();
  outer?.addEventListener("abort", interrupt, { once: true });
  return {
    signal: controller.signal,
    firedBecause: () => because,
    clear: () => {
      clearTimeout(timer);
      outer?.removeEventListener("abort", interrupt);
    },
  };
}

function headerOf(headers: object, name: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(headers)).get(name);
  return typeof value === "string" ? value : undefined;
}

/** The code alone: messages quote addresses, and the error itself carries our credentials. */
function cleanCode(thrown: unknown): string {
  const code = errorCode(thrown);
  return code !== undefined && /^[A-Z0-9_]{1,60}$/.test(code) ? code : "UNKNOWN_NETWORK_ERROR";
}

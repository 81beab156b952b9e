import type { JsonValue } from "./json.ts";

/**
 * The result of a call to the provider. Money depends on keeping the four apart:
 *
 * - `accepted`: the provider has the request, and its answer could be read.
 * - `refused`: the provider itself refused this one request. For a create, nothing was accepted.
 * - `unknown`: the provider may or may not have accepted it. Only a look-up at the provider ends this.
 * - `systemic`: the next request would meet the same fault, so a run stops here.
 *
 * `body` is the provider's answer with personal data removed; absent without an answer, or when the answer was
 * not JSON.
 */
export type Answer<T> =
  | { kind: "accepted"; value: T; httpStatus: number; body: JsonValue }
  | { kind: "refused"; httpStatus: number; failure: Failure; body: JsonValue }
  | UnknownAnswer
  | SystemicAnswer;

export interface UnknownAnswer {
  kind: "unknown";
  cause: UnknownCause;
  /** The plain refusal of a request that may have been sent before. It says nothing of the earlier one. */
  refusal?: Failure;
  httpStatus?: number;
  detail: string;
  body?: JsonValue;
}

export interface SystemicAnswer {
  kind: "systemic";
  fault: SystemicFault;
  /**
   * True only when the provider itself, in its own error format, turned the request down and
   * nothing was sent before under the same key. False says no more than that we can't be certain: a
   * payout attempt that meets it is as unknown as one that timed out.
   */
  certainlyNotAccepted: boolean;
  httpStatus?: number;
  detail: string;
  body?: JsonValue;
}

export type UnknownCause =
  | "timeout"
  | "server-error"
  | "connection-lost"
  /** A success that is not the promised JSON, or that describes another payout than was asked for. */
  | "unreadable-answer"
  /** The caller's signal fired; the detail says whether anything had been sent. */
  | "interrupted"
  /** 409, a text that speaks of an earlier request under this key, or a refusal of a resend. */
  | "conflict";

export type SystemicFault =
  | "credentials"
  | "not-allow-listed"
  | "gateway-unreachable"
  | "rate-limited"
  | "insufficient-balance"
  | "wrong-address";

/** The provider's own reason for a refusal. The description has personal data scrubbed out. */
export interface Failure {
  code: string;
  reason: string | null;
  field: string | null;
  description: string;
}

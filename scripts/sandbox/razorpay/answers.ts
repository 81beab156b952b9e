import type { ServerResponse } from "node:http";
import type { CallRecord } from "./calls.ts";
import type { Refusal } from "./errors.ts";
import { apiError } from "./errors.ts";
import type { CompleteFault } from "./faults.ts";

export interface Answer {
  status: number;
  body: object;
}

export function refusalAnswer(refusal: Refusal): Answer {
  return { status: refusal.status, body: { error: refusal.error } };
}

/** The answer of a fault with a status: the usual error of that status, with the fault's changes. */
export function faultAnswer(fault: CompleteFault, status: number): Answer {
  const { without = [], ...changes } = fault.error ?? {};
  const given = Object.entries(changes).filter(([, value]) => value !== undefined);
  const leftOut: ReadonlySet<string> = new Set(without);
  const error = Object.fromEntries(
    Object.entries(apiError(status, Object.fromEntries(given))).filter(
      ([field]) => !leftOut.has(field),
    ),
  );
  return { status, body: { ...(fault.oldBody ? { statusCode: status } : {}), error } };
}

interface SendOptions {
  call?: CallRecord;
  nullAsText?: boolean;
  /** Seconds. */
  retryAfter?: number | undefined;
  /** Send only the first half of the body, as a broken proxy would. */
  cutShort?: boolean;
}

/** Does nothing when the caller has gone. */
export function send(response: ServerResponse, answer: Answer, options: SendOptions = {}): void {
  if (response.destroyed) return;
  const whole = options.nullAsText
    ? JSON.stringify(answer.body, textForNull)
    : JSON.stringify(answer.body);
  const text = options.cutShort ? whole.slice(0, whole.length / 2) : whole;
  if (options.call) options.call.status = answer.status;
  if (options.retryAfter !== undefined) response.setHeader("retry-after", options.retryAfter);
  response.writeHead(answer.status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function textForNull(key: string, value: unknown): unknown {
  return value === null && (key === "utr" || key === "step" || key === "reason") ? "null" : value;
}

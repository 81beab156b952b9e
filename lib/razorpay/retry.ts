import type { Answer } from "../provider/answer.ts";
import { backOffMs, type BackOff } from "../support/back-off.ts";
import type { CallKind } from "./classify.ts";

/** Full jitter: without it, all rejected requests would return together. */
const BACK_OFF: BackOff = { firstMs: 500, longestMs: 8_000, jitter: [0, 1] };
const LONGEST_RETRY_AFTER_MS = 30_000;
/** All waits of one call together. */
const LONGEST_TOTAL_MS = 60_000;

const MOST_TRIES_WHEN_LIMITED = 6;
const MOST_TRIES_WHEN_FAILED = 4;

/** A repeat of these has no further effect. */
const REPEATABLE: ReadonlySet<CallKind> = new Set([
  "create-record",
  "update-record",
  "list",
  "fetch",
]);

/**
 * How long to wait before the next try, or `undefined` when this answer is final.
 *
 * The provider doesn't document Retry-After; a Retry-After in an answer is the shortest wait.
 */
export function retryDelayMs(after: {
  answer: Answer<unknown>;
  call: CallKind;
  tries: number;
  waitedMs: number;
  retryAfterMs: number | undefined;
  random: () => number;
}): number | undefined {
  const tries = mostTries(after.answer, after.call);
  const waitMs = backOffMs({ ...BACK_OFF, tries }, after.tries, after.random);
  if (waitMs === undefined) return undefined;
  const askedMs = Math.min(after.retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS);
  const delayMs = askedMs + waitMs;
  return after.waitedMs + delayMs > LONGEST_TOTAL_MS ? undefined : delayMs;
}

/** The answer in one word, as a retry event tells it. */
export function answerWord(answer: Answer<unknown>): string {
  if (answer.kind === "unknown") return answer.cause;
  return answer.kind === "systemic" ? answer.fault : answer.kind;
}

/** A `Retry-After` header, in seconds or as an HTTP date; `undefined` for anything else. */
export function parseRetryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}

function mostTries(answer: Answer<unknown>, call: CallKind): number {
  const word = answerWord(answer);
  if (word === "rate-limited") return MOST_TRIES_WHEN_LIMITED;
  const mayPass = ["timeout", "server-error", "connection-lost", "gateway-unreachable"];
  return REPEATABLE.has(call) && mayPass.includes(word) ? MOST_TRIES_WHEN_FAILED : 1;
}

import { type Clock, sleep as realSleep } from "../support/clock.ts";
import type { Random } from "../support/random.ts";
import type { Redactor } from "../support/redact.ts";
import type { Answer } from "../provider/answer.ts";
import { type CallKind, classify, movesMoney } from "./classify.ts";
import type { RateLimiter, Sleep } from "./rate-limit.ts";
import type { Reader } from "./reading.ts";
import { answerWord, parseRetryAfterMs, retryDelayMs } from "./retry.ts";
import type { HttpRequest, Transport } from "./transport.ts";
import type { RetryEvent } from "./contract.ts";

export interface RazorpayPorts {
  clock: Clock;
  random: Random;
  /** Knows the secrets of this run, which the provider may repeat to us. Default: it knows the provider's keys. */
  redactor?: Redactor;
  /** Called before every repeat, e.g. to log it. Its errors are ignored: money is in transit. */
  onRetry?: (event: RetryEvent) => void;
  /** How back-off waits; a test makes it short. */
  sleep?: Sleep;
}

interface Call<T> {
  /** For the reader of a log: `create payout`. */
  operation: string;
  call: CallKind;
  request: HttpRequest;
  resend?: boolean;
  read: Reader<T>;
}

export type Caller = <T>(call: Call<T>, signal?: AbortSignal) => Promise<Answer<T>>;

/** Keeps the rate limit, sends, classifies, and repeats where that is allowed. */
export function createCaller(
  parts: {
    openTransport: () => Promise<Transport>;
    limiter: RateLimiter;
    redactor: Redactor;
  } & RazorpayPorts,
): Caller {
  const { openTransport, limiter, clock, random, redactor, onRetry, sleep = realSleep } = parts;

  return async (call, signal) => {
    // Before the turn is taken: a delay between a turn and its request blurs the rate.
    const transport = await openTransport();
    let resend = call.resend ?? false;
    let waitedMs = 0;
    for (let tries = 1; ; tries += 1) {
      if (!(await limiter.take(signal)) || signal?.aborted) return notSent(tries);
      const exchange = await transport(call.request, signal);
      const answer = classify(exchange, { call: call.call, resend, read: call.read }, redactor);

      const header = exchange.kind === "answer" ? exchange.retryAfter : undefined;
      const retryAfterMs = parseRetryAfterMs(header, clock.now());
      const delayMs = retryDelayMs({
        answer,
        call: call.call,
        tries,
        waitedMs,
        retryAfterMs,
        random,
      });
      if (delayMs === undefined) return answer;

      // A 429 that is not in the provider's format proves nothing: the request may have arrived.
      if (movesMoney(call.call) && !isCertain(answer)) resend = true;
      tell({
        operation: call.operation,
        nextTry: tries + 1,
        delayMs,
        because: answerWord(answer),
        ...("httpStatus" in answer ? { httpStatus: answer.httpStatus } : {}),
      });
      await sleep(delayMs, signal);
      waitedMs += delayMs;
      if (signal?.aborted) return answer; // the last answer is kept: nothing was sent since
    }
  };

  function tell(event: RetryEvent): void {
    try {
      onRetry?.(event);
    } catch {
      // A failing listener must not decide over money.
    }
  }
}

function isCertain(answer: Answer<unknown>): boolean {
  return answer.kind === "systemic" && answer.certainlyNotAccepted;
}

function notSent(tries: number): Answer<never> {
  const detail = tries === 1 ? "stopped before anything was sent" : "stopped before a repeat";
  return { kind: "unknown", cause: "interrupted", detail };
}

import { createRedactor, type Redactor } from "../support/redact.ts";
import { faultOfCode, isTlsFault } from "../support/server-fault/index.ts";
import type {
  Answer,
  Failure,
  SystemicFault,
  UnknownAnswer,
  UnknownCause,
} from "../provider/answer.ts";
import { hear, type Heard, readFailure } from "./failure-words.ts";
import { type JsonValue, parseJson } from "../provider/json.ts";
import type { Reader } from "./reading.ts";
import { redactBody, withoutSecrets } from "./redact-body.ts";
import type { Exchange } from "./transport.ts";

/**
 * `create-record` makes a contact or fund account, `update-record` writes the same again on one that
 * exists; `list` reads many, `fetch` one by its id.
 */
export type CallKind =
  | "create-payout"
  | "cancel-payout"
  | "create-refund"
  | "create-record"
  | "update-record"
  | "list"
  | "fetch";

/** Whether accepting it twice would pay twice. */
export function movesMoney(call: CallKind): boolean {
  return call === "create-payout" || call === "create-refund";
}

interface Question<T> {
  call: CallKind;
  /** Whether the same request may have reached the provider before. */
  resend: boolean;
  read: Reader<T>;
}

/**
 * The meaning of an exchange, by HTTP status and by the text of the error (see `hear`).
 *
 * Only the provider itself may report that a request failed. A proxy's HTML page has the right status and proves
 * nothing, and a failed connection may be the second try of a layer below. So every certainty here needs an
 * answer in the provider's error format, without a word that casts doubt.
 */
export function classify<T>(
  exchange: Exchange,
  question: Question<T>,
  redactor: Redactor = createRedactor(),
): Answer<T> {
  if (exchange.kind === "no-answer") return classifySilence(exchange);
  const { httpStatus, text } = exchange;
  const parsed = parseJson(text);
  const body = parsed === undefined ? undefined : withoutSecrets(parsed, redactor);
  const failure = body === undefined ? undefined : readFailure(body);
  const heard: Heard = body === undefined ? { fault: undefined, doubt: undefined } : hear(body);
  const said: Said = {
    httpStatus,
    failure,
    body: body === undefined ? undefined : redactBody(body),
    certain:
      failure !== undefined &&
      !question.resend &&
      heard.doubt === undefined &&
      TURNS_DOWN.has(httpStatus),
  };

  if (httpStatus >= 200 && httpStatus < 300) return classifySuccess(said, body, question);
  if (httpStatus >= 300 && httpStatus < 400) {
    return systemic("wrong-address", said, "a redirect, not followed");
  }
  if (heard.fault) return systemic(heard.fault, said);
  if (httpStatus >= 500) return unknown("server-error", said);
  if (heard.doubt === "conflict" && !READS_OR_CANCELS.has(question.call)) {
    return unknown("conflict", said);
  }
  switch (httpStatus) {
    case 400:
    case 422:
      return classifyRefusal(said, { question, heard });
    case 401:
      return systemic("credentials", said);
    case 403:
      return systemic("not-allow-listed", said);
    case 404:
      return classifyNotFound(said, { question, heard });
    case 408:
      return unknown("timeout", said);
    case 409:
      return unknown("conflict", said);
    case 429:
      return systemic("rate-limited", said);
    default:
      return unknown("unreadable-answer", said, "a status that the provider doesn't document");
  }
}

interface Said {
  httpStatus: number;
  failure: Failure | undefined;
  body: JsonValue | undefined;
  certain: boolean;
}

/** The numbers by which the provider says that a request was not accepted. */
const TURNS_DOWN: ReadonlySet<number> = new Set([400, 401, 403, 404, 422, 429]);

/** "It is processed already" refuses a cancellation, and says nothing of a request that we made. */
const READS_OR_CANCELS: ReadonlySet<CallKind> = new Set(["list", "fetch", "cancel-payout"]);

/** The connection was never made: refused, no such host, no route, or a proxy that does not let us through. */
const UNREACHABLE_CODES = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "EHOSTDOWN",
  "ENETUNREACH",
  "ENETDOWN",
  "UND_ERR_ABORTED",
]);

const CONNECT_TIMEOUT_CODES = new Set(["ETIMEDOUT", "UND_ERR_CONNECT_TIMEOUT"]);

/** The answer was not HTTP, or larger than an answer may be. */
const UNREADABLE_CODES = /^(HPE_|UND_ERR_(HEADERS_OVERFLOW|RES_))/;

function classifySilence(exchange: Extract<Exchange, { kind: "no-answer" }>): Answer<never> {
  if (exchange.reason === "interrupted") {
    return {
      kind: "unknown",
      cause: "interrupted",
      detail: "stopped while waiting for the answer",
    };
  }
  if (exchange.reason === "timeout") {
    return { kind: "unknown", cause: "timeout", detail: "no complete answer within the timeout" };
  }
  const { code } = exchange;
  if (UNREACHABLE_CODES.has(code) || isTlsCode(code)) {
    return {
      kind: "systemic",
      fault: "gateway-unreachable",
      certainlyNotAccepted: false,
      detail: code,
    };
  }
  if (CONNECT_TIMEOUT_CODES.has(code)) return { kind: "unknown", cause: "timeout", detail: code };
  const unreadable = UNREADABLE_CODES.test(code);
  return {
    kind: "unknown",
    cause: unreadable ? "unreadable-answer" : "connection-lost",
    detail: code,
  };
}

/** The handshake failed, so that nothing was sent: the list is that of every server. */
function isTlsCode(code: string): boolean {
  const fault = faultOfCode(code);
  return fault !== undefined && isTlsFault(fault);
}

function classifySuccess<T>(
  said: Said,
  body: JsonValue | undefined,
  question: Question<T>,
): Answer<T> {
  if (body === undefined) return unknown("unreadable-answer", said, "not JSON, or cut short");
  const reading = question.read(body);
  if (!reading.ok) return unknown("unreadable-answer", said, reading.problem);
  return {
    kind: "accepted",
    value: reading.value,
    httpStatus: said.httpStatus,
    body: said.body ?? null,
  };
}

function classifyRefusal<T>(
  said: Said,
  { question, heard }: { question: Question<T>; heard: Heard },
): Answer<never> {
  const { failure } = said;
  if (failure === undefined) {
    return unknown("unreadable-answer", said, "a refusal that is not in the provider's format");
  }
  if (heard.doubt === "server-error") return unknown("server-error", said);
  if (question.resend) return { ...unknown("conflict", said), refusal: failure };
  return refused(said, failure);
}

const NAME_ONE: ReadonlySet<CallKind> = new Set(["fetch", "cancel-payout", "update-record"]);

/** Only a call that names one record by its id can be told that there is no such record. */
function classifyNotFound<T>(
  said: Said,
  { question, heard }: { question: Question<T>; heard: Heard },
): Answer<never> {
  if (heard.doubt === "server-error") return unknown("server-error", said);
  return NAME_ONE.has(question.call) && said.failure
    ? refused(said, said.failure)
    : systemic("wrong-address", said);
}

function refused(said: Said, failure: Failure): Answer<never> {
  return { kind: "refused", httpStatus: said.httpStatus, failure, body: said.body ?? null };
}

function unknown(cause: UnknownCause, said: Said, note?: string): UnknownAnswer {
  return { kind: "unknown", cause, ...described(said, note) };
}

function systemic(fault: SystemicFault, said: Said, note?: string): Answer<never> {
  return {
    kind: "systemic",
    fault,
    certainlyNotAccepted: said.certain,
    ...described(said, note),
  };
}

function described(
  said: Said,
  note: string | undefined,
): { httpStatus: number; detail: string; body?: JsonValue } {
  const { httpStatus, failure, body } = said;
  const parts = [
    `HTTP ${httpStatus}`,
    ...(failure ? [[failure.code, failure.reason].filter(Boolean).join(" ")] : []),
    ...(failure?.description ? [failure.description] : []),
    ...(note === undefined ? [] : [note]),
  ];
  return { httpStatus, detail: parts.join(": "), ...(body === undefined ? {} : { body }) };
}

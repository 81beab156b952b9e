import { createHash } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { refusalAnswer, send } from "./answers.ts";
import type { ApiCallContext } from "./api-call.ts";
import { answerApiCall } from "./api-call.ts";
import type { CallRecord } from "./calls.ts";
import { answerControl, type ControlAnswer } from "./control-http.ts";
import { isLoopbackHost } from "../../../lib/support/loopback.ts";
import type { SandboxControl } from "./control.ts";
import { Refusal, urlNotFound } from "./errors.ts";
import { PAYOUT_KEY_HEADER, REFUND_KEY_HEADER } from "./idempotency.ts";
import { routeOf } from "./routes.ts";

interface ListenerOptions extends ApiCallContext {
  control: SandboxControl;
  keyId: string;
  keySecret: string;
  onCall: ((call: CallRecord) => void) | undefined;
}

const CONTROL = "/__sandbox";
const MAX_BODY_BYTES = 1_000_000;

/** Sends a request to the control endpoints, or logs it, checks its credentials and finds its route. */
export function createListener(options: ListenerOptions): RequestListener {
  const credentials = Buffer.from(`${options.keyId}:${options.keySecret}`).toString("base64");
  return (request, response) => {
    const { path, query } = splitUrl(request.url ?? "/");
    if (path.startsWith(`${CONTROL}/`)) {
      const foreign = foreignCaller(request);
      if (foreign !== undefined) send(response, foreign);
      else answerControlRequest(options.control, request, response, path.slice(CONTROL.length));
      return;
    }
    const call = startCall(options, request, response, path);
    readBody(request, (body) => {
      const refuse = (refusal: Refusal): void =>
        send(response, refusalAnswer(refusal), { call, nullAsText: options.nullAsText });
      if (body === undefined) {
        refuse(tooLarge());
        return;
      }
      if (body.length > 0) call.body_sha256 = createHash("sha256").update(body).digest("hex");
      if (request.headers.authorization !== `Basic ${credentials}`) {
        refuse(new Refusal(401));
        return;
      }
      const found = routeOf(call.method, path);
      if (!found) {
        refuse(urlNotFound());
        return;
      }
      void answerApiCall(options, response, call, {
        route: found.route,
        id: found.id ?? "",
        query: new URLSearchParams(query),
        rawBody: body.toString("utf8"),
        idempotencyKey: call.idempotency_key ?? undefined,
      });
    });
  };
}

/**
 * The control endpoints ask for no credentials, so a page in a browser on this machine could call them: by a name
 * that leads here, or from another site. The first shows in the host, the second in the origin.
 */
function foreignCaller({
  headers: { host = "", origin },
}: IncomingMessage): ControlAnswer | undefined {
  const isHere =
    URL.canParse(`http://${host}`) && isLoopbackHost(new URL(`http://${host}`).hostname);
  if (isHere && (origin === undefined || origin === `http://${host}`)) return undefined;
  const description = isHere
    ? "Another site called. The control endpoints answer no page but the sandbox's own."
    : "The host is no loopback name. Call the control endpoints by 127.0.0.1 or localhost.";
  return { status: 403, body: { error: { description } } };
}

function answerControlRequest(
  control: SandboxControl,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  readBody(request, (body) => {
    const { method = "GET" } = request;
    const answer = body
      ? answerControl(control, { method, path, rawBody: body.toString("utf8") })
      : refusalAnswer(tooLarge());
    send(response, answer);
  });
}

function startCall(
  { state, onCall }: ListenerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): CallRecord {
  const header = path.endsWith("/refund") ? REFUND_KEY_HEADER : PAYOUT_KEY_HEADER;
  const key = request.headers[header.toLowerCase()];
  const call = state.calls.start({
    method: request.method ?? "GET",
    path,
    idempotency_key: typeof key === "string" ? key : null,
  });
  response.on("close", () => {
    if (!response.writableFinished) call.status = "dropped";
    onCall?.(call);
  });
  return call;
}

/** `/v1/payouts?count=1` and `/payouts?count=1` are the same call. */
function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf("?");
  const whole = mark === -1 ? url : url.slice(0, mark);
  const path = whole.startsWith("/v1/") ? whole.slice(3) : whole;
  return { path, query: mark === -1 ? "" : url.slice(mark + 1) };
}

/** Calls back with undefined for a body that is too large, and never when the caller breaks off. */
function readBody(request: IncomingMessage, done: (body: Buffer | undefined) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_BODY_BYTES) chunks.push(chunk);
  });
  request.on("end", () => done(bytes > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks)));
  // Breaking off shows in the call log through the response; without a listener it would be thrown.
  request.on("error", () => undefined);
}

function tooLarge(): Refusal {
  return new Refusal(413, {
    description: `The request body is larger than ${MAX_BODY_BYTES} bytes.`,
  });
}

import type { ServerResponse } from "node:http";
import { sleep } from "../../../lib/support/clock.ts";
import type { Answer } from "./answers.ts";
import { faultAnswer, refusalAnswer, send } from "./answers.ts";
import { HANDLERS } from "./api.ts";
import type { ApiRequest } from "./api-request.ts";
import type { CallRecord } from "./calls.ts";
import { REFUND_STATES } from "./checkout-states.ts";
import type { SandboxState } from "./control.ts";
import { apiError, Refusal } from "./errors.ts";
import type { CompleteFault } from "./faults.ts";
import { acceptsRequest, PAYOUT_ENDS } from "./faults.ts";
import type { Course } from "./payouts.ts";
import type { RefundCourse } from "./refunds.ts";
import type { Route } from "./routes.ts";
import { PAYOUT_STATES } from "./states.ts";
import { subjectOf } from "./subject.ts";

export interface ApiCallContext {
  state: SandboxState;
  /** Answer absent `utr`, `step` and `reason` as the text "null", as the provider at times does. */
  nullAsText: boolean;
  /** Fires when the sandbox closes, and ends every wait. */
  closing: AbortSignal;
}

/** Answers one call of the API, in the way that a fault prescribes if one meets it. */
export async function answerApiCall(
  { state, nullAsText, closing }: ApiCallContext,
  response: ServerResponse,
  call: CallRecord,
  { route, ...request }: Omit<ApiRequest, "course" | "refundCourse"> & { route: Route },
): Promise<void> {
  const plain = { ...request, course: {}, refundCourse: {} };
  const fault = state.faults.take(route, () => subjectOf(state.world, route, plain));
  if (!fault) {
    send(response, process(state, route, plain), { call, nullAsText });
    return;
  }

  if (fault.acceptAfterMs !== undefined) await sleep(fault.acceptAfterMs, closing);
  const answer = acceptsRequest(fault)
    ? process(state, route, { ...request, ...coursesOf(route, fault) })
    : undefined;
  if (fault.delayMs !== undefined) await sleep(fault.delayMs, closing);

  // After a hang the caller gives up, or the sandbox closes: both end the connection.
  if (fault.hang) return;
  if (fault.dropBefore || fault.dropAfter) response.destroy();
  else if (fault.status !== undefined)
    send(response, faultAnswer(fault, fault.status), {
      call,
      nullAsText,
      retryAfter: fault.retryAfter,
    });
  else if (answer) send(response, answer, { call, nullAsText, cutShort: fault.malformed ?? false });
}

function process(state: SandboxState, route: Route, request: ApiRequest): Answer {
  try {
    return { status: 200, body: HANDLERS[route](state.world, request) };
  } catch (thrown) {
    if (thrown instanceof Refusal) return refusalAnswer(thrown);
    // A fault in the sandbox itself; its message holds nothing of the request.
    const description = `The sandbox failed: ${thrown instanceof Error ? thrown.message : "unknown"}`;
    return { status: 500, body: { error: apiError(500, { description }) } };
  }
}

/** The checks of faults.ts have made sure that the states are those of the record that the route makes. */
function coursesOf(
  route: Route,
  fault: CompleteFault,
): { course: Course; refundCourse: RefundCourse } {
  return route === "POST /payments/:id/refund"
    ? { course: {}, refundCourse: refundCourseOf(fault) }
    : { course: courseOf(fault), refundCourse: {} };
}

function refundCourseOf({ lowBalance, ...fault }: CompleteFault): RefundCourse {
  const initialState = REFUND_STATES.find((state) => state === fault.initialState);
  const endState = REFUND_STATES.find((state) => state === fault.endState);
  return {
    ...(lowBalance ? { lowBalance } : {}),
    ...(initialState ? { initialState } : {}),
    ...(endState ? { endState } : {}),
  };
}

function courseOf({ endReason, lowBalance, oldDetails, noMode, ...fault }: CompleteFault): Course {
  const initialState = PAYOUT_STATES.find((state) => state === fault.initialState);
  const endState = PAYOUT_ENDS.find((state) => state === fault.endState);
  const reason = endReason === undefined ? {} : { reason: endReason };
  return {
    ...(lowBalance ? { lowBalance } : {}),
    ...(initialState ? { initialState } : {}),
    ...(oldDetails ? { oldDetails } : {}),
    ...(noMode ? { noMode } : {}),
    // A payout that stays in processing has its reason from the first answer on.
    ...(endState === "processing" && endReason !== undefined ? { initialReason: endReason } : {}),
    ...(endState
      ? { settlement: { endState, ...reason } }
      : endReason === undefined
        ? {}
        : { initialReason: endReason }),
  };
}

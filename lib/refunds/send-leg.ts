import { RECORD_AGAIN } from "../db/retries.ts";
import { refusedAs } from "../provider/refusal-streak.ts";
import { backOffMs } from "../support/back-off.ts";
import { sleep } from "../support/clock.ts";
import { toError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import { LegLostError, prepareLeg, type HeldLeg } from "./claim-leg.ts";
import { answerNotRecorded } from "./faults.ts";
import type { OpenLeg } from "./open-legs.ts";
import type { LegResult } from "./outcome.ts";
import type { LegPorts } from "./ports.ts";
import { hasNews, recordLeg, type LegNews } from "./record-leg.ts";
import type { SettledRefund } from "./settle-refund.ts";
import { failureCode } from "../provider/failure-code.ts";
import type { Answer, ProviderRefund } from "../provider/index.ts";
import { paymentsFault } from "../provider/faults.ts";

/** A refusal of a request that may have been sent before proves nothing until the provider is asked. */
export const REFUSED_ON_RESEND = "REFUSED_ON_RESEND";

/**
 * Sends the refund of a card leg: the request is committed, then it leaves, then the answer is written down.
 *
 * @throws {LegLostError} when another run has the leg, or has taken it over
 */
export async function sendLeg(ports: LegPorts, leg: OpenLeg): Promise<LegResult> {
  const { db, runId, fence, payments, lease } = ports;
  lease.assertTrusted();
  const request = await prepareLeg(db, { leg, runId, fence });
  const { legId, refundId, paymentId } = leg;
  const held: HeldLeg = { legId, refundId, paymentId, runId };
  // The request is committed and the lease was trusted a statement ago; asked once more, since this is
  // the step that spends. Not sent, the leg stays as one that may have been.
  const lost = leaseProblem(ports);
  if (lost) return { outcome: "unknown", code: lost.code, message: lost.message };
  const { providerPaymentId, body, idempotencyKey, resend } = request;
  const answer = await payments.createRefund(
    { paymentId: providerPaymentId, body, idempotencyKey, resend },
    { signal: ports.hardStop },
  );
  return recordAnswer(ports, { held, answer });
}

/** A database that is away for a moment must not lose the answer; one that stays away ends the run. */
async function recordAnswer(
  { db, log }: LegPorts,
  { held, answer }: { held: HeldLeg; answer: Answer<ProviderRefund> },
): Promise<LegResult> {
  const news = newsOf(answer);
  for (let attempt = 1; ; attempt++) {
    try {
      // The commit of the try before may have arrived although its confirmation did not.
      const settled =
        attempt === 1 || !(await hasNews(db, held)) ? await recordLeg(db, held, news) : undefined;
      return resultOf(answer, { news, settled });
    } catch (error) {
      if (error instanceof LegLostError) throw error;
      log.error({ refundLegId: held.legId, attempt, err: toError(error) }, "answer not recorded");
      const waitMs = backOffMs(RECORD_AGAIN, attempt);
      if (waitMs === undefined) {
        const { message } = answerNotRecorded;
        return {
          outcome: "unknown",
          code: "ANSWER_NOT_RECORDED",
          message,
          fault: answerNotRecorded,
        };
      }
      await sleep(waitMs);
    }
  }
}

/** The meaning of a provider's refund for its leg. An unknown status is not final. */
export function newsOfRefund(refund: ProviderRefund): LegNews {
  const providerRefundId = refund.id;
  switch (refund.status) {
    case "processed":
      return { to: "PROCESSED", providerRefundId };
    case "failed": {
      const message = "the provider accepted the refund and then reported that it failed";
      return { to: "FAILED", providerRefundId, code: "failed", message };
    }
    case "pending":
    case "unrecognised":
      return { to: "ACCEPTED", providerRefundId };
  }
}

function newsOf(answer: Answer<ProviderRefund>): LegNews {
  switch (answer.kind) {
    case "accepted":
      return newsOfRefund(answer.value);
    case "refused":
      return {
        to: "FAILED",
        code: failureCode(answer.failure),
        message: answer.failure.description,
      };
    case "unknown": {
      const code = answer.refusal ? REFUSED_ON_RESEND : answer.cause;
      return { to: "UNKNOWN", code, message: answer.detail };
    }
    case "systemic":
      return answer.certainlyNotAccepted
        ? { to: "DUE", everSent: false, code: answer.fault }
        : { to: "UNKNOWN", code: answer.fault, message: answer.detail };
  }
}

function resultOf(
  answer: Answer<ProviderRefund>,
  { news, settled }: { news: LegNews; settled: SettledRefund | undefined },
): LegResult {
  if (answer.kind === "systemic") {
    const fault = paymentsFault(answer.fault, answer.detail);
    const outcome = news.to === "DUE" ? "skipped" : "unknown";
    return { outcome, code: answer.fault, message: fault.message, fault };
  }
  const failure = answer.kind === "refused" ? answer.failure : undefined;
  const refusal = failure ?? (answer.kind === "unknown" ? answer.refusal : undefined);
  return { ...describe(news), settled, refusedAs: refusal && refusedAs(refusal) };
}

/** The stored state of a leg, in the words of the report. */
export function describe(news: LegNews): LegResult {
  switch (news.to) {
    case "PROCESSED":
      return { outcome: "processed", code: "processed", message: "the provider has processed it" };
    case "ACCEPTED":
      return { outcome: "pending", code: "pending", message: "the provider has it as pending" };
    case "FAILED":
      return { outcome: "failed", code: news.code, message: news.message };
    case "UNKNOWN":
      return { outcome: "unknown", code: news.code, message: news.message };
    case "DUE": {
      const message =
        "the provider does not have it and the wait is over: it is sent again as it was";
      return { outcome: "due-again", code: news.code, message };
    }
  }
}

/** The reason why nothing may be sent, if the lease has run out. */
function leaseProblem({ lease }: LegPorts): LeaseLostError | undefined {
  try {
    lease.assertTrusted();
    return undefined;
  } catch (error) {
    if (error instanceof LeaseLostError) return error;
    throw error;
  }
}

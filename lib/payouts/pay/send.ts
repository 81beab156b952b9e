import { RECORD_AGAIN } from "../../db/retries.ts";
import { describeRowError, isForEveryRow, isLockConflict } from "../../db/sqlstate.ts";
import { failureCode } from "../../provider/failure-code.ts";
import { systemicFault } from "../../provider/faults.ts";
import type { Answer, ProviderPayout } from "../../provider/index.ts";
import { backOffMs } from "../../support/back-off.ts";
import { sleep } from "../../support/clock.ts";
import { toError } from "../../support/errors.ts";
import { LeaseLostError } from "../../support/lease.ts";
import { recordFailed, recordFault } from "../state/faults.ts";
import { hasAnswer, settlementOf, type Outcome } from "../state/outcome.ts";
import { ClaimLostError } from "../state/release.ts";
import { withoutName } from "./destination.ts";
import type { Prepared } from "./prepare-page.ts";
import { endedBy } from "./row-errors.ts";
import { skipped, STOPPING, type AnswerResult, type PayResult, type PayRun } from "./run.ts";

/** Sends a payout and records the answer. Never throws: an error of this row is a value. */
export async function sendPayout(run: PayRun, prepared: Prepared): Promise<PayResult> {
  const { payout } = prepared;
  try {
    if (run.stop()) return await takeBack(run, prepared);
    const answer = await run.gate.ask("payout", () => request(run, prepared), run.hardStop);
    if (answer === undefined) return await takeBack(run, prepared);
    return await recordAnswer(run, prepared, answer);
  } catch (error) {
    if (error instanceof ClaimLostError) return endedBy(error, { isClaimed: true });
    // Not sent, the attempt stays as one that may have been.
    if (error instanceof LeaseLostError)
      return { outcome: "unknown", code: error.code, message: error.message, payout };
    // The request may have been sent: the provider has to be asked.
    run.log.error({ payoutId: payout.id, err: toError(error) }, "a payout ended with an error");
    const message = describeRowError(error);
    return { outcome: "unknown", code: "UNEXPECTED_ERROR", message, payout, error };
  }
}

/**
 * The step that spends. The attempt is committed, and the lease was trusted before it; asked once more, at the last
 * moment, since the request may have waited for others.
 *
 * @throws {LeaseLostError} and nothing was sent
 */
async function request(
  { lease, underWay, gateway, hardStop }: PayRun,
  { payout, attempt: { body, idempotencyKey } }: Prepared,
): Promise<Answer<ProviderPayout>> {
  lease.assertTrusted();
  const answer = await underWay(() =>
    gateway.createPayout({ body, idempotencyKey, resend: false }, { signal: hardStop }),
  );
  return withoutName(answer, payout);
}

/** The attempt is committed and certainly not sent: it is closed, and the payout is due again. */
async function takeBack(run: PayRun, { payout, attempt }: Prepared): Promise<PayResult> {
  const { code, message, fault } = run.stop() ?? STOPPING;
  await run.record({
    payoutId: payout.id,
    attemptId: attempt.id,
    outcome: { kind: "turned-away", httpStatus: undefined, fault: code, body: undefined },
  });
  return { ...skipped(code, message), payout, ...(fault ? { fault } : {}) };
}

/**
 * Records the answer and returns its meaning. A short loss of the database must not lose the answer. A lasting
 * one ends the run; a refusal of this row does not. In both cases the payout stays in processing. Compare-and-swap
 * makes a second try harmless.
 *
 * @throws {ClaimLostError} when another session has settled the payout meanwhile
 */
async function recordAnswer(
  run: PayRun,
  { payout, attempt }: Prepared,
  answer: Answer<ProviderPayout>,
): Promise<PayResult> {
  const { outcome, result } = meaningOf(answer);
  const attemptId = attempt.id;
  for (let tries = 1; ; tries++) {
    try {
      // The commit of the try before may have arrived although its confirmation did not.
      if (tries === 1 || !(await hasAnswer(run.db, { attemptId })))
        await run.record({ payoutId: payout.id, attemptId, outcome });
      return { ...result, payout };
    } catch (error) {
      if (error instanceof ClaimLostError && tries === 1) throw error;
      run.log.error(
        { payoutId: payout.id, attempt: tries, err: toError(error) },
        "answer not recorded yet",
      );
      const waitMs = backOffMs(RECORD_AGAIN, tries);
      if (waitMs === undefined) return { ...notRecorded(error), payout };
      // A run that was told to stop has no time left to wait for a database that is away.
      await sleep(waitMs, run.hardStop);
    }
  }
}

function notRecorded(error: unknown): AnswerResult {
  const unrecorded = { outcome: "unknown", code: "ANSWER_NOT_RECORDED" } as const;
  const { message } = recordFailed;
  if (isForEveryRow(error)) return { ...unrecorded, message, fault: recordFault(error) };
  const why = isLockConflict(error)
    ? "another database session holds the row"
    : describeRowError(error);
  return { ...unrecorded, message: `${message.slice(0, -1)}: ${why}.`, error };
}

/** The meaning of an answer: for the attempt's row, and for the report. */
function meaningOf(answer: Answer<ProviderPayout>): { outcome: Outcome; result: AnswerResult } {
  switch (answer.kind) {
    case "accepted": {
      const { value: provider, httpStatus, body } = answer;
      const outcome = { kind: "accepted", provider, httpStatus, body } as const;
      const settlement = settlementOf(provider);
      if (settlement !== "failed")
        return { outcome, result: { outcome: "succeeded", settlement, accepted: provider } };
      const code = provider.statusReason ?? provider.statusText;
      const message = `the provider answered ${provider.statusText}`;
      return { outcome, result: { outcome: "failed", code, message } };
    }
    case "refused": {
      const code = failureCode(answer.failure);
      const message = answer.failure.description;
      return { outcome: answer, result: { outcome: "failed", code, message } };
    }
    case "unknown": {
      const { httpStatus, cause, detail, body } = answer;
      // The code of a broken connection says nothing to a person.
      const message =
        cause === "connection-lost"
          ? `the connection broke before the answer was complete (${detail}); the provider may have the payout`
          : detail;
      return {
        outcome: { kind: "unknown", httpStatus, cause, body },
        result: { outcome: "unknown", code: cause, message },
      };
    }
    case "systemic": {
      const { httpStatus, fault: code, detail, body } = answer;
      const fault = systemicFault(code, detail);
      return answer.certainlyNotAccepted
        ? {
            outcome: { kind: "turned-away", httpStatus, fault: code, body },
            result: { ...skipped(code, fault.message), fault },
          }
        : {
            outcome: { kind: "unknown", httpStatus, cause: code, body },
            result: { outcome: "unknown", code, message: detail, fault },
          };
    }
  }
}

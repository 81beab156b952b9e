import { describeRowError, isForEveryRow, isLockConflict } from "../../db/sqlstate.ts";
import { seconds, sleep } from "../../support/clock.ts";
import { toError } from "../../support/errors.ts";
import type { ClaimedPayout } from "../state/decide.ts";
import { recordFailed, recordFault } from "../state/faults.ts";
import { ClaimLostError } from "../state/release.ts";
import { hasAnswer, settlementOf, type AttemptRef, type Outcome } from "../state/outcome.ts";
import { skipped, type UnitPorts, type UnitResult } from "./unit.ts";
import { systemicFault } from "../../provider/faults.ts";
import { failureCode } from "../../provider/failure-code.ts";
import type { Answer, ProviderPayout } from "../../provider/index.ts";

export interface Answered {
  payout: ClaimedPayout;
  ref: AttemptRef;
  answer: Answer<ProviderPayout>;
}

/**
 * Records the answer and returns its meaning. A short loss of the database must not lose the answer. A lasting
 * one ends the run; a refusal of this row does not. In both cases the payout stays in processing.
 *
 * @throws {ClaimLostError} when another session has settled the payout meanwhile
 */
export async function recordAnswer(ports: UnitPorts, answered: Answered): Promise<UnitResult> {
  const { payout, ref, answer } = answered;
  const { payoutId, attemptId } = ref;
  for (let attempt = 1; ; attempt++) {
    try {
      // The commit of the try before may have arrived although its confirmation did not.
      if (attempt === 1 || !(await hasAnswer(ports.db, ref)))
        await ports.groups.record({ payoutId, attemptId, outcome: outcomeOf(answer) });
      return resultOf(answered);
    } catch (error) {
      if (error instanceof ClaimLostError && attempt === 1) throw error;
      ports.log.error(
        { payoutId: payout.id, attempt, err: toError(error) },
        "answer not recorded yet",
      );
      const waitMs = RECORD_AGAIN_AFTER_MS[attempt - 1];
      if (waitMs === undefined) {
        const unrecorded = { outcome: "unknown", code: "ANSWER_NOT_RECORDED", payout } as const;
        const { message } = recordFailed;
        if (isForEveryRow(error)) return { ...unrecorded, message, fault: recordFault(error) };
        const why = isLockConflict(error)
          ? "another database session holds the row"
          : describeRowError(error);
        return { ...unrecorded, message: `${message.slice(0, -1)}: ${why}.`, error };
      }
      // A run that was told to stop has no time left to wait for a database that is away.
      await sleep(waitMs, ports.hardStop);
    }
  }
}

/** Waits before the second and the third try. Compare-and-swap makes a repeat harmless. */
const RECORD_AGAIN_AFTER_MS = [seconds(0.5), seconds(2)];

/** The outcome of an answer for its attempt's row. */
function outcomeOf(answer: Answer<ProviderPayout>): Outcome {
  switch (answer.kind) {
    case "accepted":
      return {
        kind: "accepted",
        provider: answer.value,
        httpStatus: answer.httpStatus,
        body: answer.body,
      };
    case "refused":
      return answer;
    case "unknown": {
      const { httpStatus, cause, body } = answer;
      return { kind: "unknown", httpStatus, cause, body };
    }
    case "systemic": {
      const { httpStatus, fault, body } = answer;
      return answer.certainlyNotAccepted
        ? { kind: "turned-away", httpStatus, fault, body }
        : { kind: "unknown", httpStatus, cause: fault, body };
    }
  }
}

/** The meaning of a recorded answer for the report. */
function resultOf({ payout, ref, answer }: Answered): UnitResult {
  switch (answer.kind) {
    case "accepted": {
      const provider = answer.value;
      const settlement = settlementOf(provider);
      if (settlement !== "failed")
        return { outcome: "succeeded", payout, settlement, accepted: { ref, provider } };
      const code = provider.statusReason ?? provider.statusText;
      const message = `the provider answered ${provider.statusText}`;
      return { outcome: "failed", payout, code, message };
    }
    case "refused": {
      const { failure } = answer;
      return {
        outcome: "failed",
        payout,
        code: failureCode(failure),
        message: failure.description,
      };
    }
    case "unknown":
      return { outcome: "unknown", payout, code: answer.cause, message: unknownMessage(answer) };
    case "systemic": {
      const fault = systemicFault(answer.fault, answer.detail);
      if (answer.certainlyNotAccepted)
        return { ...skipped(answer.fault, fault.message), payout, fault };
      return { outcome: "unknown", payout, code: answer.fault, message: answer.detail, fault };
    }
  }
}

/** The code of a broken connection says nothing to a person. */
function unknownMessage({ cause, detail }: { cause: string; detail: string }): string {
  if (cause !== "connection-lost") return detail;
  return `the connection broke before the answer was complete (${detail}); the provider may have the payout`;
}

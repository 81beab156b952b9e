import type { Db } from "../db/prisma.ts";
import type { Answer, ProviderPayout } from "../razorpay/index.ts";
import { seconds, sleep } from "../support/clock.ts";
import { toError } from "../support/errors.ts";
import type { ClaimedPayout } from "./claim.ts";
import { recordFailed, systemicFault } from "./faults.ts";
import { ClaimLostError } from "./release.ts";
import {
  failureCode,
  hasAnswer,
  recordAccepted,
  recordRefused,
  recordTurnedAway,
  recordUnknown,
  settlementOf,
  type AttemptRef,
} from "./settle.ts";
import { skipped, type UnitPorts, type UnitResult } from "./unit.ts";

export interface Answered {
  payout: ClaimedPayout;
  ref: AttemptRef;
  answer: Answer<ProviderPayout>;
}

/**
 * The answer into the database, and what it means. A database that is away for a moment must not lose it;
 * one that stays away ends the run, and the payout stays in processing.
 *
 * @throws {ClaimLostError} when somebody else has settled the payout meanwhile
 */
export async function recordAnswer(ports: UnitPorts, answered: Answered): Promise<UnitResult> {
  const { payout, ref } = answered;
  for (let attempt = 1; ; attempt++) {
    try {
      // The commit of the try before may have arrived although its confirmation did not.
      if (attempt === 1 || !(await hasAnswer(ports.db, ref))) await record(ports.db, answered);
      return resultOf(answered);
    } catch (error) {
      if (error instanceof ClaimLostError && attempt === 1) throw error;
      ports.log.error(
        { payoutId: payout.id, attempt, err: toError(error) },
        "answer not recorded yet",
      );
      const waitMs = RECORD_AGAIN_AFTER_MS[attempt - 1];
      if (waitMs === undefined) {
        const { message } = recordFailed;
        const code = "ANSWER_NOT_RECORDED";
        return { outcome: "unknown", code, message, payout, fault: recordFailed };
      }
      // A run that was told to stop has no time left to wait for a database that is away.
      await sleep(waitMs, ports.hardStop);
    }
  }
}

/** Waits before the second and the third try. Compare-and-swap makes a repeat harmless. */
const RECORD_AGAIN_AFTER_MS = [seconds(0.5), seconds(2)];

async function record(db: Db, { ref, answer }: Answered): Promise<void> {
  switch (answer.kind) {
    case "accepted":
      await recordAccepted(db, ref, {
        provider: answer.value,
        httpStatus: answer.httpStatus,
        body: answer.body,
      });
      return;
    case "refused":
      return recordRefused(db, ref, answer);
    case "unknown":
      return recordUnknown(db, ref, {
        httpStatus: answer.httpStatus,
        cause: answer.cause,
        body: answer.body,
      });
    case "systemic": {
      const seen = { httpStatus: answer.httpStatus, body: answer.body };
      if (answer.certainlyNotAccepted)
        return recordTurnedAway(db, ref, { ...seen, fault: answer.fault });
      return recordUnknown(db, ref, { ...seen, cause: answer.fault });
    }
  }
}

/** What a recorded answer means for the report. */
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
      return { outcome: "unknown", payout, code: answer.cause, message: answer.detail };
    case "systemic": {
      const fault = systemicFault(answer.fault);
      if (answer.certainlyNotAccepted)
        return { ...skipped(answer.fault, fault.message), payout, fault };
      return { outcome: "unknown", payout, code: answer.fault, message: answer.detail, fault };
    }
  }
}

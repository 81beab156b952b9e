import { isLockConflict } from "../db/connection.ts";
import { inTransaction, type Db } from "../db/prisma.ts";
import type { Answer, ProviderPayout } from "../razorpay/index.ts";
import { seconds, sleep } from "../support/clock.ts";
import { AfterhoursError, toError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import { prepareAttempt } from "./attempt.ts";
import {
  claimPayout,
  refusalOf,
  takeOverClaim,
  type ClaimedPayout,
  type ClaimResult,
} from "./claim.ts";
import { ensureDestination } from "./destination.ts";
import type { DuePayoutOfPayee } from "./due.ts";
import { recordFailed, systemicFault, type RunFault } from "./faults.ts";
import { modeFor } from "./payee.ts";
import type { PayoutPorts } from "./ports.ts";
import { ClaimLostError, failPayout, returnToApproved } from "./release.ts";
import type { ItemOutcome } from "./report.ts";
import {
  completeWithoutTransfer,
  failureCode,
  hasAnswer,
  recordAccepted,
  recordRefused,
  recordTurnedAway,
  recordUnknown,
  settlementOf,
  type AttemptRef,
  type Settlement,
} from "./settle.ts";

/** What became of one payout, and whether the run can go on. */
export type UnitResult =
  | {
      outcome: "succeeded";
      payout: ClaimedPayout;
      settlement: Settlement;
      /** Absent when tax took all of it and nothing was sent. */
      accepted?: { ref: AttemptRef; provider: ProviderPayout };
    }
  | {
      outcome: Exclude<ItemOutcome, "succeeded" | "planned">;
      code: string;
      message: string;
      payout?: ClaimedPayout;
      fault?: RunFault;
    };

export interface UnitPorts extends PayoutPorts {
  /** Ends a call to the provider that would outlast the time a stopping run has. */
  readonly hardStop: AbortSignal;
  /** Refuses a claimed payout that would take the run over a cap. */
  readonly reserve: (payout: ClaimedPayout) => RunFault | undefined;
}

/** A due payout, or one left behind by a dead run. */
export type Unit = DuePayoutOfPayee & { claimedBy?: string };

/**
 * One payout from claim to settlement. Whatever goes wrong for this row is a value; an error that is thrown
 * is the database's or a bug, and ends the run.
 */
export async function payOne(ports: UnitPorts, unit: Unit): Promise<UnitResult> {
  try {
    ports.lease.assertTrusted();
    const claim = await claimUnit(ports, unit);
    switch (claim.kind) {
      case "lost":
        return skipped("CLAIMED_ELSEWHERE", "another run has it, or it is no longer due");
      case "refused":
        return { outcome: "failed", code: claim.code, message: claim.message };
      case "claimed":
        return await payClaimed(ports, claim.payout);
    }
  } catch (error) {
    if (error instanceof ClaimLostError)
      return skipped("CLAIMED_ELSEWHERE", "another run has taken it over");
    if (error instanceof LeaseLostError) return skipped(error.code, error.message);
    // Rolled back, and nothing was sent: claimed or not, the next run finds it.
    if (isLockConflict(error))
      return skipped("ROW_LOCKED", "another database session holds the row; nothing was sent");
    throw error;
  }
}

async function claimUnit(ports: UnitPorts, unit: Unit): Promise<ClaimResult> {
  const claimant = { runId: ports.runId, fence: ports.lease.fence };
  const { id: payoutId, claimedBy } = unit;
  try {
    return claimedBy === undefined
      ? await claimPayout(ports.db, { payoutId, claimant, tax: ports.settings.tax })
      : await takeOverClaim(ports.db, { payoutId, claimedBy, claimant });
  } catch (error) {
    // The claim was rolled back, so the payout is as it was; the others go on.
    if (!(error instanceof AfterhoursError)) throw error;
    ports.log.error({ payoutId, err: error }, "payout can not be claimed");
    return { kind: "refused", ...refusalOf(error) };
  }
}

async function payClaimed(ports: UnitPorts, payout: ClaimedPayout): Promise<UnitResult> {
  const { db, runId } = ports;
  const held = { payoutId: payout.id, runId };

  if (payout.netPaise === 0n) {
    ports.lease.assertTrusted();
    await completeWithoutTransfer(db, held);
    return { outcome: "succeeded", payout, settlement: "paid" };
  }
  // Asked at the claim as well; here again, since a claim that is taken over may be of another day.
  const choice = modeFor(payout.account, payout.netPaise);
  if (!choice.ok) return fail(ports, payout, choice.code, choice.message);

  const overCap = ports.reserve(payout);
  if (overCap) return giveBack(ports, payout, overCap);
  if (isStopping(ports)) return giveBack(ports, payout);
  ports.lease.assertTrusted();

  const destination = await ensureDestination(ports, payout, { signal: ports.hardStop });
  if (destination.kind === "refused")
    return fail(ports, payout, destination.code, destination.message);
  if (destination.kind === "unavailable") {
    const { answer } = destination;
    if (answer.kind === "systemic") return giveBack(ports, payout, systemicFault(answer.fault));
    const result = await giveBack(ports, payout);
    if (answer.cause === "interrupted") return result;
    return {
      ...result,
      code: "PROVIDER_UNAVAILABLE",
      message: `contact or fund account: ${answer.detail}`,
    };
  }
  if (isStopping(ports)) return giveBack(ports, payout);
  ports.lease.assertTrusted();

  const attempt = await prepareAttempt(db, {
    payout,
    runId,
    fundAccountId: destination.fundAccountId,
    mode: choice.mode,
    accountNumber: ports.gateway.accountNumber,
    narration: ports.settings.narration,
  });
  const ref: AttemptRef = { attemptId: attempt.id, ...held };
  // The attempt is committed and the lease was trusted a statement ago; asked once more, since this is
  // the step that spends. Not sent, the attempt stays as one that may have been.
  const lost = leaseProblem(ports);
  if (lost) return { outcome: "unknown", code: lost.code, message: lost.message, payout };
  const answer = await ports.gateway.createPayout(
    { body: attempt.body, idempotencyKey: attempt.idempotencyKey, resend: false },
    { signal: ports.hardStop },
  );
  return recordAnswer(ports, { payout, ref, answer });
}

interface Answered {
  payout: ClaimedPayout;
  ref: AttemptRef;
  answer: Answer<ProviderPayout>;
}

/** The answer into the database. A database that is away for a moment must not lose it. */
async function recordAnswer(ports: UnitPorts, answered: Answered): Promise<UnitResult> {
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
      await sleep(waitMs);
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

async function fail(
  ports: UnitPorts,
  payout: ClaimedPayout,
  code: string,
  message: string,
): Promise<UnitResult> {
  await inTransaction(ports.db, (tx) =>
    failPayout(tx, { payoutId: payout.id, runId: ports.runId, code, message }),
  );
  return { outcome: "failed", payout, code, message };
}

/** Nothing was sent and the payout is not to blame: it is approved again. */
async function giveBack(
  ports: UnitPorts,
  payout: ClaimedPayout,
  fault?: RunFault,
): Promise<Extract<UnitResult, { code: string }>> {
  await inTransaction(ports.db, (tx) =>
    returnToApproved(tx, { payoutId: payout.id, runId: ports.runId }),
  );
  const result = skipped(
    fault?.code ?? "STOPPING",
    fault?.message ?? "the run was told to stop; nothing was sent",
  );
  return fault ? { ...result, payout, fault } : { ...result, payout };
}

function skipped(
  code: string,
  message: string,
): { outcome: "skipped"; code: string; message: string } {
  return { outcome: "skipped", code, message };
}

/** A function, because what was false a moment ago may be true after an await. */
function isStopping({ signal }: UnitPorts): boolean {
  return signal.aborted;
}

/** The reason why nothing may be sent, if the lease has run out. */
function leaseProblem({ lease }: UnitPorts): LeaseLostError | undefined {
  try {
    lease.assertTrusted();
    return undefined;
  } catch (error) {
    if (error instanceof LeaseLostError) return error;
    throw error;
  }
}

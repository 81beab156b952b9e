import { isConnectionError } from "../db/connection.ts";
import { inTransaction } from "../db/prisma.ts";
import { chooseMode, type Answer, type ProviderPayout } from "../razorpay/index.ts";
import { AfterhoursError, toError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import { formatRupees } from "../support/money.ts";
import { prepareAttempt } from "./attempt.ts";
import { claimPayout, takeOverClaim, type ClaimedPayout, type ClaimResult } from "./claim.ts";
import { ensureDestination } from "./destination.ts";
import type { DuePayout } from "./due.ts";
import { recordFailed, systemicFault, type RunFault } from "./faults.ts";
import type { PayoutPorts } from "./ports.ts";
import { ClaimLostError, failPayout, returnToApproved } from "./release.ts";
import type { ItemOutcome } from "./report.ts";
import {
  completeWithoutTransfer,
  failureCode,
  recordAccepted,
  recordRefused,
  recordTurnedAway,
  recordUnknown,
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
export type Unit = DuePayout & { claimedBy?: string };

/**
 * One payout from claim to settlement. Whatever goes wrong for this row is a value; an error that is thrown
 * is the database's or a bug, and ends the run.
 */
export async function payOne(ports: UnitPorts, unit: Unit): Promise<UnitResult> {
  const claim = await claimUnit(ports, unit);
  if (claim.kind === "lost")
    return skipped("CLAIMED_ELSEWHERE", "another run has it, or it is no longer due");
  if (claim.kind === "refused")
    return { outcome: "failed", code: claim.code, message: claim.message };
  const { payout } = claim;
  try {
    return await payClaimed(ports, payout);
  } catch (error) {
    if (error instanceof ClaimLostError) {
      return { ...skipped("CLAIMED_ELSEWHERE", "another run has taken it over"), payout };
    }
    if (error instanceof LeaseLostError) return { ...skipped(error.code, error.message), payout };
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
    if (error instanceof AfterhoursError) {
      ports.log.error({ payoutId, err: error }, "payout can not be claimed");
      return {
        kind: "refused",
        code: error.code,
        message: `${error.message}. ${error.remedy ?? ""}`.trim(),
      };
    }
    if (isLockTimeout(error)) {
      ports.log.warn({ payoutId }, "payout is locked by another database session");
      return { kind: "lost" };
    }
    throw error;
  }
}

async function payClaimed(ports: UnitPorts, payout: ClaimedPayout): Promise<UnitResult> {
  const { db, runId } = ports;
  const held = { payoutId: payout.id, runId };

  if (payout.netPaise === 0n) {
    await completeWithoutTransfer(db, held);
    return { outcome: "succeeded", payout, settlement: "paid" };
  }
  const choice = chooseMode({ kind: payout.account.kind, amountPaise: payout.netPaise });
  if (!choice.ok) {
    return fail(
      ports,
      payout,
      choice.code,
      `${formatRupees(payout.netPaise)} can not be sent to this kind of account`,
    );
  }

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
  ports.lease.assertTrusted();
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
  for (let attempt = 1; ; attempt++) {
    try {
      return await record(ports, answered);
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      ports.log.error(
        { payoutId: answered.payout.id, attempt, err: toError(error) },
        "answer not recorded yet",
      );
      if (attempt === RECORD_ATTEMPTS) {
        const { payout } = answered;
        return {
          outcome: "unknown",
          code: "ANSWER_NOT_RECORDED",
          message: recordFailed.message,
          payout,
          fault: recordFailed,
        };
      }
    }
  }
}

/** Compare-and-swap makes a repeat harmless. */
const RECORD_ATTEMPTS = 3;

async function record({ db }: UnitPorts, { payout, ref, answer }: Answered): Promise<UnitResult> {
  switch (answer.kind) {
    case "accepted": {
      const provider = answer.value;
      const settlement = await recordAccepted(db, ref, {
        provider,
        httpStatus: answer.httpStatus,
        body: answer.body,
      });
      if (settlement !== "failed")
        return { outcome: "succeeded", payout, settlement, accepted: { ref, provider } };
      const code = provider.statusReason ?? provider.statusText;
      return {
        outcome: "failed",
        payout,
        code,
        message: `the provider answered ${provider.statusText}`,
      };
    }
    case "refused":
      await recordRefused(db, ref, answer);
      return {
        outcome: "failed",
        payout,
        code: failureCode(answer.failure),
        message: answer.failure.description,
      };
    case "unknown":
      await recordUnknown(db, ref, {
        httpStatus: answer.httpStatus,
        cause: answer.cause,
        body: answer.body,
      });
      return { outcome: "unknown", payout, code: answer.cause, message: answer.detail };
    case "systemic": {
      const fault = systemicFault(answer.fault);
      const seen = { httpStatus: answer.httpStatus, body: answer.body };
      if (answer.certainlyNotAccepted) {
        await recordTurnedAway(db, ref, { ...seen, fault: answer.fault });
        return { ...skipped(answer.fault, fault.message), payout, fault };
      }
      await recordUnknown(db, ref, { ...seen, cause: answer.fault });
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

/** Postgres gave up waiting for a row lock (55P03), whichever library reports it. */
function isLockTimeout(thrown: unknown): boolean {
  return (
    thrown instanceof Error &&
    /55P03|lock timeout/i.test(`${thrown.message} ${String(thrown.cause)}`)
  );
}

import { describeRowError, isLockConflict } from "../../db/sqlstate.ts";
import { AfterhoursError, toError } from "../../support/errors.ts";
import { LeaseLostError } from "../../support/lease.ts";
import { ABOVE_SINGLE_CAP } from "./caps.ts";
import { takeOverClaim, type ClaimResult } from "../state/claim.ts";
import { refusalOf, type ClaimedPayout } from "../state/decide.ts";
import { ensureDestination, withoutName } from "./destination.ts";
import type { PreparedAttempt } from "../state/attempt.ts";
import { modeFor } from "../state/payee.ts";
import { recordAnswer } from "./record-answer.ts";
import { ClaimLostError } from "../state/release.ts";
import type { AttemptRef } from "../state/outcome.ts";
import { skipped, type Unit, type UnitPorts, type UnitResult } from "./unit.ts";
import { systemicFault } from "../../provider/faults.ts";
import type { RunFault } from "../../support/verdict.ts";
import { concernsAll } from "../state/faults.ts";
import type { Answer, ProviderPayout } from "../../provider/index.ts";

/**
 * One payout from claim to its final state. An error of this row is a value. A thrown error is one that every
 * other row would meet as well, and ends the run; nothing was sent then.
 */
export async function payOne(ports: UnitPorts, unit: Unit): Promise<UnitResult> {
  try {
    const claim = await claimUnit(ports, unit);
    switch (claim.kind) {
      case "lost":
        return skipped("CLAIMED_ELSEWHERE", "another run has it, or it is no longer due");
      case "held":
        return skipped(claim.code, claim.message);
      case "refused":
        if (claim.isClaimed) ports.onClaimed();
        return refused(claim);
      case "claimed":
        ports.onClaimed();
        return await payOrGiveBack(ports, claim.payout);
    }
  } catch (error) {
    if (error instanceof ClaimLostError)
      return skipped("CLAIMED_ELSEWHERE", "another run has taken it over");
    if (error instanceof LeaseLostError) return skipped(error.code, error.message);
    // Rolled back, and nothing was sent.
    if (isLockConflict(error)) return rowLocked;
    throw error;
  }
}

const rowLocked = skipped("ROW_LOCKED", "another database session holds the row; nothing was sent");
/** An unexpected database error: another team's trigger or constraint, or a full resource. */
const REFUSED = "DATABASE_REFUSED";

function refused({
  code,
  message,
  error,
}: Extract<ClaimResult, { kind: "refused" }>): Extract<UnitResult, { code: string }> {
  return { outcome: "failed", code, message, ...(error === undefined ? {} : { error }) };
}

async function payOrGiveBack(ports: UnitPorts, payout: ClaimedPayout): Promise<UnitResult> {
  const ready = await makeReady(ports, payout).catch((error: unknown) =>
    giveBackAfter(ports, payout, error),
  );
  if ("outcome" in ready) return ready;
  try {
    return await send(ports, payout, ready);
  } catch (error) {
    if (error instanceof ClaimLostError) throw error;
    // The request may have been sent: the provider has to be asked.
    ports.log.error({ payoutId: payout.id, err: toError(error) }, "a payout ended with an error");
    const message = describeRowError(error);
    return { outcome: "unknown", code: "UNEXPECTED_ERROR", message, payout, error };
  }
}

/**
 * A payout that meets a locked row, or a database error, before its attempt is due again. If its own row is the
 * cause, it stays claimed, until it is taken over or released like the payouts of a dead run.
 */
async function giveBackAfter(
  ports: UnitPorts,
  payout: ClaimedPayout,
  error: unknown,
): Promise<UnitResult> {
  if (concernsAll(error) || error instanceof ClaimLostError) throw error;
  const { id: payoutId } = payout;
  const isLocked = isLockConflict(error);
  if (!isLocked) ports.log.error({ payoutId, err: toError(error) }, "payout can not be sent");
  const becomes = await ports.groups
    .finish({ kind: "returned", payoutId, reason: isLocked ? rowLocked.code : REFUSED })
    .then(() => "it is due again")
    .catch((reason: unknown) => {
      if (concernsAll(reason) || reason instanceof ClaimLostError) throw reason;
      ports.log.error({ payoutId, err: toError(reason) }, "payout can not be given back");
      return "it stays in processing until it is taken over, or handle-stuck-payouts makes it due again";
    });
  if (isLocked) return { ...rowLocked, message: `${rowLocked.message}; ${becomes}`, payout };
  const message = `${describeRowError(error)}; nothing was sent, and ${becomes}`;
  return { outcome: "failed", code: REFUSED, message, payout, error };
}

/** Each way asks first whether the lease is trusted. */
async function claimUnit(ports: UnitPorts, unit: Unit): Promise<ClaimResult> {
  const { id: payoutId, claimedBy } = unit;
  try {
    if (claimedBy === undefined) return await ports.groups.claim(payoutId);
    ports.lease.assertTrusted();
    const claimant = { runId: ports.runId, fence: ports.lease.fence };
    return await takeOverClaim(ports.db, { payoutId, claimedBy, claimant });
  } catch (error) {
    // The claim was rolled back, so the payout is unchanged; the others continue.
    if (concernsAll(error) || isLockConflict(error)) throw error;
    ports.log.error({ payoutId, err: toError(error) }, "payout can not be claimed");
    const left = { kind: "refused", isClaimed: false } as const;
    if (error instanceof AfterhoursError) return { ...left, ...refusalOf(error) };
    const message = `${describeRowError(error)}; nothing was sent, and it is as it was`;
    return { ...left, code: REFUSED, message, error };
  }
}

/** All steps before the request: a committed attempt, or the payout's end without one. */
async function makeReady(
  ports: UnitPorts,
  payout: ClaimedPayout,
): Promise<PreparedAttempt | UnitResult> {
  const { groups } = ports;

  if (payout.netPaise === 0n) {
    ports.lease.assertTrusted();
    await groups.finish({ kind: "completed", payoutId: payout.id });
    return { outcome: "succeeded", payout, settlement: "paid" };
  }
  // Asked at the claim as well; here again, since a claim that is taken over may be of another day.
  const choice = modeFor(payout, payout.netPaise);
  if (!choice.ok) return fail(ports, payout, choice.code, choice.message);

  const overCap = ports.reserve(payout);
  if (overCap?.stops === "run") return giveBack(ports, payout, overCap.fault);
  if (overCap) return giveBackAlone(ports, payout, overCap.message);
  if (isStopping(ports)) return giveBack(ports, payout);
  ports.lease.assertTrusted();

  const destination = await ensureDestination(ports, payout, { signal: ports.hardStop });
  if (destination.kind === "stopped") return giveBack(ports, payout, ports.gate.fault);
  if (destination.kind === "refused")
    return fail(ports, payout, destination.code, destination.message);
  if (destination.kind === "unavailable") {
    const { answer } = destination;
    if (answer.kind === "systemic")
      return giveBack(ports, payout, systemicFault(answer.fault, answer.detail));
    const result = await giveBack(ports, payout);
    if (answer.cause === "interrupted") return result;
    return {
      ...result,
      code: "PROVIDER_UNAVAILABLE",
      message: `contact or fund account: ${answer.detail}`,
    };
  }
  if (isStopping(ports)) return giveBack(ports, payout);

  return groups.prepare({
    payout,
    fundAccountId: destination.fundAccountId,
    mode: choice.mode,
    accountNumber: ports.gateway.accountNumber,
    narration: ports.settings.narration,
    feesApart: ports.gateway.accountKind === "current",
  });
}

async function send(
  ports: UnitPorts,
  payout: ClaimedPayout,
  attempt: PreparedAttempt,
): Promise<UnitResult> {
  const ref: AttemptRef = { attemptId: attempt.id, payoutId: payout.id, runId: ports.runId };
  let answer: Answer<ProviderPayout> | undefined;
  try {
    answer = await ports.gate.ask("payout", () => request(ports, payout, attempt), ports.hardStop);
  } catch (error) {
    // Not sent, the attempt stays as one that may have been.
    if (!(error instanceof LeaseLostError)) throw error;
    return { outcome: "unknown", code: error.code, message: error.message, payout };
  }
  if (answer === undefined) return takeBack(ports, { payout, ref });
  return recordAnswer(ports, { payout, ref, answer });
}

/**
 * The step that spends. The attempt is committed, and the lease was trusted before it; asked once more, at the last
 * moment, since the request may have waited for others.
 *
 * @throws {LeaseLostError} and nothing was sent
 */
async function request(
  { lease, groups, gateway, hardStop }: UnitPorts,
  payout: ClaimedPayout,
  { body, idempotencyKey }: PreparedAttempt,
): Promise<Answer<ProviderPayout>> {
  lease.assertTrusted();
  return groups.send(async () => {
    const said = await gateway.createPayout(
      { body, idempotencyKey, resend: false },
      { signal: hardStop },
    );
    return withoutName(said, payout);
  });
}

/** The attempt is committed and certainly not sent: it is closed, and the payout is due again. */
async function takeBack(
  { groups, gate }: UnitPorts,
  { payout, ref }: { payout: ClaimedPayout; ref: AttemptRef },
): Promise<UnitResult> {
  const { fault } = gate;
  const code = fault?.code ?? "STOPPING";
  await groups.record({
    payoutId: ref.payoutId,
    attemptId: ref.attemptId,
    outcome: { kind: "turned-away", httpStatus: undefined, fault: code, body: undefined },
  });
  const result = skipped(code, fault?.message ?? "the run was told to stop; nothing was sent");
  return { ...result, payout, ...(fault ? { fault } : {}) };
}

async function fail(
  ports: UnitPorts,
  payout: ClaimedPayout,
  code: string,
  message: string,
): Promise<UnitResult> {
  await ports.groups.finish({ kind: "failed", payoutId: payout.id, code, message });
  return { outcome: "failed", payout, code, message };
}

/** Nothing was sent and the payout is not to blame: it is due again. */
async function giveBack(
  ports: UnitPorts,
  payout: ClaimedPayout,
  fault?: RunFault,
): Promise<Extract<UnitResult, { code: string }>> {
  const code = fault?.code ?? "STOPPING";
  await ports.groups.finish({ kind: "returned", payoutId: payout.id, reason: code });
  const result = skipped(code, fault?.message ?? "the run was told to stop; nothing was sent");
  return fault ? { ...result, payout, fault } : { ...result, payout };
}

/** As `giveBack`, and the run continues. */
async function giveBackAlone(
  ports: UnitPorts,
  payout: ClaimedPayout,
  message: string,
): Promise<UnitResult> {
  const code = ABOVE_SINGLE_CAP;
  await ports.groups.finish({ kind: "returned", payoutId: payout.id, reason: code });
  return { ...skipped(code, message), payout };
}

/** A function, because the value may change during an await. */
function isStopping({ signal }: UnitPorts): boolean {
  return signal.aborted;
}

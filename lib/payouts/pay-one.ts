import { isLockConflict } from "../db/connection.ts";
import type { Answer } from "../razorpay/index.ts";
import { AfterhoursError } from "../support/errors.ts";
import { LeaseLostError } from "../support/lease.ts";
import { refusalOf, takeOverClaim, type ClaimedPayout, type ClaimResult } from "./claim.ts";
import { ensureDestination } from "./destination.ts";
import { systemicFault, type RunFault } from "./faults.ts";
import { modeFor, removeName } from "./payee.ts";
import { recordAnswer } from "./record-answer.ts";
import { ClaimLostError } from "./release.ts";
import type { AttemptRef } from "./settle.ts";
import { skipped, type Unit, type UnitPorts, type UnitResult } from "./unit.ts";

/**
 * One payout from claim to settlement. Whatever goes wrong for this row is a value; an error that is thrown
 * is the database's or a bug, and ends the run.
 */
export async function payOne(ports: UnitPorts, unit: Unit): Promise<UnitResult> {
  try {
    const claim = await claimUnit(ports, unit);
    switch (claim.kind) {
      case "lost":
        return skipped("CLAIMED_ELSEWHERE", "another run has it, or it is no longer due");
      case "refused":
        if (claim.isClaimed) ports.onClaimed(unit);
        return { outcome: "failed", code: claim.code, message: claim.message };
      case "claimed":
        ports.onClaimed(unit);
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

/** A payout that meets a locked row on its way to its attempt is due again, unless its own row is that one. */
async function payOrGiveBack(ports: UnitPorts, payout: ClaimedPayout): Promise<UnitResult> {
  try {
    return await payClaimed(ports, payout);
  } catch (error) {
    if (!isLockConflict(error)) throw error;
    await ports.groups.finish({ kind: "returned", payoutId: payout.id, reason: rowLocked.code });
    return { ...rowLocked, payout };
  }
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
    // The claim was rolled back, so the payout is as it was; the others go on.
    if (!(error instanceof AfterhoursError) || error instanceof LeaseLostError) throw error;
    ports.log.error({ payoutId, err: error }, "payout can not be claimed");
    return { kind: "refused", isClaimed: false, ...refusalOf(error) };
  }
}

async function payClaimed(ports: UnitPorts, payout: ClaimedPayout): Promise<UnitResult> {
  const { groups, runId } = ports;
  const held = { payoutId: payout.id, runId };

  if (payout.netPaise === 0n) {
    ports.lease.assertTrusted();
    await groups.finish({ kind: "completed", payoutId: payout.id });
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

  const attempt = await groups.prepare({
    payout,
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
  const answer = await groups.send(() =>
    ports.gateway.createPayout(
      { body: attempt.body, idempotencyKey: attempt.idempotencyKey, resend: false },
      { signal: ports.hardStop },
    ),
  );
  return recordAnswer(ports, { payout, ref, answer: withoutName(answer, payout) });
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

/** The provider's words about this payee, as anybody may read them. */
function withoutName<T>(answer: Answer<T>, { name }: ClaimedPayout): Answer<T> {
  if (answer.kind !== "refused") return answer;
  const description = removeName(answer.failure.description, name);
  return { ...answer, failure: { ...answer.failure, description } };
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

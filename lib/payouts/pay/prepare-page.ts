import { inTransaction } from "../../db/client.ts";
import { describeRowError, isLockConflict } from "../../db/sqlstate.ts";
import { systemicFault } from "../../provider/faults.ts";
import type { PayoutMode } from "../../provider/index.ts";
import { toError } from "../../support/errors.ts";
import { holdUnusableAccounts } from "../state/account-holds.ts";
import { prepareAttempts, type HeldBack, type PreparedAttempt } from "../state/attempt.ts";
import { completePayouts } from "../state/complete.ts";
import { concernsAll } from "../state/faults.ts";
import type { HoldingRun } from "../state/organization-audit.ts";
import { ON_HOLD } from "../state/on-hold.ts";
import { modeFor } from "../state/payee.ts";
import { ClaimLostError, failPayouts, returnAllToDue } from "../state/release.ts";
import { runBatch } from "./batcher.ts";
import { ABOVE_SINGLE_CAP } from "./caps.ts";
import type { Held } from "./claim-page.ts";
import { ensureDestination } from "./destination.ts";
import { endedBy, REFUSED, rowLocked } from "./row-errors.ts";
import {
  skipped,
  STOPPING,
  type End,
  type PayResult,
  type PayRun,
  type StopReason,
} from "./run.ts";

/** A payout with a committed attempt: it may be sent. */
export interface Prepared extends Held {
  attempt: PreparedAttempt;
}

/** Can be paid, and where to. */
interface Payable extends Held {
  fundAccountId: string;
  mode: PayoutMode;
}

/** Ends without a request. */
interface Finish extends Held {
  becomes:
    | { is: "completed" }
    | { is: "failed"; code: string; message: string }
    | { is: "returned"; reason: string };
  result: PayResult;
}

/** Met an error before its attempt. */
interface Troubled extends Held {
  error: unknown;
}

/**
 * Makes sure that the provider knows the accounts, and commits an attempt for each payout that can be sent.
 * `end` gets the result of each payout that ends before.
 */
export async function preparePage(
  run: PayRun,
  held: readonly Held[],
  end: End,
): Promise<Prepared[]> {
  const steps = await Promise.all(
    held.map((each) =>
      nextStep(run, each).catch((error: unknown): Troubled => ({ ...each, error })),
    ),
  );
  const troubled = steps.filter((step) => "error" in step);
  const finishing = steps.filter((step) => "becomes" in step);
  for (const [index, finished] of (await finishAll(run, finishing)).entries()) {
    const each = finishing[index];
    if (!each) continue;
    if (finished.status === "fulfilled") end(each.item, each.result);
    else troubled.push({ ...each, error: finished.reason });
  }

  const payable = steps.filter((step) => "mode" in step);
  const prepared: Prepared[] = [];
  for (const [index, attempt] of (await commitAttempts(run, payable)).entries()) {
    const each = payable[index];
    if (!each) continue;
    if (attempt.status === "rejected") troubled.push({ ...each, error: attempt.reason });
    else if (attempt.value && "held" in attempt.value)
      end(each.item, { ...skipped(ON_HOLD, attempt.value.held), payout: each.payout });
    else if (attempt.value) prepared.push({ ...each, attempt: attempt.value });
    else troubled.push({ ...each, error: new ClaimLostError(each.payout.id) });
  }
  await giveBackTroubled(run, troubled, end);
  return prepared;
}

/** All checks before the request; a payout passes them, or ends without one. */
async function nextStep(run: PayRun, held: Held): Promise<Payable | Finish> {
  const { payout } = held;
  const fail = (code: string, message: string): Finish => ({
    ...held,
    becomes: { is: "failed", code, message },
    result: { outcome: "failed", payout, code, message },
  });
  /** Nothing was sent and the payout is not to blame: it is due again. */
  const giveBack = ({ code, message, fault }: StopReason): Finish => ({
    ...held,
    becomes: { is: "returned", reason: code },
    result: { ...skipped(code, message), payout, ...(fault ? { fault } : {}) },
  });

  if (payout.netPaise === 0n) {
    run.lease.assertTrusted();
    const result = { outcome: "succeeded", payout, settlement: "paid" } as const;
    return { ...held, becomes: { is: "completed" }, result };
  }
  // Asked at the claim as well; here again, since a claim that is taken over may be of another day.
  const choice = modeFor(payout, payout.netPaise);
  if (!choice.ok) return fail(choice.code, choice.message);

  const overCap = run.reserve(payout);
  if (overCap?.stops === "run") return giveBack({ ...overCap.fault, fault: overCap.fault });
  if (overCap) return giveBack({ code: ABOVE_SINGLE_CAP, message: overCap.message });
  const stopBefore = run.stop();
  if (stopBefore) return giveBack(stopBefore);
  run.lease.assertTrusted();

  const destination = await ensureDestination(run, payout, { signal: run.hardStop });
  if (destination.kind === "refused") return fail(destination.code, destination.message);
  if (destination.kind === "unavailable") {
    const { answer } = destination;
    if (answer.kind === "systemic") {
      const fault = systemicFault(answer.fault, answer.detail);
      return giveBack({ ...fault, fault });
    }
    if (answer.cause !== "interrupted") {
      const message = `contact or fund account: ${answer.detail}`;
      return giveBack({ code: "PROVIDER_UNAVAILABLE", message });
    }
  }
  const stopAfter = run.stop();
  if (stopAfter) return giveBack(stopAfter);
  if (destination.kind !== "ready") return giveBack(STOPPING);
  return { ...held, fundAccountId: destination.fundAccountId, mode: choice.mode };
}

/** Ends payouts without a request, all in one transaction. */
async function finishAll(
  { db, runId }: PayRun,
  finishing: readonly Pick<Finish, "payout" | "becomes">[],
): Promise<PromiseSettledResult<unknown>[]> {
  return runBatch(finishing, async (all) => {
    const rows = all.map(({ payout, becomes }) => ({ payoutId: payout.id, ...becomes }));
    const run: HoldingRun = { runId };
    const failed = rows.filter((row) => row.is === "failed");
    await inTransaction(db, async (tx) => {
      const completed = rows.filter(({ is }) => is === "completed");
      await completePayouts(
        tx,
        run,
        completed.map(({ payoutId }) => ({ payoutId, attemptId: null })),
      );
      await failPayouts(tx, run, failed);
      await holdUnusableAccounts(
        tx,
        run,
        failed.map(({ payoutId }) => payoutId),
      );
      await returnAllToDue(
        tx,
        run,
        rows.filter((row) => row.is === "returned"),
      );
    });
    return rows;
  });
}

/** Undefined where another run holds the payout by now; one that is held back is due again already. */
async function commitAttempts(
  { db, runId, lease, gateway, settings }: PayRun,
  payable: readonly Payable[],
): Promise<PromiseSettledResult<PreparedAttempt | HeldBack | undefined>[]> {
  return runBatch(payable, (all) => {
    lease.assertTrusted();
    const inputs = all.map(({ payout, fundAccountId, mode }) => ({
      payout,
      fundAccountId,
      mode,
      accountNumber: gateway.accountNumber,
      narration: settings.narration,
      feesApart: gateway.accountKind === "current",
    }));
    return prepareAttempts(db, { runId, inputs });
  });
}

/**
 * A payout that meets a locked row, or a database error, before its attempt is due again. If its own row is the
 * cause, it stays claimed, until it is taken over or released like the payouts of a dead run.
 */
async function giveBackTroubled(
  run: PayRun,
  troubled: readonly Troubled[],
  end: End,
): Promise<void> {
  const isLost = (error: unknown): boolean => concernsAll(error) || error instanceof ClaimLostError;
  const ended = (each: Troubled, error: unknown): void =>
    end(each.item, endedBy(error, { isClaimed: true }));
  for (const each of troubled) if (isLost(each.error)) ended(each, each.error);

  const own = troubled.filter(({ error }) => !isLost(error));
  for (const { payout, error } of own) {
    if (isLockConflict(error)) continue;
    run.log.error({ payoutId: payout.id, err: toError(error) }, "payout can not be sent");
  }
  const returns = await finishAll(
    run,
    own.map(({ payout, error }) => {
      const reason = isLockConflict(error) ? rowLocked.code : REFUSED;
      return { payout, becomes: { is: "returned", reason } };
    }),
  );
  for (const [index, each] of own.entries()) {
    const returned = returns[index];
    if (returned?.status !== "rejected") {
      end(each.item, notSent(each, "it is due again"));
      continue;
    }
    const reason: unknown = returned.reason;
    if (isLost(reason)) {
      ended(each, reason);
      continue;
    }
    run.log.error(
      { payoutId: each.payout.id, err: toError(reason) },
      "payout can not be given back",
    );
    end(each.item, notSent(each, STAYS));
  }
}

const STAYS =
  "it stays in processing until it is taken over, or handle-stuck-payouts makes it due again";

function notSent({ payout, error }: Troubled, becomes: string): PayResult {
  if (isLockConflict(error))
    return { ...rowLocked, message: `${rowLocked.message}; ${becomes}`, payout };
  const message = `${describeRowError(error)}; nothing was sent, and ${becomes}`;
  return { outcome: "failed", code: REFUSED, message, payout, error };
}

import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { failureCode } from "../../provider/failure-code.ts";
import { toJson } from "../../support/log.ts";
import { holdRefusedAccounts } from "./account-holds.ts";
import { completePayouts } from "./complete.ts";
import { lockHeld } from "./held.ts";
import type { Holder, HoldingRun } from "./organization-audit.ts";
import { ClaimLostError, failPayouts, returnAllToDue } from "./release.ts";
import type { Failure, JsonValue, ProviderPayout } from "../../provider/index.ts";

/** The attempt that an answer belongs to, and the run that holds its payout. */
export interface AttemptRef extends Holder {
  attemptId: string;
  payoutId: string;
  /** Usually the run that made the attempt; another one after it has taken the payout over. */
  runId: string;
}

/** The meaning of the provider's status for us, now and for good. */
export type Settlement = "in-flight" | "paid" | "failed";

/** The outcome of a request, to be recorded. */
export type Outcome =
  /** The provider has the payout, in any state. */
  | {
      kind: "accepted";
      provider: ProviderPayout;
      httpStatus: number;
      /** Undefined keeps the answer that is stored. */
      body: JsonValue | undefined;
    }
  /** This one payout is refused: nothing was accepted. */
  | { kind: "refused"; httpStatus: number; failure: Failure; body: JsonValue }
  /** Turned down for a reason that is not the payout's, `fault`: it waits for the next run. */
  | {
      kind: "turned-away";
      httpStatus: number | undefined;
      fault: string;
      body: JsonValue | undefined;
    }
  /**
   * Nobody here knows. The payout stays PROCESSING, its earnings stay linked and its tax reserved, until the
   * provider is asked.
   */
  | {
      kind: "unknown";
      httpStatus: number | undefined;
      cause: string;
      body: JsonValue | undefined;
    };

export interface Recording {
  payoutId: string;
  attemptId: string;
  outcome: Outcome;
}

/**
 * Records outcomes in one transaction: accepted and in flight a payout stays PROCESSING, processed it is
 * COMPLETED and booked, failed or refused it is FAILED and its earnings are released, turned away it is due
 * again. An account that can not be paid is put on hold. Everything moves forward only, each row by a compare-and-swap of its own; an answer that comes late
 * changes nothing. Returns the payouts that another run, or another answer, has settled meanwhile.
 */
export async function recordOutcomes(
  db: Db,
  run: HoldingRun,
  recordings: readonly Recording[],
): Promise<ReadonlySet<string>> {
  return inTransaction(db, async (tx) => {
    const payoutIds = recordings.map(({ payoutId }) => payoutId);
    const held = await lockHeld(tx, { payoutIds, runId: run.runId });
    const answers = recordings.filter(({ payoutId }) => held.has(payoutId)).map(answerOf);
    const recorded = await recordAnswers(tx, answers);
    const now = answers.filter(({ payout_id: payoutId }) => recorded.has(payoutId));
    await completePayouts(tx, run, now.filter(({ state }) => state === "PROCESSED").map(refOf));
    await failPayouts(
      tx,
      run,
      now.flatMap(({ failure, ...answer }) => (failure ? { ...refOf(answer), ...failure } : [])),
    );
    await holdRefusedAccounts(
      tx,
      run,
      now.flatMap(({ failure, attempt_id: attemptId }) => (failure ? attemptId : [])),
    );
    await returnAllToDue(
      tx,
      run,
      now.flatMap(({ returned, ...answer }) =>
        returned === undefined ? [] : { ...refOf(answer), reason: returned },
      ),
    );
    return new Set(payoutIds.filter((payoutId) => !recorded.has(payoutId)));
  });
}

/** As `recordOutcomes`, for one. @throws {ClaimLostError} when another run has settled it meanwhile */
export async function recordOutcome(
  db: Db,
  { payoutId, attemptId, ...run }: AttemptRef,
  outcome: Outcome,
): Promise<void> {
  const lost = await recordOutcomes(db, run, [{ payoutId, attemptId, outcome }]);
  if (lost.size > 0) throw new ClaimLostError(payoutId);
}

/** Whether the attempt already has an answer. */
export async function hasAnswer(
  db: DbSession,
  { attemptId }: Pick<AttemptRef, "attemptId">,
): Promise<boolean> {
  const rows = await db.query<unknown[]>`
    SELECT 1 FROM payout_attempts WHERE id = ${attemptId}::uuid AND state <> 'PREPARED'`;
  return rows.length > 0;
}

/** The meaning of a payout's status at the provider. */
export function settlementOf({ status }: ProviderPayout): Settlement {
  switch (status) {
    case "processed":
      return "paid";
    case "failed":
    case "reversed":
    case "rejected":
    case "cancelled":
      return "failed";
    case "pending":
    case "queued":
    case "scheduled":
    case "processing":
    case "unrecognised":
      return "in-flight";
  }
}

/** The stored form of an answer, and its consequence for the payout. */
interface AnswerRow {
  payout_id: string;
  attempt_id: string;
  state: "ACCEPTED" | "PROCESSED" | "FAILED" | "REFUSED" | "UNKNOWN";
  provider?: ProviderPayout;
  http_status: number | undefined;
  failure_code: string | null;
  body: JsonValue | undefined;
  failure?: { code: string; message: string };
  /** Why the payout is due again. */
  returned?: string;
}

function refOf({ payout_id: payoutId, attempt_id: attemptId }: AnswerRow): {
  payoutId: string;
  attemptId: string;
} {
  return { payoutId, attemptId };
}

function answerOf({ payoutId, attemptId, outcome }: Recording): AnswerRow {
  const { httpStatus, body } = outcome;
  const row = { payout_id: payoutId, attempt_id: attemptId, http_status: httpStatus, body };
  switch (outcome.kind) {
    case "accepted": {
      const { provider } = outcome;
      const settlement = settlementOf(provider);
      const state = ({ "in-flight": "ACCEPTED", paid: "PROCESSED", failed: "FAILED" } as const)[
        settlement
      ];
      if (settlement !== "failed") return { ...row, state, provider, failure_code: null };
      const code = provider.statusReason ?? provider.statusText;
      const message = `the provider accepted it and then reported ${provider.statusText}`;
      return { ...row, state, provider, failure_code: code, failure: { code, message } };
    }
    case "refused": {
      const code = failureCode(outcome.failure);
      const failure = { code, message: outcome.failure.description };
      return { ...row, state: "REFUSED", failure_code: code, failure };
    }
    case "turned-away": {
      const { fault } = outcome;
      return { ...row, state: "REFUSED", failure_code: fault, returned: fault };
    }
    case "unknown":
      return { ...row, state: "UNKNOWN", failure_code: outcome.cause };
  }
}

/** Returns the payouts whose attempt took the answer. */
async function recordAnswers(
  tx: DbSession,
  answers: readonly AnswerRow[],
): Promise<ReadonlySet<string>> {
  const accepted = answers.filter(({ provider }) => provider !== undefined);
  const closed = answers.filter(({ provider }) => provider === undefined);
  return new Set([...(await acceptAttempts(tx, accepted)), ...(await closeAttempts(tx, closed))]);
}

/**
 * One JSON document, the ids twice, and the state in a CASE, for the planner. It takes a CASE for every second row,
 * and joins by hash; of a plain condition it expects no row: docs/decisions/0010-batches-of-a-pay-run.md.
 */
async function acceptAttempts(tx: DbSession, answers: readonly AnswerRow[]): Promise<string[]> {
  if (answers.length === 0) return [];
  const rows = answers.map(({ attempt_id, state, provider, http_status, failure_code, body }) => ({
    attempt_id,
    state,
    provider_id: provider?.id,
    provider_status: provider?.statusText,
    fees_paise: provider?.feesPaise,
    fees_tax_paise: provider?.feesTaxPaise,
    utr: provider?.utr,
    debited_elsewhere: provider?.debitedElsewhere,
    http_status,
    failure_code,
    body,
  }));
  const attemptIds = answers.map(({ attempt_id }) => attempt_id);
  const hit = await tx.query<{ payoutId: string }[]>`
    UPDATE payout_attempts
    SET state = answer.state::attempt_state, provider_payout_id = answer.provider_id,
        provider_status = answer.provider_status, fees_paise = answer.fees_paise,
        fees_tax_paise = answer.fees_tax_paise, utr = answer.utr, http_status = answer.http_status,
        failure_code = answer.failure_code, debited_elsewhere = COALESCE(answer.debited_elsewhere, false),
        response_body = COALESCE(answer.body, payout_attempts.response_body),
        settled_at = CASE WHEN answer.state = 'ACCEPTED' THEN NULL ELSE now() END
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb) AS answer (
      attempt_id uuid, state text, provider_id text, provider_status text, fees_paise bigint,
      fees_tax_paise bigint, utr text, http_status int, failure_code text, debited_elsewhere boolean, body jsonb)
    WHERE payout_attempts.id = answer.attempt_id AND payout_attempts.id = ANY(${attemptIds}::uuid[])
      AND CASE WHEN payout_attempts.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED') THEN true ELSE false END
      AND (payout_attempts.provider_payout_id IS NULL
           OR payout_attempts.provider_payout_id = answer.provider_id)
    RETURNING payout_attempts.payout_id AS "payoutId"`;
  return hit.map(({ payoutId }) => payoutId);
}

async function closeAttempts(tx: DbSession, answers: readonly AnswerRow[]): Promise<string[]> {
  if (answers.length === 0) return [];
  const rows = answers.map(({ attempt_id, state, http_status, failure_code, body }) => ({
    attempt_id,
    state,
    http_status,
    failure_code,
    body,
  }));
  const attemptIds = answers.map(({ attempt_id }) => attempt_id);
  const hit = await tx.query<{ payoutId: string }[]>`
    UPDATE payout_attempts
    SET state = answer.state::attempt_state, http_status = answer.http_status,
        failure_code = answer.failure_code, response_body = answer.body,
        settled_at = CASE WHEN answer.state = 'UNKNOWN' THEN NULL ELSE now() END
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb) AS answer (
      attempt_id uuid, state text, http_status int, failure_code text, body jsonb)
    WHERE payout_attempts.id = answer.attempt_id AND payout_attempts.id = ANY(${attemptIds}::uuid[])
      AND CASE WHEN payout_attempts.state IN ('PREPARED', 'UNKNOWN') THEN true ELSE false END
    RETURNING payout_attempts.payout_id AS "payoutId"`;
  return hit.map(({ payoutId }) => payoutId);
}

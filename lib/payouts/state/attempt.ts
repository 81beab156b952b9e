import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { toJson } from "../../support/log.ts";
import type { Paise } from "../../support/money.ts";
import type { ClaimedPayout } from "./decide.ts";
import { lockHeld } from "./held.ts";
import { heldAmong, heldMessage, lockAgainstHolds, ON_HOLD } from "./on-hold.ts";
import { returnAllToDue } from "./release.ts";
import { buildPayoutRequest, type JsonValue, type PayoutMode } from "../../provider/index.ts";

/** A committed attempt, ready to be sent. */
export interface PreparedAttempt {
  id: string;
  idempotencyKey: string;
  /** The exact bytes to send; their hash is in the attempt's row. */
  body: string;
}

/** Claimed before a hold that was placed since: it is due again, and nothing was sent. */
export interface HeldBack {
  held: string;
}

/**
 * The key of attempt n of a payout, a function of the two and of nothing else, so that no retry can
 * carry another. The hyphens of the payout's id are left out: the provider takes 36 characters.
 */
function idempotencyKeyOf(payoutId: string, attemptNo: number): string {
  return `${payoutId.replaceAll("-", "")}-${attemptNo}`;
}

/** Our reference at the provider, by which an unknown outcome is looked up; at most 40 characters. */
function referenceIdOf(payoutId: string, attemptNo: number): string {
  return `${payoutId}-${attemptNo}`;
}

/** The data of an attempt, apart from its number. */
export interface AttemptInput {
  payout: ClaimedPayout;
  fundAccountId: string;
  mode: PayoutMode;
  accountNumber: string;
  narration: string;
  /** Whether fees are collected apart from the payout. Default: no. */
  feesApart?: boolean;
}

/**
 * Commits attempts before their requests leave: key, hash of the exact body, masked body. From here on
 * the money may move, so the payouts can only be settled by the provider's answers. In the order of
 * `inputs`; undefined where another run holds the payout by now.
 *
 * Holds are read for the last time: between claim and attempt the provider was asked for accounts, which takes a while. A
 * payout whose payee is on hold by now is due again.
 */
export async function prepareAttempts(
  db: Db,
  { runId, inputs }: { runId: string; inputs: readonly AttemptInput[] },
): Promise<(PreparedAttempt | HeldBack | undefined)[]> {
  const payoutIds = inputs.map(({ payout }) => payout.id);
  return inTransaction(db, async (tx) => {
    await lockAgainstHolds(tx, payoutIds);
    const held = await lockHeld(tx, { payoutIds, runId });
    const onHold = await heldAmong(tx, [...held]);
    await returnAllToDue(
      tx,
      { runId },
      [...onHold.keys()].map((payoutId) => ({ payoutId, reason: ON_HOLD })),
    );
    const earlier = await countAttempts(tx, payoutIds);
    const made = inputs
      .filter(({ payout }) => held.has(payout.id) && !onHold.has(payout.id))
      .map((input) => attemptRow(input, 1 + (earlier.get(input.payout.id) ?? 0)));
    const inserted = await insertAttempts(
      tx,
      runId,
      made.map(({ row }) => row),
    );
    const attempts = new Map(
      made.map(({ row: { payoutId, idempotencyKey }, body }): [string, PreparedAttempt] => {
        const id = inserted.get(payoutId);
        if (id === undefined) throw new Error("an attempt was inserted and not returned");
        return [payoutId, { id, idempotencyKey, body }];
      }),
    );
    return payoutIds.map((payoutId) => {
      const back = onHold.get(payoutId);
      return back ? { held: heldMessage(back) } : attempts.get(payoutId);
    });
  });
}

async function countAttempts(
  tx: DbSession,
  payoutIds: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query<{ payoutId: string; count: number }[]>`
    SELECT payout_id AS "payoutId", count(*)::int AS count FROM payout_attempts
    WHERE payout_id = ANY(${payoutIds}::uuid[]) GROUP BY payout_id`;
  return new Map(rows.map(({ payoutId, count }) => [payoutId, count]));
}

/** The stored part of an attempt: not the body itself, which holds our account number. */
interface AttemptRow {
  payoutId: string;
  attemptNo: number;
  payoutAccountId: string;
  idempotencyKey: string;
  referenceId: string;
  mode: PayoutMode;
  amountPaise: Paise;
  requestHash: string;
  requestBody: JsonValue;
  feesApart: boolean;
}

function attemptRow(input: AttemptInput, attemptNo: number): { row: AttemptRow; body: string } {
  const { payout, fundAccountId, mode, accountNumber, narration, feesApart = false } = input;
  const { id: payoutId, payoutAccountId, netPaise: amountPaise } = payout;
  const referenceId = referenceIdOf(payoutId, attemptNo);
  const request = buildPayoutRequest({
    accountNumber,
    fundAccountId,
    amountPaise,
    mode,
    referenceId,
    narration,
  });
  const row = {
    payoutId,
    attemptNo,
    payoutAccountId,
    idempotencyKey: idempotencyKeyOf(payoutId, attemptNo),
    referenceId,
    mode,
    amountPaise,
    requestHash: request.hash,
    requestBody: request.maskedBody,
    feesApart,
  };
  return { row, body: request.body };
}

/**
 * The ids of the new attempts, by payout. One JSON document, not nine lists that must be kept alike; see
 * docs/decisions/0010-batches-of-a-pay-run.md.
 */
async function insertAttempts(
  tx: DbSession,
  runId: string,
  rows: readonly AttemptRow[],
): Promise<ReadonlyMap<string, string>> {
  if (rows.length === 0) return new Map();
  const inserted = await tx.query<{ id: string; payoutId: string }[]>`
    INSERT INTO payout_attempts (
      payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id, mode,
      amount_paise, request_hash, request_body, fees_apart)
    SELECT "payoutId", "attemptNo", "payoutAccountId", ${runId}::uuid, "idempotencyKey", "referenceId", mode,
           "amountPaise", "requestHash", "requestBody", "feesApart"
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb) AS attempt (
      "payoutId" uuid, "attemptNo" int, "payoutAccountId" uuid, "idempotencyKey" text, "referenceId" text,
      mode text, "amountPaise" bigint, "requestHash" text, "requestBody" jsonb,
      "feesApart" boolean)
    RETURNING id, payout_id AS "payoutId"`;
  return new Map(inserted.map(({ id, payoutId }) => [payoutId, id]));
}

import { recordAudits } from "../../audit/audit-log.ts";
import type { DbSession } from "../../db/client.ts";
import { toJson } from "../../support/log.ts";
import type { HoldingRun } from "./organization-audit.ts";
import { reasonsWith, ruleOf } from "../../provider/index.ts";

/** The pay run, unless told otherwise. */
const PAY_RUN = "job:payouts/process-payouts";

/**
 * Puts the accounts of failed attempts on hold where the reason says that the account can not be paid. The
 * reason is read from the attempt, in the transaction that settles it. An account that is on hold already
 * stays as it is.
 */
export async function holdRefusedAccounts(
  tx: DbSession,
  { actor = PAY_RUN }: Pick<HoldingRun, "actor">,
  attemptIds: readonly string[],
): Promise<void> {
  if (attemptIds.length === 0) return;
  const refused = await tx.query<Refused[]>`
    SELECT DISTINCT ON (payout_account_id) payout_account_id AS "payoutAccountId", payout_id AS "payoutId",
           failure_code AS reason
    FROM payout_attempts
    WHERE id = ANY(${attemptIds}::uuid[]) AND failure_code = ANY(${reasonsWith("new-details")}::text[])
    ORDER BY payout_account_id, payout_id`;
  await placeAll(tx, actor, refused);
}

/**
 * As `holdRefusedAccounts`, for payouts that failed before an attempt: the provider made no fund account of the
 * details. The reason is read from the payout.
 */
export async function holdUnusableAccounts(
  tx: DbSession,
  { actor = PAY_RUN }: Pick<HoldingRun, "actor">,
  payoutIds: readonly string[],
): Promise<void> {
  if (payoutIds.length === 0) return;
  const refused = await tx.query<Refused[]>`
    SELECT DISTINCT ON (account.id) account.id AS "payoutAccountId", payout.id AS "payoutId",
           payout.failure_code AS reason
    FROM payouts AS payout
    JOIN payout_accounts AS account ON account.consultant_id = payout.consultant_id AND account.active
    WHERE payout.id = ANY(${payoutIds}::uuid[])
      AND payout.failure_code = ANY(${reasonsWith("new-details")}::text[])
    ORDER BY account.id, payout.id`;
  await placeAll(tx, actor, refused);
}

interface Refused {
  payoutAccountId: string;
  payoutId: string;
  reason: string;
}

async function placeAll(tx: DbSession, actor: string, refused: readonly Refused[]): Promise<void> {
  if (refused.length === 0) return;
  const placed = await tx.query<(Refused & { consultantId: string })[]>`
    WITH placed AS (
      INSERT INTO payout_account_holds (payout_account_id, payout_id, reason, placed_by)
      SELECT "payoutAccountId", "payoutId", reason, ${actor}
      FROM jsonb_to_recordset(${toJson(refused)}::jsonb)
        AS refused ("payoutAccountId" uuid, "payoutId" uuid, reason text)
      ORDER BY "payoutAccountId"
      ON CONFLICT (payout_account_id) WHERE released_at IS NULL DO NOTHING
      RETURNING payout_account_id, payout_id, reason
    )
    SELECT account.consultant_id AS "consultantId", placed.payout_account_id AS "payoutAccountId",
           placed.payout_id AS "payoutId", placed.reason
    FROM placed JOIN payout_accounts AS account ON account.id = placed.payout_account_id
    ORDER BY account.consultant_id`;
  await recordAudits(
    tx,
    placed.map(({ consultantId, payoutAccountId, payoutId, reason }) => ({
      actor,
      category: "hold",
      action: "placed",
      subjectType: "consultant",
      subjectId: consultantId,
      reason,
      detail: { kind: REFUSED_ACCOUNT, payoutAccountId, payoutId },
    })),
  );
}

/** How commands and reports call the hold of an account. */
export const REFUSED_ACCOUNT = "refused_account";

/** Releases every open hold of a consultant's accounts; returns their reasons. For a person. */
export async function releaseAccountHolds(
  tx: DbSession,
  { consultantId, by }: { consultantId: string; by: string },
): Promise<string[]> {
  const released = await tx.query<{ reason: string }[]>`
    UPDATE payout_account_holds AS hold SET released_at = now(), released_by = ${by}
    FROM payout_accounts AS account
    WHERE account.id = hold.payout_account_id AND account.consultant_id = ${consultantId}::uuid
      AND hold.released_at IS NULL
    RETURNING hold.reason`;
  return released.map(({ reason }) => reason);
}

/** Why nothing is sent to a payee's active account now. */
export type AccountStop =
  /** Refused for good, until an account that differs is active or a person releases it. */
  | { kind: "refused"; reason: string }
  /** Failed for a reason that passes; `until` is IST. */
  | { kind: "retry-later"; reason: string; until: string };

/**
 * Those of these consultants to whose active account nothing may be sent now. A hold counts for every row with
 * the same details, so that the same account imported once more is on hold as well.
 */
export async function readAccountStops(
  db: DbSession,
  consultantIds: readonly string[],
): Promise<ReadonlyMap<string, AccountStop>> {
  if (consultantIds.length === 0) return new Map();
  const rows = await db.query<StopRow[]>`
    SELECT account.consultant_id AS "consultantId", hold.reason AS refused, later.reason AS failed,
           to_char(later.until AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI') AS until
    FROM payout_accounts AS account
    LEFT JOIN LATERAL (
      SELECT hold.reason
      FROM payout_accounts AS same
      JOIN payout_account_holds AS hold ON hold.payout_account_id = same.id AND hold.released_at IS NULL
      WHERE same.consultant_id = account.consultant_id
        AND (same.kind, same.ifsc, same.account_number, same.vpa)
          IS NOT DISTINCT FROM (account.kind, account.ifsc, account.account_number, account.vpa)
      ORDER BY hold.placed_at DESC, hold.id LIMIT 1
    ) AS hold ON true
    LEFT JOIN LATERAL (
      SELECT wait.reason, attempt.settled_at + make_interval(mins => wait.minutes) AS until
      FROM payout_attempts AS attempt
      JOIN jsonb_to_recordset(${toJson(waits())}::jsonb) AS wait (reason text, minutes int)
        ON wait.reason = attempt.failure_code
      WHERE attempt.payout_account_id = account.id AND attempt.state IN ('REFUSED', 'FAILED', 'REVERSED')
        AND attempt.settled_at + make_interval(mins => wait.minutes) > now()
      ORDER BY until DESC LIMIT 1
    ) AS later ON true
    WHERE account.consultant_id = ANY(${consultantIds}::uuid[]) AND account.active
      AND (hold.reason IS NOT NULL OR later.reason IS NOT NULL)`;
  return new Map(
    rows.map(({ consultantId, refused, failed, until }): [string, AccountStop] => [
      consultantId,
      refused === null
        ? { kind: "retry-later", reason: failed ?? "", until: until ?? "" }
        : { kind: "refused", reason: refused },
    ]),
  );
}

interface StopRow {
  consultantId: string;
  refused: string | null;
  failed: string | null;
  until: string | null;
}

/** The reasons that ask for a wait, and how long it is. */
function waits(): { reason: string; minutes: number }[] {
  return reasonsWith("retry").flatMap((reason) => {
    const minutes = ruleOf(reason)?.waitMinutes ?? 0;
    return minutes > 0 ? [{ reason, minutes }] : [];
  });
}

/** The reason that a run gives for a payout whose account failed a moment ago. */
export const RETRY_LATER = "RETRY_LATER";

/** The stop as a report and a command name it. */
export function describeStop(stop: AccountStop): { code: string; message: string } {
  const means = ruleOf(stop.reason)?.means ?? "the provider refused it";
  if (stop.kind === "refused") {
    return {
      code: "REFUSED_ACCOUNT",
      message: `${means} (${stop.reason}); nothing is sent until another account is on record`,
    };
  }
  return {
    code: RETRY_LATER,
    message: `${means} (${stop.reason}); not sent again before ${stop.until} IST`,
  };
}

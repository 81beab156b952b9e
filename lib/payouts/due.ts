import type { DbSession } from "../db/prisma.ts";
import { minutes } from "../support/clock.ts";
import type { Paise } from "../support/money.ts";

/** After this many certain refusals a payout is left to a person. */
export const MAXIMUM_TRIES = 3;

/**
 * A claim without an attempt is taken over from a run that still seems to hold it only after this
 * long: longer than any run may last.
 */
export const ABANDONED_AFTER_MS = minutes(45);

export interface DuePayout {
  id: string;
  amountPaise: Paise;
}

/** A due payout, and whose it is. */
export interface DuePayoutOfPayee extends DuePayout {
  consultantId: string;
}

/** Where a page of due payouts ended. */
export interface DueCursor {
  approvedAt: string;
  id: string;
}

/** Count, sum and largest of what is due, without loading it: the caps are checked on these. */
export async function summariseDue(
  db: DbSession,
  limit: number,
): Promise<{ count: number; totalPaise: Paise; largest: DuePayout | undefined }> {
  const [row] = await db.$queryRaw<
    {
      count: bigint;
      totalPaise: bigint | null;
      largestId: string | null;
      largestPaise: bigint | null;
    }[]
  >`
    WITH due AS (
      SELECT id, amount_paise FROM payouts
      WHERE status = 'APPROVED' AND tries < ${MAXIMUM_TRIES}
      ORDER BY approved_at, id
      LIMIT ${limit}
    )
    SELECT count(*) AS count, sum(amount_paise)::bigint AS "totalPaise",
           (array_agg(id ORDER BY amount_paise DESC, id))[1] AS "largestId",
           max(amount_paise) AS "largestPaise"
    FROM due`;
  const count = Number(row?.count ?? 0n);
  if (!row || row.largestId === null || row.largestPaise === null) {
    return { count, totalPaise: 0n, largest: undefined };
  }
  return {
    count,
    totalPaise: row.totalPaise ?? 0n,
    largest: { id: row.largestId, amountPaise: row.largestPaise },
  };
}

/** One page of due payouts, oldest approval first. Rides on the index (status, approved_at, id). */
export async function dueAfter(
  db: DbSession,
  { cursor, count }: { cursor: DueCursor | undefined; count: number },
): Promise<(DuePayoutOfPayee & DueCursor)[]> {
  const { approvedAt, id } = cursor ?? {
    approvedAt: "-infinity",
    id: "00000000-0000-0000-0000-000000000000",
  };
  return db.$queryRaw<(DuePayoutOfPayee & DueCursor)[]>`
    SELECT id, consultant_id AS "consultantId", amount_paise AS "amountPaise", approved_at::text AS "approvedAt"
    FROM payouts
    WHERE status = 'APPROVED' AND tries < ${MAXIMUM_TRIES}
      AND (approved_at, id) > (${approvedAt}::timestamptz, ${id}::uuid)
    ORDER BY approved_at, id
    LIMIT ${count}`;
}

/**
 * Payouts that a run claimed and never made an attempt for, because it died in between: nothing was
 * sent, so they are as good as approved. A claim with an older fence of the lock that we hold is
 * dead for certain; any other is given `ABANDONED_AFTER_MS` on the database's clock.
 */
export async function abandonedClaims(
  db: DbSession,
  { runId, fence, limit }: { runId: string; fence: bigint | null; limit: number },
): Promise<(DuePayoutOfPayee & { claimedBy: string })[]> {
  return db.$queryRaw<(DuePayoutOfPayee & { claimedBy: string })[]>`
    SELECT id, consultant_id AS "consultantId", amount_paise AS "amountPaise", claimed_by AS "claimedBy"
    FROM payouts
    WHERE status = 'PROCESSING' AND claimed_by <> ${runId}::uuid
      AND (claim_fence < ${fence}::bigint
           OR claimed_at < now() - make_interval(secs => ${ABANDONED_AFTER_MS}::float8 / 1000))
      AND NOT EXISTS (
        SELECT 1 FROM payout_attempts AS attempt
        WHERE attempt.payout_id = payouts.id
          AND attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED'))
    ORDER BY approved_at, id
    LIMIT ${limit}`;
}

/** What is approved and still waits, what waits for a person, and what is in doubt. */
export async function countWaiting(
  db: DbSession,
  runId: string,
): Promise<{ approved: number; outOfTries: number; inDoubt: number; unfinished: number }> {
  const [row] = await db.$queryRaw<
    { approved: bigint; outOfTries: bigint; inDoubt: bigint; unfinished: bigint }[]
  >`
    SELECT
      (SELECT count(*) FROM payouts WHERE status = 'APPROVED' AND tries < ${MAXIMUM_TRIES}) AS approved,
      (SELECT count(*) FROM payouts WHERE status = 'APPROVED' AND tries >= ${MAXIMUM_TRIES}) AS "outOfTries",
      (SELECT count(*) FROM payout_attempts
       WHERE state IN ('PREPARED', 'UNKNOWN') AND run_id <> ${runId}::uuid) AS "inDoubt",
      (SELECT count(*) FROM payout_attempts
       WHERE state = 'ACCEPTED' AND run_id <> ${runId}::uuid) AS unfinished`;
  return {
    approved: Number(row?.approved ?? 0n),
    outOfTries: Number(row?.outOfTries ?? 0n),
    inDoubt: Number(row?.inDoubt ?? 0n),
    unfinished: Number(row?.unfinished ?? 0n),
  };
}

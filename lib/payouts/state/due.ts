import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import { minutes } from "../../support/clock.ts";
import type { Paise } from "../../support/money.ts";
import { TAXPAYER_OF_PAYOUT } from "../../tds/taxpayer.ts";
import { HAS_LIVE_ATTEMPT } from "./held.ts";
import type { PayeeKind } from "./kind.ts";
import { heldAmong, IS_HELD, type HeldDue } from "./on-hold.ts";

/** Where nobody has set a limit: as many as there are. */
export const NO_LIMIT = 2_000_000_000;

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
  /** The person taxed: equal for consultants with one PAN. */
  taxpayerId: string;
  /** Null: the consultant's own. */
  organizationId: string | null;
}

/** A claim that a dead run left without an attempt. */
export interface AbandonedClaim extends DuePayoutOfPayee {
  /** The run that left it. */
  claimedBy: string;
  netPaise: Paise;
  /** Since the claim, on the database's clock. */
  ageMs: number;
}

/** Payouts that wait for a run, and since when. An organization's payout needs no approval. */
const WAITING: Readonly<Record<PayeeKind, { condition: SqlPart; since: SqlPart }>> = {
  consultant: {
    condition: sql`status = 'APPROVED' AND organization_id IS NULL`,
    since: sql`approved_at`,
  },
  organization: {
    condition: sql`status = 'PENDING' AND organization_id IS NOT NULL`,
    since: sql`created_at`,
  },
};

/** Payouts that a run may claim: waiting, with tries left, and with no hold of the payee. */
const isDue = (kind: PayeeKind): SqlPart =>
  sql`${WAITING[kind].condition} AND tries < ${MAXIMUM_TRIES} AND NOT ${IS_HELD}`;

/** Where a page of due payouts ended. */
export interface DueCursor {
  since: string;
  id: string;
}

/**
 * Count and sum of due payouts that can be sent, without loading them: the run's caps are checked on these.
 * The order, which only a limit needs, costs nothing.
 */
export async function summariseDue(
  db: DbSession,
  { kind, limit, mostPaise }: { kind: PayeeKind; limit: number; mostPaise: Paise },
): Promise<{ count: number; totalPaise: Paise }> {
  const { since } = WAITING[kind];
  const [row] = await db.query<{ count: bigint; totalPaise: bigint | null }[]>`
    WITH due AS (
      SELECT id, amount_paise FROM payouts
      WHERE ${isDue(kind)} AND amount_paise <= ${mostPaise}
      ORDER BY ${since}, id
      LIMIT ${limit}
    )
    SELECT count(*) AS count, sum(amount_paise)::bigint AS "totalPaise"
    FROM due`;
  return { count: Number(row?.count ?? 0n), totalPaise: row?.totalPaise ?? 0n };
}

/** Due payouts that are larger than one may be, the largest first. There are few, or the cap is wrong. */
export async function dueAbove(
  db: DbSession,
  { kind, mostPaise }: { kind: PayeeKind; mostPaise: Paise },
): Promise<(DuePayout & { consultantRef: string })[]> {
  return db.query<(DuePayout & { consultantRef: string })[]>`
    SELECT payouts.id, payouts.amount_paise AS "amountPaise", consultant.external_ref AS "consultantRef"
    FROM payouts JOIN consultants AS consultant ON consultant.id = payouts.consultant_id
    WHERE ${isDue(kind)} AND amount_paise > ${mostPaise}
    ORDER BY payouts.amount_paise DESC, payouts.id`;
}

/**
 * One page of due payouts, those that wait longest first. Rides on the index (status, approved_at, id), for
 * organizations on `payouts_organization_waiting`. OFFSET would pass over payouts when those before them are
 * claimed meanwhile; see docs/decisions/0010-batches-of-a-pay-run.md.
 */
export async function dueAfter(
  db: DbSession,
  {
    kind,
    cursor,
    count,
    mostPaise,
  }: { kind: PayeeKind; cursor: DueCursor | undefined; count: number; mostPaise: Paise },
): Promise<(DuePayoutOfPayee & DueCursor)[]> {
  const { since } = WAITING[kind];
  const after = cursor ?? { since: "-infinity", id: "00000000-0000-0000-0000-000000000000" };
  return db.query<(DuePayoutOfPayee & DueCursor)[]>`
    SELECT id, consultant_id AS "consultantId", ${TAXPAYER_OF_PAYOUT} AS "taxpayerId",
           organization_id AS "organizationId", amount_paise AS "amountPaise", ${since}::text AS since
    FROM payouts
    WHERE ${isDue(kind)} AND amount_paise <= ${mostPaise}
      AND (${since}, id) > (${after.since}::timestamptz, ${after.id}::uuid)
    ORDER BY ${since}, id
    LIMIT ${count}`;
}

/**
 * Payouts that a run claimed and then died before making an attempt: nothing was sent, so they are due again. A
 * claim with an older fence of the lock that we hold is certainly dead. Any other is given `ABANDONED_AFTER_MS`
 * on the database's clock. Fences are counted for each lock: a job without the pay run's lock passes null, and
 * uses the age alone.
 *
 * NOT EXISTS looks up each claimed payout. NOT IN would read the attempts of every payout ever paid.
 */
export async function abandonedClaims(
  db: DbSession,
  {
    kind,
    runId,
    fence,
    limit,
  }: { kind: PayeeKind; runId: string; fence: bigint | null; limit: number },
): Promise<AbandonedClaim[]> {
  return db.query<AbandonedClaim[]>`
    SELECT id, consultant_id AS "consultantId", ${TAXPAYER_OF_PAYOUT} AS "taxpayerId",
           organization_id AS "organizationId", amount_paise AS "amountPaise", claimed_by AS "claimedBy",
           COALESCE(net_paise, amount_paise) AS "netPaise",
           (extract(epoch FROM now() - claimed_at) * 1000)::float8 AS "ageMs"
    FROM payouts
    WHERE status = 'PROCESSING' AND (organization_id IS NOT NULL) = ${kind === "organization"}::boolean
      AND claimed_by <> ${runId}::uuid
      AND (claim_fence < ${fence}::bigint
           OR claimed_at < now() - make_interval(secs => ${ABANDONED_AFTER_MS}::float8 / 1000))
      AND NOT ${HAS_LIVE_ATTEMPT}
    ORDER BY ${WAITING[kind].since}, id
    LIMIT ${limit}`;
}

/** How many of these payouts are due now. */
export async function countDueOf(
  db: DbSession,
  { kind, ids }: { kind: PayeeKind; ids: readonly string[] },
): Promise<number> {
  if (ids.length === 0) return 0;
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM payouts
    WHERE id = ANY(${ids}::uuid[]) AND ${isDue(kind)}`;
  return row?.count ?? 0;
}

/**
 * Due payouts that still wait, and payouts out of tries that wait for a person. Payouts on hold are in neither.
 */
export async function countWaiting(
  db: DbSession,
  kind: PayeeKind,
): Promise<{ due: number; outOfTries: number }> {
  const [row] = await db.query<{ due: number; outOfTries: number }[]>`
    SELECT (count(*) FILTER (WHERE tries < ${MAXIMUM_TRIES}))::int AS due,
           (count(*) FILTER (WHERE tries >= ${MAXIMUM_TRIES}))::int AS "outOfTries"
    FROM payouts WHERE ${WAITING[kind].condition} AND NOT ${IS_HELD}`;
  return row ?? { due: 0, outOfTries: 0 };
}

/** Payouts due except for a hold of the payee, and the first `most` of them, the longest wait first. */
export async function heldDue(
  db: DbSession,
  { kind, most }: { kind: PayeeKind; most: number },
): Promise<HeldDue> {
  const { condition, since } = WAITING[kind];
  const [row] = await db.query<{ count: number; totalPaise: bigint; ids: string[] }[]>`
    SELECT count(*)::int AS count, COALESCE(sum(amount_paise), 0)::bigint AS "totalPaise",
           COALESCE((array_agg(id::text ORDER BY ${since}, id))[1:${most}::int], '{}') AS ids
    FROM payouts WHERE ${condition} AND tries < ${MAXIMUM_TRIES} AND ${IS_HELD}`;
  if (!row || row.count === 0) return { count: 0, totalPaise: 0n, payouts: [] };
  const held = await heldAmong(db, row.ids);
  const payouts = row.ids.flatMap((id) => held.get(id) ?? []);
  return { count: row.count, totalPaise: row.totalPaise, payouts };
}

/**
 * Payouts that another run has claimed and not sent, and that are not taken for abandoned: the run may be
 * alive, or dead for less than `ABANDONED_AFTER_MS`.
 */
export async function countUnsent(
  db: DbSession,
  { runId, fence }: { runId: string; fence: bigint | null },
): Promise<number> {
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM payouts
    WHERE status = 'PROCESSING' AND claimed_by <> ${runId}::uuid
      AND (claim_fence < ${fence}::bigint) IS NOT TRUE
      AND claimed_at >= now() - make_interval(secs => ${ABANDONED_AFTER_MS}::float8 / 1000)
      AND NOT ${HAS_LIVE_ATTEMPT}`;
  return row?.count ?? 0;
}

/** Payouts that other runs left open with an attempt: in doubt, or at the provider and not finished. */
export async function countOpen(
  db: DbSession,
  runId: string,
): Promise<{ inDoubt: number; unfinished: number }> {
  const [row] = await db.query<{ inDoubt: number; unfinished: number }[]>`
    SELECT
      (SELECT count(*) FROM payout_attempts
       WHERE state IN ('PREPARED', 'UNKNOWN') AND run_id <> ${runId}::uuid)::int AS "inDoubt",
      (SELECT count(*) FROM payout_attempts
       WHERE state = 'ACCEPTED' AND run_id <> ${runId}::uuid)::int AS unfinished`;
  return row ?? { inDoubt: 0, unfinished: 0 };
}

import { sql, type DbSession, type SqlPart } from "../db/client.ts";
import { minutes } from "../support/clock.ts";
import type { Paise } from "../support/money.ts";
import type { LegKind } from "./cascade.ts";
import { isDisputed } from "./disputed.ts";

/** A leg of a refund that is not settled. */
export interface OpenLeg {
  legId: string;
  refundId: string;
  paymentId: string;
  kind: LegKind;
  amountPaise: Paise;
  /** `pay_…`; null when no part of the payment was paid by card. */
  providerPaymentId: string | null;
  /** `rfnd_…`, when the provider has told it. */
  providerRefundId: string | null;
  /** The last answer about a leg whose outcome is unknown. */
  failureCode: string | null;
  failureMessage: string | null;
  /** Since the request was sent last, or may have been; null when it certainly never got there. */
  sentMsAgo: number | null;
  /** Since the refund was asked for. All on the database's clock. */
  askedMsAgo: number;
}

export interface OpenLegCursor {
  askedAt: string;
  legId: string;
}

/** In the order of a run: legs in doubt, due legs, legs at the provider. */
export const PHASES = ["in-doubt", "due", "at-provider"] as const;
export type Phase = (typeof PHASES)[number];

/** A claim under an older fence of our lock is dead for certain; any other only after this long. */
const ABANDONED_AFTER_MS = minutes(45);

/** The legs of a run: of these refunds alone, if they are given, and never those that another run holds. */
export interface Selection {
  refundIds: readonly string[] | undefined;
  runId: string;
  fence: bigint | null;
}

/** SQL over `leg`: no run that may still be alive holds it. */
export function isFree({ runId, fence }: { runId: string; fence: bigint | null }): SqlPart {
  return sql`(leg.claimed_by IS NULL OR leg.claimed_by <> ${runId}::uuid AND (
    COALESCE(leg.claim_fence < ${fence}::bigint, false)
    OR leg.claimed_at < now() - make_interval(secs => ${ABANDONED_AFTER_MS}::float8 / 1000)))`;
}

/** SQL over `leg`: nothing of its payment is sent or credited until a dispute ends. */
export const WAITS_FOR_DISPUTE = isDisputed(
  sql`(SELECT refund.payment_id FROM refunds AS refund WHERE refund.id = leg.refund_id)`,
);

/** A request that was prepared and has no answer may have been sent. */
const STATES: Readonly<Record<Phase, SqlPart>> = {
  "in-doubt": sql`leg.state IN ('PREPARED', 'UNKNOWN')`,
  due: sql`(leg.state = 'DUE' AND NOT ${WAITS_FOR_DISPUTE})`,
  "at-provider": sql`leg.state = 'ACCEPTED'`,
};

/** One page, oldest refund first. */
export async function openLegsAfter(
  db: DbSession,
  {
    phase,
    selection,
    cursor,
    count,
  }: { phase: Phase; selection: Selection; cursor: OpenLegCursor | undefined; count: number },
): Promise<(OpenLeg & OpenLegCursor)[]> {
  const after = cursor ?? { askedAt: "-infinity", legId: "00000000-0000-0000-0000-000000000000" };
  return db.query<(OpenLeg & OpenLegCursor)[]>`
    SELECT leg.id AS "legId", leg.refund_id AS "refundId", refund.payment_id AS "paymentId",
           paid.kind::text AS kind, leg.amount_paise AS "amountPaise",
           payment.provider_payment_id AS "providerPaymentId",
           leg.provider_refund_id AS "providerRefundId", leg.failure_code AS "failureCode",
           leg.failure_message AS "failureMessage",
           (extract(epoch FROM now() - leg.sent_at) * 1000)::float8 AS "sentMsAgo",
           (extract(epoch FROM now() - refund.created_at) * 1000)::float8 AS "askedMsAgo",
           refund.created_at::text AS "askedAt"
    FROM refund_legs AS leg
    JOIN refunds AS refund ON refund.id = leg.refund_id
    JOIN payments AS payment ON payment.id = refund.payment_id
    JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
    WHERE ${STATES[phase]} AND ${selected(selection)} AND ${isFree(selection)}
      AND (refund.created_at, leg.id) > (${after.askedAt}::timestamptz, ${after.legId}::uuid)
    ORDER BY refund.created_at, leg.id
    LIMIT ${count}`;
}

/** Open legs of each phase, and those that this run leaves. */
type LegCounts = Record<Phase, number> & {
  /** Held by another run. */
  elsewhere: number;
  /** Due, and of a payment that is disputed. */
  disputed: number;
};

export async function countOpenLegs(db: DbSession, selection: Selection): Promise<LegCounts> {
  const free = isFree(selection);
  const [row] = await db.query<LegCounts[]>`
    SELECT (count(*) FILTER (WHERE ${STATES["in-doubt"]} AND ${free}))::int AS "in-doubt",
           (count(*) FILTER (WHERE ${STATES.due} AND ${free}))::int AS due,
           (count(*) FILTER (WHERE ${STATES["at-provider"]} AND ${free}))::int AS "at-provider",
           (count(*) FILTER (WHERE NOT ${free}))::int AS elsewhere,
           (count(*) FILTER (WHERE leg.state = 'DUE' AND ${WAITS_FOR_DISPUTE}))::int AS disputed
    FROM refund_legs AS leg
    WHERE leg.state IN ('DUE', 'PREPARED', 'UNKNOWN', 'ACCEPTED') AND ${selected(selection)}`;
  return row ?? { "in-doubt": 0, due: 0, "at-provider": 0, elsewhere: 0, disputed: 0 };
}

function selected({ refundIds }: Selection): SqlPart {
  return refundIds === undefined ? sql`true` : sql`leg.refund_id = ANY(${refundIds}::uuid[])`;
}

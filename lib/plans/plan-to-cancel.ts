import { sql, type DbSession } from "../db/client.ts";

/** An event, as a cancellation looks at it. */
export interface PlanToCancel {
  id: string;
  title: string;
  isGroup: boolean;
  /** It or one of its meetings has begun. */
  hasBegun: boolean;
  cancelledAt: Date | null;
}

/** @param forUpdate false for a dry run, whose read-only session may lock nothing */
export async function readPlanToCancel(
  db: DbSession,
  planId: string,
  { forUpdate }: { forUpdate: boolean },
): Promise<PlanToCancel | undefined> {
  const lock = forUpdate ? sql`FOR UPDATE` : sql``;
  const [plan] = await db.query<PlanToCancel[]>`
    SELECT id, title, capacity IS NOT NULL AS "isGroup", cancelled_at AS "cancelledAt",
           COALESCE(starts_at <= now(), false) OR EXISTS (
             SELECT 1 FROM appointments WHERE plan_id = plans.id AND starts_at <= now()) AS "hasBegun"
    FROM plans WHERE id = ${planId}::uuid ${lock}`;
  return plan;
}

export type PlanRefusal = "UNKNOWN_PLAN" | "NOT_AN_EVENT" | "HAS_BEGUN";

export interface RefusedPlan {
  kind: "refused";
  code: PlanRefusal;
  message: string;
  remedy: string;
}

/** Why a plan is not cancelled as one thing. One that is cancelled already is never refused: it is gone on with. */
export function refusalOf(
  plan: PlanToCancel | undefined,
  { planId, althoughBegun }: { planId: string; althoughBegun: boolean },
): RefusedPlan | undefined {
  if (!plan) {
    return {
      kind: "refused",
      code: "UNKNOWN_PLAN",
      message: `there is no plan ${planId}`,
      remedy: "List plans: npm run plans -- list",
    };
  }
  if (!plan.isGroup) {
    return {
      kind: "refused",
      code: "NOT_AN_EVENT",
      message: `plan ${planId} is no webinar and no class: its bookings have meetings of their own`,
      remedy: "End each booking by itself: npm run payments -- refund PAYMENT --amount all",
    };
  }
  if (plan.hasBegun && plan.cancelledAt === null && !althoughBegun) {
    return {
      kind: "refused",
      code: "HAS_BEGUN",
      message: `plan ${planId} has begun or is over, and a cancellation refunds everybody in full`,
      remedy: "If that is meant, give --although-begun.",
    };
  }
  return undefined;
}

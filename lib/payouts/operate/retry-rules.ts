import type { DbSession } from "../../db/client.ts";
import { MAXIMUM_TRIES } from "../state/due.ts";
import type { Refusal } from "./change.ts";
import type { LockedPayout } from "./locked-payout.ts";

const NEXT_BATCH = "Its earnings that are READY come with the next batch, in a new payout.";

/**
 * A new attempt is allowed only after the provider's own word that the last one moved no money: a request
 * that was refused, or accepted and then reported as failed.
 */
export async function attemptRefusals(tx: DbSession, payout: LockedPayout): Promise<Refusal[]> {
  const attempts = await tx.query<{ attemptNo: number; state: string }[]>`
    SELECT attempt_no AS "attemptNo", state::text AS state
    FROM payout_attempts WHERE payout_id = ${payout.id}::uuid
    ORDER BY attempt_no, created_at`;
  const refusals = attempts.flatMap(liveAttempt);
  const last = attempts.at(-1);
  if (last?.state === "REVERSED") {
    refusals.push({
      code: "MONEY_CAME_BACK",
      message: `attempt ${last.attemptNo} was paid and reversed: the money left and came back`,
      remedy: "Compare it with the provider's statement. It is not simply sent again.",
    });
  }
  if (payout.tries >= MAXIMUM_TRIES) {
    refusals.push({
      code: "OUT_OF_TRIES",
      message: `it was refused ${payout.tries} times, and ${MAXIMUM_TRIES} are the most`,
      remedy: `Mend the cause. ${NEXT_BATCH}`,
    });
  }
  return refusals;
}

function liveAttempt({ attemptNo, state }: { attemptNo: number; state: string }): Refusal[] {
  switch (state) {
    case "PREPARED":
    case "UNKNOWN":
      return [
        {
          code: "OUTCOME_UNKNOWN",
          message: `the outcome of attempt ${attemptNo} at the provider is unknown; it must be looked up first`,
          remedy:
            "Look it up at the provider by its reference id (`payouts show`). Never send it again before.",
        },
      ];
    case "ACCEPTED":
      return [
        {
          code: "STILL_AT_PROVIDER",
          message: `attempt ${attemptNo} was accepted by the provider, which has not finished it`,
          remedy: "Wait for the provider's final answer.",
        },
      ];
    case "PROCESSED":
      return [
        {
          code: "ALREADY_PAID",
          message: `attempt ${attemptNo} was paid by the provider`,
          remedy: "Nothing is to be sent.",
        },
      ];
    default:
      return [];
  }
}

interface EarningCounts {
  items: number;
  holding: number;
  heldElsewhere: number;
  notReady: number;
  notDue: number;
  refunded: number;
  addUp: boolean;
}

/** Every earning has to be as it was when the payout was made, and free. Locks the earnings. */
export async function earningRefusals(tx: DbSession, payout: LockedPayout): Promise<Refusal[]> {
  await tx.query`
    SELECT 1 FROM earnings
    WHERE id IN (SELECT earning_id FROM payout_items WHERE payout_id = ${payout.id}::uuid)
    ORDER BY booking_reference
    FOR NO KEY UPDATE`;
  const [counts] = await tx.query<EarningCounts[]>`
    SELECT count(*)::int AS items,
           count(*) FILTER (WHERE item.released_at IS NULL)::int AS holding,
           count(other.payout_id)::int AS "heldElsewhere",
           count(*) FILTER (WHERE other.payout_id IS NULL AND net.status <> 'READY')::int AS "notReady",
           count(*) FILTER (WHERE NOT net.due)::int AS "notDue",
           count(*) FILTER (
             WHERE net.gross_paise <> item.gross_paise OR net.amount_paise <> item.amount_paise
                OR EXISTS (SELECT FROM earning_recoveries AS recovery
                           WHERE recovery.earning_id = item.earning_id
                             AND recovery.recovered_amount_paise < recovery.amount_paise))::int
             AS refunded,
           COALESCE(sum(item.gross_paise) = ${payout.grossPaise}
                    AND sum(item.amount_paise) = ${payout.amountPaise}, false) AS "addUp"
    FROM payout_items AS item
    JOIN earnings_net AS net ON net.earning_id = item.earning_id
    LEFT JOIN payout_items AS other
      ON other.earning_id = item.earning_id AND other.payout_id <> item.payout_id AND other.released_at IS NULL
    WHERE item.payout_id = ${payout.id}::uuid`;
  return counts ? refusalsOf(counts) : [];
}

function refusalsOf(counts: EarningCounts): Refusal[] {
  const { items } = counts;
  const refusals: Refusal[] = [];
  const add = (code: string, message: string, remedy: string): void => {
    refusals.push({ code, message, remedy });
  };
  if (counts.heldElsewhere > 0) {
    add(
      "EARNINGS_IN_ANOTHER_PAYOUT",
      `${counts.heldElsewhere} of its ${items} earnings are in another payout`,
      `Leave it: they are paid there. ${NEXT_BATCH}`,
    );
  }
  if (counts.notReady > 0 || counts.holding > 0) {
    add(
      "EARNINGS_NOT_READY",
      `${Math.max(counts.notReady, counts.holding)} of its ${items} earnings are not READY and free`,
      "Find out why they were not released when the payout failed.",
    );
  }
  if (counts.notDue > 0) {
    add(
      "EARNINGS_HELD_BACK",
      `${counts.notDue} of its ${items} earnings have a hold date that has not come`,
      NEXT_BATCH,
    );
  }
  if (counts.refunded > 0) {
    add(
      "EARNINGS_REFUNDED",
      `${counts.refunded} of its ${items} earnings were refunded since, so that its amount is no longer right`,
      NEXT_BATCH,
    );
  }
  if (!counts.addUp) {
    add(
      "ITEMS_DISAGREE",
      `its ${items} items do not add up to it`,
      "Find out who changed the payout or its items.",
    );
  }
  return refusals;
}

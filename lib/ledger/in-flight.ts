import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";

/** Payouts that were sent or perhaps sent, and whose final state is not recorded here yet. */
export interface InFlight {
  count: number;
  /** The payees' amount after tax. */
  paise: Paise;
}

/**
 * The one meaning of "in flight" in every report: a payout in processing whose attempt has no final answer.
 * Rides on the index (state, created_at) of the attempts.
 */
export async function readInFlight(db: DbSession): Promise<InFlight> {
  const [row] = await db.query<InFlight[]>`
    SELECT count(*)::int AS count, COALESCE(sum(attempt.amount_paise), 0)::bigint AS paise
    FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
    WHERE attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED') AND payout.status = 'PROCESSING'`;
  return row ?? { count: 0, paise: 0n };
}

/** The same as step outputs. */
export function inFlightOutputs({ count, paise }: InFlight): Record<string, string | number> {
  return { in_flight: count, in_flight_paise: paise.toString() };
}

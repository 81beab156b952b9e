import type { TestDatabase } from "./database.ts";

/** Lets claims and attempts that are open grow two hours older: their run is taken for dead. */
export async function letClaimsAge(database: Pick<TestDatabase, "query">): Promise<void> {
  await database.query(`
    UPDATE payouts SET claimed_at = claimed_at - interval '2 hours' WHERE status = 'PROCESSING'`);
  await database.query(`
    UPDATE payout_attempts SET created_at = created_at - interval '2 hours'
    WHERE state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')`);
}

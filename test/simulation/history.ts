import type { TestDatabase } from "../support/database.ts";

/** One change of a payout or of an attempt, as the database itself saw it. */
export interface Change {
  id: bigint;
  subject: "payout" | "attempt";
  payoutId: string;
  /** Null for a new attempt. */
  was: string | null;
  became: string;
  /** Of a payout the run that holds it, of an attempt the run that made it. */
  runId: string | null;
  /** The transaction that made it: several payouts may take a step in one. */
  madeIn: string;
}

/** Makes the database write down each change of state, in the transaction that makes it. */
export async function openHistory(database: Pick<TestDatabase, "query">): Promise<void> {
  for (const statement of STATEMENTS) await database.query(statement);
}

/** Everything since, oldest first. */
export async function changesAfter(
  database: Pick<TestDatabase, "query">,
  id: bigint,
): Promise<Change[]> {
  return database.query<Change & Record<string, unknown>>(
    `SELECT id, subject, payout_id AS "payoutId", was, became, run_id AS "runId",
            made_in::text AS "madeIn"
     FROM simulation.history WHERE id > $1 ORDER BY id`,
    [id],
    { prepared: true },
  );
}

const STATEMENTS = [
  "CREATE SCHEMA simulation",
  `CREATE TABLE simulation.history (
     id bigserial PRIMARY KEY, subject text NOT NULL, payout_id uuid NOT NULL, was text, became text NOT NULL,
     run_id uuid, made_in xid8 NOT NULL DEFAULT pg_current_xact_id())`,
  `CREATE FUNCTION simulation.write_down() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     IF TG_TABLE_NAME = 'payouts' THEN
       INSERT INTO simulation.history (subject, payout_id, was, became, run_id)
       VALUES ('payout', NEW.id, OLD.status, NEW.status, NEW.claimed_by);
     ELSIF TG_OP = 'INSERT' THEN
       INSERT INTO simulation.history (subject, payout_id, was, became, run_id)
       VALUES ('attempt', NEW.payout_id, NULL, NEW.state, NEW.run_id);
     ELSE
       INSERT INTO simulation.history (subject, payout_id, was, became, run_id)
       VALUES ('attempt', NEW.payout_id, OLD.state, NEW.state, NEW.run_id);
     END IF;
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER simulation_payouts AFTER UPDATE ON payouts FOR EACH ROW
   WHEN ((OLD.status, OLD.claimed_by) IS DISTINCT FROM (NEW.status, NEW.claimed_by))
   EXECUTE FUNCTION simulation.write_down()`,
  `CREATE TRIGGER simulation_attempts AFTER INSERT OR UPDATE OF state ON payout_attempts FOR EACH ROW
   EXECUTE FUNCTION simulation.write_down()`,
];

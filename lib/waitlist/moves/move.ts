import { isLockConflict } from "../../db/connection.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";

/** Another session holds the rows for too long. Nothing was changed; to ask again is right. */
export interface Busy {
  kind: "busy";
}

/**
 * One change of a waitlist, in one transaction. Every change locks first the plan, then the entry, then the
 * booking, then its slots, so that two changes never deadlock.
 */
export async function makeMove<Result>(
  db: Db,
  body: (tx: DbSession) => Promise<Result>,
): Promise<Result | Busy> {
  try {
    return await inTransaction(db, body);
  } catch (error) {
    if (isLockConflict(error)) return { kind: "busy" };
    throw error;
  }
}

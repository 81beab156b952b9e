import { isForEveryRow } from "../../db/connection.ts";
import { inTransaction, type Db } from "../../db/client.ts";
import { applyRecoveries, consultantsThatOwe, type Take } from "../../earnings/recoveries.ts";
import { toError } from "../../support/errors.ts";
import type { Lease } from "../../support/lease.ts";
import type { Log } from "../../support/log.ts";
import type { RefundBase } from "../../tds/index.ts";
import { BATCH_ACTOR } from "./link.ts";

/**
 * Takes these consultants' debts for refunded sales off their earnings, each in a separate transaction. A
 * consultant for whom that fails gets no payout in this batch: no consultant with an unrecovered debt is paid.
 */
export async function recoverFirst(
  { db, lease, log, acrossYears }: { db: Db; lease: Lease; log: Log; acrossYears: RefundBase },
  consultantIds: readonly string[],
): Promise<Take[]> {
  const taken: Take[] = [];
  for (const consultantId of await consultantsThatOwe(db, consultantIds)) {
    lease.assertTrusted();
    try {
      const takes = await inTransaction(db, (tx) =>
        applyRecoveries(tx, { consultantId, actor: BATCH_ACTOR, acrossYears }),
      );
      taken.push(...takes);
    } catch (error) {
      if (isForEveryRow(error)) throw error;
      log.error({ consultantId, err: toError(error) }, "what is owed could not be taken off");
    }
  }
  return taken;
}

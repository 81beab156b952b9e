import { inTransaction, type Db } from "../../db/client.ts";
import { tryRow } from "../../db/rows.ts";
import { applyRecoveries, consultantsThatOwe, type Take } from "../../earnings/recoveries.ts";
import type { Lease } from "../../support/lease.ts";
import type { Log } from "../../support/log.ts";
import type { RefundBase } from "../../tds/index.ts";
import { BATCH_ACTOR } from "./link.ts";

/**
 * Takes these consultants' debts for refunded sales off their earnings, each in a separate transaction. A
 * consultant whose recovery fails gets no payout in this batch: a debt is always recovered before a payout.
 */
export async function recoverFirst(
  { db, lease, log, acrossYears }: { db: Db; lease: Lease; log: Log; acrossYears: RefundBase },
  consultantIds: readonly string[],
): Promise<Take[]> {
  const taken: Take[] = [];
  for (const consultantId of await consultantsThatOwe(db, consultantIds)) {
    lease.assertTrusted();
    const takes = await tryRow(
      () =>
        inTransaction(db, (tx) =>
          applyRecoveries(tx, { consultantId, actor: BATCH_ACTOR, acrossYears }),
        ),
      { log, row: { consultantId }, failed: "the debt could not be taken off" },
    );
    if (takes.kind === "done") taken.push(...takes.value);
  }
  return taken;
}

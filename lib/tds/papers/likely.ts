import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { lockPayee, refuse, type Operator } from "./payee.ts";

export interface LikelyChange {
  outcome: "changed" | "known";
  payeeRef: string;
}

/**
 * Marks a payee whose year is likely to exceed the threshold of the exemption, or removes the mark. The mark
 * changes the tax of later credits. Tax that is then due for earlier credits of the year is caught up.
 *
 * @throws {AfterhoursError} `NO_EXEMPTION` for a payee without exemption, taxed from the first rupee
 */
export async function markLikely(
  db: Db,
  { payee: name, isLikely, operator }: { payee: string; isLikely: boolean; operator: Operator },
): Promise<LikelyChange> {
  return inTransaction(db, async (tx) => {
    const payee = await lockPayee(tx, name);
    if (payee.likelyToExceed === isLikely) return { outcome: "known", payeeRef: payee.ref };
    if (isLikely && payee.category !== "individual" && payee.category !== "huf") {
      throw refuse(
        "NO_EXEMPTION",
        `payee ${payee.ref} is a ${payee.category}, which has no exemption`,
        "It is taxed from the first rupee without a mark.",
      );
    }
    await tx.execute`
      UPDATE tax_profiles SET likely_to_exceed = ${isLikely}, updated_at = now()
      WHERE consultant_id = ${payee.consultantId}::uuid`;
    await recordAudit(tx, {
      actor: operator.by,
      category: "tax",
      action: isLikely ? "likely-marked" : "likely-ended",
      subjectType: "consultant",
      subjectId: payee.consultantId,
      reason: operator.reason,
      detail: { before: !isLikely, after: isLikely },
    });
    return { outcome: "changed", payeeRef: payee.ref };
  });
}

/** The marked payees. */
export async function listLikely(
  db: DbSession,
): Promise<{ payeeRef: string; payeeName: string }[]> {
  return db.query<{ payeeRef: string; payeeName: string }[]>`
    SELECT payee.external_ref AS "payeeRef", payee.name AS "payeeName"
    FROM tax_profiles AS profile JOIN consultants AS payee ON payee.id = profile.consultant_id
    WHERE profile.likely_to_exceed ORDER BY payee.external_ref`;
}

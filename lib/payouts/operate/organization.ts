import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import type { Operator, Refusal } from "./change.ts";
import { findConsultant, type ConsultantName } from "./consultant.ts";

export type OrganizationChange =
  | { done: true; organizationRef: string; consultant: ConsultantName; ownPayouts: number }
  | { done: false; refusal: Refusal };

/**
 * Makes a consultant the payee of an organization, which is created unless it exists. From the next batch on,
 * the payouts are the organization's and need no approval. `ownPayouts` is the number of the consultant's older
 * unfinished payouts; these stay unchanged. A payee is set once and never changes here.
 */
export async function setOrganizationPayee(
  db: Db,
  {
    consultant: idOrRef,
    organizationRef,
    name,
    operator,
  }: {
    consultant: string;
    /** As the marketplace names the organization. */
    organizationRef: string;
    /** Used when the organization is created. */
    name: string;
    operator: Operator;
  },
): Promise<OrganizationChange> {
  return inTransaction(db, async (tx): Promise<OrganizationChange> => {
    const consultant = await findConsultant(tx, idOrRef);
    if (!consultant) {
      return notDone({
        code: "UNKNOWN_CONSULTANT",
        message: `there is no consultant ${idOrRef}`,
        remedy: "Name the consultant's id or external reference.",
      });
    }
    // The batch takes the same lock: it makes a payout for the one or for the other.
    await tx.query`SELECT 1 FROM consultants WHERE id = ${consultant.id}::uuid FOR NO KEY UPDATE`;
    await tx.execute`
      INSERT INTO organizations (external_ref, name) VALUES (${organizationRef}, ${name})
      ON CONFLICT (external_ref) DO NOTHING`;
    const [paidAs] = await tx.query<{ ref: string }[]>`
      SELECT external_ref AS ref FROM organizations WHERE payee_id = ${consultant.id}::uuid`;
    if (paidAs) throw new NotDone(isPayeeAlready(consultant, paidAs.ref));
    const [organization] = await tx.query<{ id: string }[]>`
      UPDATE organizations SET payee_id = ${consultant.id}::uuid
      WHERE external_ref = ${organizationRef} AND payee_id IS NULL RETURNING id`;
    if (!organization) throw new NotDone(hasPayee(organizationRef));

    await recordAudit(tx, {
      actor: operator.by,
      category: "organization",
      action: "payee-set",
      subjectType: "organization",
      subjectId: organization.id,
      reason: operator.reason,
      detail: { organizationRef, consultantId: consultant.id },
    });
    const ownPayouts = await countUnfinished(tx, consultant);
    return { done: true, organizationRef, consultant, ownPayouts };
  }).catch((error: unknown) => {
    if (error instanceof NotDone) return notDone(error.refusal);
    throw error;
  });
}

/** Rolls the transaction back: an organization that was created for nothing is not kept. */
class NotDone extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

async function countUnfinished(tx: DbSession, consultant: ConsultantName): Promise<number> {
  const [row] = await tx.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM payouts
    WHERE consultant_id = ${consultant.id}::uuid AND status IN ('PENDING', 'APPROVED', 'PROCESSING')`;
  return row?.count ?? 0;
}

function isPayeeAlready(consultant: ConsultantName, organizationRef: string): Refusal {
  return {
    code: "IS_PAYEE_ALREADY",
    message: `consultant ${consultant.ref} is the payee of organization ${organizationRef} already`,
    remedy: "A payee stands for one organization; nothing is to be done.",
  };
}

function hasPayee(organizationRef: string): Refusal {
  return {
    code: "HAS_PAYEE_ALREADY",
    message: `organization ${organizationRef} has another payee`,
    remedy: "An organization has one payee, which does not change.",
  };
}

function notDone(refusal: Refusal): OrganizationChange {
  return { done: false, refusal };
}

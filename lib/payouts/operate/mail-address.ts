import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db } from "../../db/client.ts";
import type { Refusal } from "./change.ts";
import { findConsultant } from "./consultant.ts";

export type MailAddressChange = { done: true; ref: string } | { done: false; refusal: Refusal };

/** Sets or removes where mail to a payee goes. The audit log says that it changed, never the address. */
export async function setMailAddress(
  db: Db,
  { consultant: name, address, by }: { consultant: string; address: string | null; by: string },
): Promise<MailAddressChange> {
  return inTransaction(db, async (tx): Promise<MailAddressChange> => {
    const consultant = await findConsultant(tx, name);
    if (!consultant) {
      const message = `there is no consultant ${name}`;
      const remedy = "Name the consultant's id or external reference.";
      return { done: false, refusal: { code: "UNKNOWN_CONSULTANT", message, remedy } };
    }
    await tx.execute`UPDATE consultants SET email = ${address} WHERE id = ${consultant.id}::uuid`;
    await recordAudit(tx, {
      actor: by,
      category: "consultant",
      action: address === null ? "mail-address-removed" : "mail-address-set",
      subjectType: "consultant",
      subjectId: consultant.id,
      reason: null,
    });
    return { done: true, ref: consultant.ref };
  });
}

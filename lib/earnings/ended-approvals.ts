import type { ClientBase } from "pg";
import type { Paise } from "../support/money.ts";
import { batches } from "./batches.ts";
import type { OfConsultant } from "./plan.ts";

/** An approved payout whose payee gets another account by an import: the approval does not cover that account. */
export interface EndedApproval {
  payoutId: string;
  consultantRef: string;
  amountPaise: Paise;
}

/**
 * The payouts that a person approved for another account than the one that these payees get. The next pay run takes them
 * back to PENDING. Reads only.
 */
export async function endedApprovals(
  client: ClientBase,
  replaced: readonly OfConsultant[],
): Promise<EndedApproval[]> {
  const ended: EndedApproval[] = [];
  for (const batch of batches(replaced)) {
    const accounts = batch.map(({ details }) => details.account);
    const { rows } = await client.query<{ id: string; ref: string; paise: string }>(
      `SELECT payout.id, consultant.external_ref AS ref, payout.amount_paise AS paise
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
         AS next (consultant_id, kind, ifsc, account_number, vpa)
       JOIN payouts AS payout ON payout.consultant_id = next.consultant_id AND payout.status = 'APPROVED'
       JOIN consultants AS consultant ON consultant.id = payout.consultant_id
       LEFT JOIN payout_accounts AS approved ON approved.id = payout.approved_account_id
       WHERE (payout.approved_amount_paise IS NOT NULL OR payout.approved_at > payout.created_at)
         AND (next.kind, next.ifsc, next.account_number, next.vpa)
           IS DISTINCT FROM (approved.kind::text, approved.ifsc, approved.account_number, approved.vpa)
       ORDER BY consultant.external_ref, payout.created_at, payout.id`,
      [
        batch.map(({ consultantId }) => consultantId),
        accounts.map(({ kind }) => kind),
        accounts.map((account) => (account.kind === "bank_account" ? account.ifsc : null)),
        accounts.map((account) => (account.kind === "bank_account" ? account.accountNumber : null)),
        accounts.map((account) => (account.kind === "vpa" ? account.vpa : null)),
      ],
    );
    for (const { id, ref, paise } of rows)
      ended.push({ payoutId: id, consultantRef: ref, amountPaise: BigInt(paise) });
  }
  return ended;
}

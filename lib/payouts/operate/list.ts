import type { DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { OPEN_HOLDS } from "../on-hold.ts";
import type { PayoutStatus } from "./locked-payout.ts";

export interface ListedPayout {
  id: string;
  consultantRef: string;
  /** As the marketplace names the organization that the payee stands for. */
  organizationRef: string | null;
  status: PayoutStatus;
  currency: string;
  amountPaise: Paise;
  taxPaise: Paise | null;
  netPaise: Paise | null;
  tries: number;
  failureCode: string | null;
  createdAt: Date;
  /** Sent, and nobody knows yet what became of it. */
  inDoubt: boolean;
  /** Kinds of the open holds of its payee: a payout that is not finished is not sent while there is one. */
  holds: readonly string[];
}

export interface PayoutFilter {
  status: PayoutStatus | undefined;
  consultantId: string | undefined;
  limit: number;
}

/** Payouts, oldest first, and whether there are more than the limit. */
export async function listPayouts(
  db: DbSession,
  { status, consultantId, limit }: PayoutFilter,
): Promise<{ payouts: ListedPayout[]; more: boolean }> {
  const rows = await db.query<ListedPayout[]>`
    SELECT payout.id, consultant.external_ref AS "consultantRef",
           organization.external_ref AS "organizationRef", payout.status::text AS status,
           payout.currency::text AS currency, payout.amount_paise AS "amountPaise",
           payout.tax_paise AS "taxPaise", payout.net_paise AS "netPaise", payout.tries,
           payout.failure_code AS "failureCode", payout.created_at AS "createdAt",
           EXISTS (SELECT FROM payout_attempts AS attempt
                   WHERE attempt.payout_id = payout.id AND attempt.state IN ('PREPARED', 'UNKNOWN'))
             AS "inDoubt",
           ARRAY(SELECT hold.kind FROM (${OPEN_HOLDS}) AS hold
                 WHERE hold.consultant_id = payout.consultant_id ORDER BY hold.kind) AS holds
    FROM payouts AS payout JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    LEFT JOIN organizations AS organization ON organization.id = payout.organization_id
    WHERE (${status ?? null}::payout_status IS NULL OR payout.status = ${status ?? null}::payout_status)
      AND (${consultantId ?? null}::uuid IS NULL OR payout.consultant_id = ${consultantId ?? null}::uuid)
    ORDER BY payout.created_at, payout.id
    LIMIT ${limit + 1}`;
  return { payouts: rows.slice(0, limit), more: rows.length > limit };
}

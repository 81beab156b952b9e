import type { DbSession } from "../db/client.ts";
import type { Paise } from "../support/money.ts";
import type { Finding } from "./list.ts";

/** The payout of a finding, as far as known: the data that a bank or the provider asks for. */
export interface FindingPayout {
  payoutId: string;
  /** The consultant's code. */
  consultantRef: string;
  organizationRef: string | null;
  status: string;
  netPaise: Paise | null;
  attemptNo: number | null;
  /** `pout_…` */
  providerPayoutId: string | null;
  /** The bank's reference of the transfer. */
  utr: string | null;
  /** When the attempt was made. */
  sentAt: Date | null;
}

/**
 * The payouts that a finding names: as its subject, or by one of its details. A difference may name several, when
 * the provider has several for one of ours.
 */
export async function payoutsOf(
  db: DbSession,
  { subjectType, subjectId, details }: Pick<Finding, "subjectType" | "subjectId" | "details">,
): Promise<FindingPayout[]> {
  const names = [subjectId, ...textsOf(details)];
  const payoutIds = subjectType === "payout" ? [subjectId] : [];
  return db.query<FindingPayout[]>`
    SELECT payout.id AS "payoutId", consultant.external_ref AS "consultantRef",
           organization.external_ref AS "organizationRef", payout.status::text AS status,
           payout.net_paise AS "netPaise", attempt.attempt_no AS "attemptNo",
           attempt.provider_payout_id AS "providerPayoutId", attempt.utr, attempt.created_at AS "sentAt"
    FROM payouts AS payout
    JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    LEFT JOIN organizations AS organization ON organization.id = payout.organization_id
    LEFT JOIN payout_attempts AS attempt ON attempt.payout_id = payout.id
    WHERE payout.id::text = ANY(${payoutIds}::text[])
       OR attempt.id IN (
            SELECT id FROM payout_attempts
            WHERE provider_payout_id = ANY(${names}::text[]) OR reference_id = ANY(${names}::text[])
               OR provider_payout_id IN (
                    SELECT provider_payout_id FROM provider_transactions WHERE id = ANY(${names}::text[])))
    ORDER BY payout.id, attempt.attempt_no
    LIMIT 20`;
}

/** Every text in the details: an id is one of them. */
function textsOf(details: unknown): string[] {
  if (typeof details === "string") return [details];
  if (typeof details !== "object" || details === null) return [];
  return Object.values(details).flatMap(textsOf);
}

import type { DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { masked, readUncovered, type Uncovered } from "../state/approval-covers.ts";
import { OPEN_HOLDS } from "../state/on-hold.ts";
import type { PayoutStatus } from "./locked-payout.ts";
import { defaultModeSettings } from "../../provider/index.ts";

export interface ListedPayout {
  id: string;
  consultantRef: string;
  /** The marketplace's name for the payee's organization. */
  organizationRef: string | null;
  status: PayoutStatus;
  currency: string;
  grossPaise: Paise;
  amountPaise: Paise;
  taxPaise: Paise | null;
  netPaise: Paise | null;
  /** How many sales it pays for. */
  sales: number;
  tries: number;
  failureCode: string | null;
  createdAt: Date;
  /** Sent, with an unknown outcome. */
  inDoubt: boolean;
  /** The payee's active account, by our own id; null when there is none. */
  accountId: string | null;
  /** The same, masked, such as `HDFC0001220 …8901`; null as well for payouts that have ended. */
  account: string | null;
  /** Whole days since that account was placed. */
  accountAgeDays: number | null;
  /** Of sales in it that were refunded to the buyers since: it pays more than is owed by so much. */
  refundedPaise: Paise;
  /** Notes about the account to read before approving; none for payouts that have ended. */
  accountNotes: readonly AccountNote[];
  /** Kinds of the open holds of its payee: a payout that is not finished is not sent while there is one. */
  holds: readonly string[];
}

export type AccountNote =
  | "none"
  /** Nothing was ever paid to this payee. */
  | "never-paid"
  /** The payee's last payout went to another account. */
  | "changed-since-last-paid"
  /** It is not the one that a person approved. */
  | "changed-since-approval"
  /** A VPA, and the amount before tax is more than a VPA takes. */
  | "above-upi-limit";

export interface PayoutFilter {
  status?: PayoutStatus | undefined;
  consultantId?: string | undefined;
  /** Only these. */
  ids?: readonly string[] | undefined;
  /** Made by this run of the batch. */
  batch?: string | undefined;
  /** Created on or after this day in India, and on or before that one. */
  createdFrom?: string | undefined;
  createdTo?: string | undefined;
  leastPaise?: Paise | undefined;
  mostPaise?: Paise | undefined;
  /** False: without those of organizations, which need no approval. Default true. */
  organizations?: boolean;
  limit: number;
}

type Row = Omit<ListedPayout, "account" | "accountNotes" | "refundedPaise"> & {
  accountKind: "bank_account" | "vpa" | null;
  ifsc: string | null;
  accountNumber: string | null;
  vpa: string | null;
  isLastPaid: boolean | null;
};

/** Payouts, oldest first, and whether there are more than the limit. */
export async function listPayouts(
  db: DbSession,
  filter: PayoutFilter,
): Promise<{ payouts: ListedPayout[]; more: boolean }> {
  const status = filter.status ?? null;
  const consultantId = filter.consultantId ?? null;
  const ids = filter.ids ?? null;
  const batch = filter.batch ?? null;
  const from = filter.createdFrom ?? null;
  const to = filter.createdTo ?? null;
  const least = filter.leastPaise ?? null;
  const most = filter.mostPaise ?? null;
  const organizations = filter.organizations ?? true;
  const rows = await db.query<Row[]>`
    WITH listed AS (
      SELECT payout.* FROM payouts AS payout
      WHERE (${status}::payout_status IS NULL OR payout.status = ${status}::payout_status)
        AND (${consultantId}::uuid IS NULL OR payout.consultant_id = ${consultantId}::uuid)
        AND (${ids}::uuid[] IS NULL OR payout.id = ANY(${ids}::uuid[]))
        AND (${from}::date IS NULL OR (payout.created_at AT TIME ZONE 'Asia/Kolkata')::date >= ${from}::date)
        AND (${to}::date IS NULL OR (payout.created_at AT TIME ZONE 'Asia/Kolkata')::date <= ${to}::date)
        AND (${least}::bigint IS NULL OR payout.amount_paise >= ${least}::bigint)
        AND (${most}::bigint IS NULL OR payout.amount_paise <= ${most}::bigint)
        AND (${organizations}::boolean OR payout.organization_id IS NULL)
        AND (${batch}::text IS NULL OR EXISTS (
          SELECT FROM audit_log AS entry
          WHERE entry.subject_type = 'payout' AND entry.subject_id = payout.id::text
            AND entry.action LIKE 'created-%' AND entry.detail ->> 'runId' = ${batch}::text))
      ORDER BY payout.created_at, payout.id
      LIMIT ${filter.limit + 1}
    )
    SELECT payout.id, consultant.external_ref AS "consultantRef",
           organization.external_ref AS "organizationRef", payout.status::text AS status,
           payout.currency::text AS currency, payout.gross_paise AS "grossPaise",
           payout.amount_paise AS "amountPaise",
           payout.tax_paise AS "taxPaise", payout.net_paise AS "netPaise", payout.tries,
           (SELECT count(*)::int FROM payout_items AS item WHERE item.payout_id = payout.id) AS sales,
           payout.failure_code AS "failureCode", payout.created_at AS "createdAt",
           EXISTS (SELECT FROM payout_attempts AS attempt
                   WHERE attempt.payout_id = payout.id AND attempt.state IN ('PREPARED', 'UNKNOWN'))
             AS "inDoubt",
           ARRAY(SELECT hold.kind FROM (${OPEN_HOLDS}) AS hold
                 WHERE hold.consultant_id = payout.consultant_id ORDER BY hold.kind) AS holds,
           account.id AS "accountId", account.kind::text AS "accountKind",
           account.ifsc, account.account_number AS "accountNumber", account.vpa,
           floor(extract(epoch FROM now() - account.created_at) / 86400)::int AS "accountAgeDays",
           (SELECT (paid.kind, paid.ifsc, paid.account_number, paid.vpa)
                     IS NOT DISTINCT FROM (account.kind, account.ifsc, account.account_number, account.vpa)
            FROM payouts AS earlier JOIN payout_attempts AS attempt ON attempt.payout_id = earlier.id
            JOIN payout_accounts AS paid ON paid.id = attempt.payout_account_id
            WHERE earlier.consultant_id = payout.consultant_id AND attempt.state = 'PROCESSED'
            ORDER BY attempt.settled_at DESC, attempt.id LIMIT 1) AS "isLastPaid"
    FROM listed AS payout JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    LEFT JOIN organizations AS organization ON organization.id = payout.organization_id
    LEFT JOIN payout_accounts AS account ON account.consultant_id = payout.consultant_id AND account.active
    ORDER BY payout.created_at, payout.id`;
  const listed = rows.slice(0, filter.limit);
  const waiting = listed.filter(({ status }) => status === "PENDING" || status === "APPROVED");
  const uncovered = await readUncovered(
    db,
    waiting.map(({ id }) => id),
  );
  return {
    payouts: listed.map((row) => withNotes(row, uncovered.get(row.id))),
    more: rows.length > filter.limit,
  };
}

function withNotes(
  { accountKind, ifsc, accountNumber, vpa, isLastPaid, ...row }: Row,
  uncovered: Uncovered | undefined,
): ListedPayout {
  const refundedPaise = uncovered?.refundedPaise ?? 0n;
  if (row.status !== "PENDING" && row.status !== "APPROVED" && row.status !== "FAILED") {
    return { ...row, account: null, accountAgeDays: null, refundedPaise, accountNotes: [] };
  }
  const account = masked({ kind: accountKind, ifsc, accountNumber, vpa });
  if (account === null) return { ...row, account, refundedPaise, accountNotes: ["none"] };
  const accountNotes: AccountNote[] = [];
  if (isLastPaid === null) accountNotes.push("never-paid");
  else if (!isLastPaid) accountNotes.push("changed-since-last-paid");
  if (uncovered?.codes.includes("ACCOUNT_CHANGED")) accountNotes.push("changed-since-approval");
  if (accountKind === "vpa" && row.amountPaise > defaultModeSettings.upiMaximumPaise)
    accountNotes.push("above-upi-limit");
  return { ...row, account, refundedPaise, accountNotes };
}

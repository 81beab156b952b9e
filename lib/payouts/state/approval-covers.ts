import { maskedAccount } from "../../audit/masked.ts";
import { sql, type DbSession } from "../../db/client.ts";
import { formatRupees, type Paise } from "../../support/money.ts";

/** Why a payout must not be sent before a person has looked at it again. */
export type UncoveredCode =
  /** Sales in it were refunded after it was made: it pays more than is owed. */
  | "EARNINGS_REFUNDED"
  /** The payee's account is another one than a person approved. */
  | "ACCOUNT_CHANGED"
  /** Its amount or its sales are others than a person approved. */
  | "PAYOUT_CHANGED";

export const UNCOVERED_CODES: ReadonlySet<string> = new Set<UncoveredCode>([
  "EARNINGS_REFUNDED",
  "ACCOUNT_CHANGED",
  "PAYOUT_CHANGED",
]);

/** The step of a person, by the code. */
export function stepOfUncovered(code: string): string | undefined {
  if (code === "EARNINGS_REFUNDED")
    return "reject it (npm run payouts -- reject): the next batch pays what is left";
  return UNCOVERED_CODES.has(code)
    ? "look at it (npm run payouts -- show), ask the payee, then approve or reject it"
    : undefined;
}

/** The parts that an approval does not cover, or that no payout may pay. */
export interface Uncovered {
  /** All of them, the most important first. */
  codes: readonly UncoveredCode[];
  message: string;
  /** Of sales in it, still to be recovered from the payee. */
  refundedPaise: Paise;
  /** For the audit log and a finding: accounts are masked. */
  detail: Readonly<Record<string, unknown>>;
}

/**
 * Whether a person's approval is bound to an account and an amount. One from before that was kept is known by its time: a
 * payout that the batch approved has the same time for both, and follows the active account.
 */
const IS_BOUND = sql`(payouts.approved_amount_paise IS NOT NULL OR payouts.approved_at > payouts.created_at)`;

/** The account that was approved. Of an approval from before that was kept: the newest of that time. */
const APPROVED_ACCOUNT = sql`
  CASE WHEN payouts.approved_amount_paise IS NOT NULL THEN payouts.approved_account_id ELSE (
    SELECT earlier.id FROM payout_accounts AS earlier
    WHERE earlier.consultant_id = payouts.consultant_id AND earlier.created_at <= payouts.approved_at
    ORDER BY earlier.created_at DESC, earlier.id LIMIT 1) END`;

/** The same details imported once more are the same account. Without an active one there is nothing to send to. */
const ACCOUNT_CHANGED = sql`(
  ${IS_BOUND} AND active.id IS NOT NULL
  AND (active.kind, active.ifsc, active.account_number, active.vpa)
    IS DISTINCT FROM (approved.kind, approved.ifsc, approved.account_number, approved.vpa))`;

const PAYOUT_CHANGED = sql`(
  payouts.approved_amount_paise IS NOT NULL
  AND (payouts.approved_amount_paise <> payouts.amount_paise
       OR payouts.approved_items IS DISTINCT FROM payout_items_digest(payouts.id)))`;

/** Debts for refunds of sales that the payout itself pays, so far as nothing else has covered them. */
const REFUNDED_PAISE = sql`(
  SELECT COALESCE(sum(recovery.amount_paise - recovery.recovered_amount_paise), 0)::bigint
  FROM payout_items AS item JOIN earning_recoveries AS recovery ON recovery.earning_id = item.earning_id
  WHERE item.payout_id = payouts.id AND item.released_at IS NULL
    AND recovery.recovered_amount_paise < recovery.amount_paise)`;

interface UncoveredRow {
  payoutId: string;
  isAccountChanged: boolean;
  isPayoutChanged: boolean;
  refundedPaise: Paise;
  amountPaise: Paise;
  approvedPaise: Paise | null;
  approvedKind: "bank_account" | "vpa" | null;
  approvedIfsc: string | null;
  approvedNumber: string | null;
  approvedVpa: string | null;
  activeKind: "bank_account" | "vpa" | null;
  activeIfsc: string | null;
  activeNumber: string | null;
  activeVpa: string | null;
  placedBy: string | null;
  placedLogin: string | null;
  placedAt: string | null;
}

/**
 * Those of these payouts that nobody has approved as they are, or that pay for refunded sales. A claim reads the payee's
 * account before this: of an account that is placed at the same moment it then either sends to the old one, which was
 * approved, or sees the new one here.
 */
export async function readUncovered(
  db: DbSession,
  payoutIds: readonly string[],
): Promise<ReadonlyMap<string, Uncovered>> {
  if (payoutIds.length === 0) return new Map();
  const rows = await db.query<UncoveredRow[]>`
    WITH compared AS (
      SELECT payouts.id, payouts.amount_paise, payouts.approved_amount_paise, active.id AS active_id,
             approved.id AS approved_id, ${ACCOUNT_CHANGED} AS is_account_changed,
             ${PAYOUT_CHANGED} AS is_payout_changed, ${REFUNDED_PAISE} AS refunded_paise
      FROM payouts
      LEFT JOIN LATERAL (
        SELECT * FROM payout_accounts AS account
        WHERE account.consultant_id = payouts.consultant_id AND account.active LIMIT 1) AS active ON true
      LEFT JOIN LATERAL (
        SELECT * FROM payout_accounts AS account
        WHERE ${IS_BOUND} AND account.id = ${APPROVED_ACCOUNT} LIMIT 1) AS approved ON true
      WHERE payouts.id = ANY(${payoutIds}::uuid[])
    ), uncovered AS MATERIALIZED (
      SELECT * FROM compared WHERE is_account_changed OR is_payout_changed OR refunded_paise > 0
    )
    SELECT uncovered.id AS "payoutId", is_account_changed AS "isAccountChanged",
           is_payout_changed AS "isPayoutChanged", refunded_paise AS "refundedPaise",
           uncovered.amount_paise AS "amountPaise", uncovered.approved_amount_paise AS "approvedPaise",
           approved.kind::text AS "approvedKind", approved.ifsc AS "approvedIfsc",
           approved.account_number AS "approvedNumber", approved.vpa AS "approvedVpa",
           active.kind::text AS "activeKind", active.ifsc AS "activeIfsc",
           active.account_number AS "activeNumber", active.vpa AS "activeVpa",
           entry.actor AS "placedBy", active.placed_login AS "placedLogin",
           to_char(active.created_at AT TIME ZONE 'Asia/Kolkata', 'YYYY-MM-DD HH24:MI') AS "placedAt"
    FROM uncovered
    LEFT JOIN payout_accounts AS active ON active.id = uncovered.active_id
    LEFT JOIN payout_accounts AS approved ON approved.id = uncovered.approved_id
    LEFT JOIN LATERAL (
      SELECT actor FROM audit_log
      WHERE subject_type = 'consultant' AND subject_id = active.consultant_id::text
        AND category = 'account' AND at = active.created_at
      ORDER BY id LIMIT 1
    ) AS entry ON true`;
  return new Map(rows.map((row) => [row.payoutId, describe(row)]));
}

function describe(row: UncoveredRow): Uncovered {
  const { amountPaise, approvedPaise, refundedPaise } = row;
  const codes: UncoveredCode[] = [];
  const messages: string[] = [];
  let detail: Record<string, unknown> = {};
  if (refundedPaise > 0n) {
    codes.push("EARNINGS_REFUNDED");
    messages.push(
      `${formatRupees(refundedPaise)} of it is for sales that were refunded to the buyers after it was made. Reject it: the next batch pays what is left`,
    );
    detail = { ...detail, refundedPaise };
  }
  if (row.isAccountChanged) {
    codes.push("ACCOUNT_CHANGED");
    const { approved, active } = accountsOf(row);
    const { placedBy, placedLogin, placedAt } = row;
    messages.push(
      `the payee's account is not the one that was approved: ${approved ?? "none"} was, ${active ?? "none"} is active, placed ${by(row)} on ${placedAt ?? "-"} IST. Ask the payee, then approve it again or reject it`,
    );
    detail = { ...detail, approved, active, placedBy, placedLogin, placedAt };
  }
  if (row.isPayoutChanged) {
    codes.push("PAYOUT_CHANGED");
    messages.push(
      `its amount or its sales are not those that were approved (${formatRupees(approvedPaise ?? 0n)} then, ${formatRupees(amountPaise)} now). Find out who changed them before you approve it again`,
    );
    detail = { ...detail, approvedPaise, amountPaise };
  }
  return { codes, message: messages.join(" "), refundedPaise, detail };
}

function by({ placedBy, placedLogin }: UncoveredRow): string {
  if (placedBy === null && placedLogin === null) return "by somebody unknown";
  if (placedBy === null) return `with the login ${placedLogin ?? ""}`;
  return `by ${placedBy}${placedLogin === null ? "" : ` (login ${placedLogin})`}`;
}

function accountsOf(row: UncoveredRow): { approved: string | null; active: string | null } {
  return {
    approved: masked({
      kind: row.approvedKind,
      ifsc: row.approvedIfsc,
      accountNumber: row.approvedNumber,
      vpa: row.approvedVpa,
    }),
    active: masked({
      kind: row.activeKind,
      ifsc: row.activeIfsc,
      accountNumber: row.activeNumber,
      vpa: row.activeVpa,
    }),
  };
}

/** An account as stored; all null: none. */
export interface StoredAccount {
  kind: "bank_account" | "vpa" | null;
  ifsc: string | null;
  accountNumber: string | null;
  vpa: string | null;
}

/** The account's kind, its bank, and the last four digits. */
export function masked({ kind, ifsc, accountNumber, vpa }: StoredAccount): string | null {
  if (kind === null) return null;
  return kind === "vpa"
    ? maskedAccount({ kind, vpa: vpa ?? "" })
    : maskedAccount({ kind, ifsc: ifsc ?? "", accountNumber: accountNumber ?? "" });
}

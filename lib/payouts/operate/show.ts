import { readAudit, type RecordedAuditEntry } from "../../audit/audit-log.ts";
import type { DbSession } from "../../db/client.ts";
import { requireDay } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";
import { describeStop, readAccountStops, type AccountStop } from "../state/account-holds.ts";
import { masked, readUncovered, type StoredAccount } from "../state/approval-covers.ts";
import { OPEN_HOLDS } from "../state/on-hold.ts";
import { listPayouts, type AccountNote } from "./list.ts";
import type { PayoutStatus } from "./locked-payout.ts";
import { nextStep, ruleOf } from "../../provider/index.ts";

/** Everything about one payout that a person may see: an account is masked, and no name or PAN is read. */
export interface PayoutDetails {
  id: string;
  consultantId: string;
  consultantRef: string;
  /** The marketplace's name for the payee's organization. */
  organizationRef: string | null;
  status: PayoutStatus;
  currency: string;
  grossPaise: Paise;
  amountPaise: Paise;
  taxPaise: Paise | null;
  netPaise: Paise | null;
  tries: number;
  failureCode: string | null;
  failureMessage: string | null;
  createdAt: Date;
  approvedAt: Date | null;
  completedAt: Date | null;
  holds: readonly string[];
  /** Why nothing is sent to the payee's account now, e.g. `REFUSED_ACCOUNT: the payee's account is closed …`. */
  accountStop: string | null;
  /** The remedy for the failure, where the provider documents its reason. */
  nextStep: string | null;
  /** The payee's active account, masked; null when there is none, and for payouts that have ended. */
  account: string | null;
  /** Whole days since that account was placed. */
  accountAgeDays: number | null;
  /** Of sales in it that were refunded to the buyers since. */
  refundedPaise: Paise;
  /** Why the next pay run does not send it before a person has looked again; null where nothing is in the way. */
  uncovered: string | null;
  /** Notes about the payee's account to read before approving. */
  accountNotes: readonly AccountNote[];
  items: readonly ShownItem[];
  attempts: readonly ShownAttempt[];
  deductions: readonly ShownDeduction[];
  audit: readonly RecordedAuditEntry[];
}

interface ShownItem {
  bookingReference: string;
  creditedOn: string;
  grossPaise: Paise;
  amountPaise: Paise;
  earningStatus: string;
  releasedAt: Date | null;
}

interface ShownAttempt {
  attemptNo: number;
  state: string;
  mode: string;
  amountPaise: Paise;
  referenceId: string;
  providerPayoutId: string | null;
  providerStatus: string | null;
  /** The bank's reference of the transfer. */
  utr: string | null;
  /** The account that it was sent to, masked. */
  account: string | null;
  httpStatus: number | null;
  failureCode: string | null;
  createdAt: Date;
  settledAt: Date | null;
}

interface ShownDeduction {
  bookingReference: string;
  section: string;
  rateBps: number;
  reason: string;
  grossPaise: Paise;
  taxPaise: Paise;
  status: string;
  isReversal: boolean;
  /** A later line takes it back: the payout was not made, or its money came back. */
  isTakenBack: boolean;
}

/** Undefined when there is no such payout. */
export async function showPayout(
  db: DbSession,
  payoutId: string,
): Promise<PayoutDetails | undefined> {
  const [payout] = await db.query<
    Omit<
      PayoutDetails,
      | "account"
      | "accountAgeDays"
      | "refundedPaise"
      | "uncovered"
      | "accountNotes"
      | "accountStop"
      | "nextStep"
      | "items"
      | "attempts"
      | "deductions"
      | "audit"
    >[]
  >`
    SELECT payout.id, payout.consultant_id AS "consultantId", consultant.external_ref AS "consultantRef",
           organization.external_ref AS "organizationRef", payout.status::text AS status, payout.currency::text AS currency,
           payout.gross_paise AS "grossPaise", payout.amount_paise AS "amountPaise",
           payout.tax_paise AS "taxPaise", payout.net_paise AS "netPaise", payout.tries,
           payout.failure_code AS "failureCode", payout.failure_message AS "failureMessage",
           payout.created_at AS "createdAt", payout.approved_at AS "approvedAt",
           payout.completed_at AS "completedAt",
           ARRAY(SELECT hold.kind FROM (${OPEN_HOLDS}) AS hold
                 WHERE hold.consultant_id = payout.consultant_id ORDER BY hold.kind) AS holds
    FROM payouts AS payout JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    LEFT JOIN organizations AS organization ON organization.id = payout.organization_id
    WHERE payout.id = ${payoutId}::uuid`;
  if (!payout) return undefined;
  const [listed] = (await listPayouts(db, { ids: [payoutId], limit: 1 })).payouts;
  const isWaiting = payout.status === "PENDING" || payout.status === "APPROVED";
  const uncovered = isWaiting ? (await readUncovered(db, [payoutId])).get(payoutId) : undefined;
  const stop = (await readAccountStops(db, [payout.consultantId])).get(payout.consultantId);
  const { code, message } = stop ? describeStop(stop) : { code: "", message: "" };
  return {
    ...payout,
    account: listed?.account ?? null,
    accountAgeDays: listed?.accountAgeDays ?? null,
    refundedPaise: listed?.refundedPaise ?? 0n,
    uncovered: uncovered?.message ?? null,
    accountNotes: listed?.accountNotes ?? [],
    accountStop: stop ? `${code}: ${message}` : null,
    nextStep: nextStepOf(payout, stop) ?? null,
    items: await readItems(db, payoutId),
    attempts: await readAttempts(db, payoutId),
    deductions: await readDeductions(db, payoutId),
    audit: await readAudit(db, { subjectType: "payout", subjectId: payout.id }),
  };
}

/** No new account is needed when the payee has given another one since, or when the account was released. */
function nextStepOf(
  { failureCode, status }: Pick<PayoutDetails, "failureCode" | "status">,
  stop: AccountStop | undefined,
): string | undefined {
  const isAskedForAccount = ruleOf(failureCode ?? "")?.action === "new-details";
  if (!isAskedForAccount || stop?.kind === "refused") return nextStep(failureCode);
  const retry = status === "FAILED" ? ", or npm run payouts -- retry sends this payout again" : "";
  return `nothing to do about the account: another one is active, or its hold was released. The next batch pays READY earnings${retry}`;
}

async function readItems(db: DbSession, payoutId: string): Promise<ShownItem[]> {
  const items = await db.query<ShownItem[]>`
    SELECT earning.booking_reference AS "bookingReference", earning.credited_on::text AS "creditedOn",
           item.gross_paise AS "grossPaise", item.amount_paise AS "amountPaise",
           earning.status::text AS "earningStatus", item.released_at AS "releasedAt"
    FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
    WHERE item.payout_id = ${payoutId}::uuid
    ORDER BY earning.credited_on, earning.booking_reference`;
  for (const { creditedOn } of items) requireDay(creditedOn);
  return items;
}

async function readAttempts(db: DbSession, payoutId: string): Promise<ShownAttempt[]> {
  const attempts = await db.query<(Omit<ShownAttempt, "account"> & StoredAccount)[]>`
    SELECT attempt_no AS "attemptNo", state::text AS state, mode, amount_paise AS "amountPaise",
           reference_id AS "referenceId", provider_payout_id AS "providerPayoutId",
           provider_status AS "providerStatus", utr, http_status AS "httpStatus",
           failure_code AS "failureCode", attempt.created_at AS "createdAt", settled_at AS "settledAt",
           account.kind::text AS kind, account.ifsc, account.account_number AS "accountNumber", account.vpa
    FROM payout_attempts AS attempt JOIN payout_accounts AS account ON account.id = attempt.payout_account_id
    WHERE payout_id = ${payoutId}::uuid
    ORDER BY attempt_no, attempt.created_at`;
  return attempts.map(({ kind, ifsc, accountNumber, vpa, ...attempt }) => ({
    ...attempt,
    account: masked({ kind, ifsc, accountNumber, vpa }),
  }));
}

async function readDeductions(db: DbSession, payoutId: string): Promise<ShownDeduction[]> {
  return db.query<ShownDeduction[]>`
    SELECT earning.booking_reference AS "bookingReference", line.section, line.rate_bps AS "rateBps",
           line.reason, line.gross_paise AS "grossPaise", line.tax_paise AS "taxPaise",
           line.status::text AS status, line.reverses_id IS NOT NULL AS "isReversal",
           EXISTS (SELECT FROM tax_deductions AS back WHERE back.reverses_id = line.id) AS "isTakenBack"
    FROM tax_deductions AS line JOIN earnings AS earning ON earning.id = line.earning_id
    WHERE line.payout_id = ${payoutId}::uuid
    ORDER BY line.sequence`;
}

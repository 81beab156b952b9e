import { inTransaction, type Db, type DbSession } from "../db/prisma.ts";
import { postTransaction } from "../ledger/post-transaction.ts";
import type { Failure, JsonValue, ProviderPayout } from "../razorpay/index.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";
import { finaliseDeductions } from "../tds/reserve.ts";
import { assertHeld } from "./held.ts";
import { auditOrganization, type Holder } from "./organization-audit.ts";
import { ClaimLostError, failPayout, returnToDue } from "./release.ts";

/** The attempt that an answer belongs to, and the run that holds its payout. */
export interface AttemptRef extends Holder {
  attemptId: string;
  payoutId: string;
  /** Usually the run that made the attempt; another one after it has taken the payout over. */
  runId: string;
}

/** What the provider's status means for us, now and for good. */
export type Settlement = "in-flight" | "paid" | "failed";

/**
 * Records that the provider has the payout, in whatever state it is there: in flight it stays
 * PROCESSING, processed it is COMPLETED and booked, failed it is FAILED and its earnings are released.
 * Everything moves forward only; an answer that comes late changes nothing.
 *
 * @throws {ClaimLostError} when another run has settled it meanwhile
 */
export async function recordAccepted(
  db: Db,
  ref: AttemptRef,
  {
    provider,
    httpStatus,
    body,
  }: {
    provider: ProviderPayout;
    httpStatus: number;
    /** Undefined keeps the answer that is stored. */
    body: JsonValue | undefined;
  },
): Promise<Settlement> {
  const settlement = settlementOf(provider);
  const state = { "in-flight": "ACCEPTED", paid: "PROCESSED", failed: "FAILED" }[settlement];
  return inTransaction(db, async (tx) => {
    await assertHeld(tx, ref);
    const hit = await tx.$executeRaw`
      UPDATE payout_attempts
      SET state = ${state}::attempt_state, provider_payout_id = ${provider.id},
          provider_status = ${provider.statusText}, fees_paise = ${provider.feesPaise},
          fees_tax_paise = ${provider.feesTaxPaise}, utr = ${provider.utr}, http_status = ${httpStatus},
          failure_code = ${settlement === "failed" ? (provider.statusReason ?? provider.statusText) : null},
          response_body = COALESCE(${body === undefined ? null : toJson(body)}::jsonb, response_body),
          settled_at = CASE WHEN ${settlement}::text = 'in-flight' THEN NULL ELSE now() END
      WHERE id = ${ref.attemptId}::uuid AND state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')
        AND (provider_payout_id IS NULL OR provider_payout_id = ${provider.id})`;
    if (hit !== 1) throw new ClaimLostError(ref.payoutId);
    if (settlement === "paid") await completePayout(tx, ref);
    if (settlement === "failed") {
      const code = provider.statusReason ?? provider.statusText;
      const message = `the provider accepted it and then reported ${provider.statusText}`;
      await failPayout(tx, { ...ref, code, message });
    }
    return settlement;
  });
}

/** Records a refusal of this one payout: nothing was accepted. @throws {ClaimLostError} */
export async function recordRefused(
  db: Db,
  ref: AttemptRef,
  { httpStatus, failure, body }: { httpStatus: number; failure: Failure; body: JsonValue },
): Promise<void> {
  const code = failureCode(failure);
  await inTransaction(db, async (tx) => {
    await assertHeld(tx, ref);
    await closeAttempt(tx, ref, { state: "REFUSED", httpStatus, code, body });
    await failPayout(tx, { ...ref, code, message: failure.description });
  });
}

/**
 * Records that the provider turned the request down for a reason that is not the payout's: the
 * attempt is closed, the payout waits for the next run. @throws {ClaimLostError}
 */
export async function recordTurnedAway(
  db: Db,
  ref: AttemptRef,
  {
    httpStatus,
    fault,
    body,
  }: { httpStatus: number | undefined; fault: string; body: JsonValue | undefined },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await assertHeld(tx, ref);
    await closeAttempt(tx, ref, { state: "REFUSED", httpStatus, code: fault, body });
    await returnToDue(tx, { ...ref, reason: fault });
  });
}

/**
 * Records that nobody here knows what became of the request. The payout stays PROCESSING, its earnings
 * stay linked and its tax reserved, until the provider is asked. @throws {ClaimLostError}
 */
export async function recordUnknown(
  db: Db,
  ref: AttemptRef,
  {
    httpStatus,
    cause,
    body,
  }: { httpStatus: number | undefined; cause: string; body: JsonValue | undefined },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await assertHeld(tx, ref);
    await closeAttempt(tx, ref, { state: "UNKNOWN", httpStatus, code: cause, body });
  });
}

/** Whether any answer stands in the attempt. */
export async function hasAnswer(
  db: DbSession,
  { attemptId }: Pick<AttemptRef, "attemptId">,
): Promise<boolean> {
  const rows = await db.$queryRaw<unknown[]>`
    SELECT 1 FROM payout_attempts WHERE id = ${attemptId}::uuid AND state <> 'PREPARED'`;
  return rows.length > 0;
}

/** The provider's own code for a refusal: its reason where it gives one. */
export function failureCode({ reason, code }: Failure): string {
  return reason ?? code;
}

/** What the provider's status of a payout means for us. */
export function settlementOf({ status }: ProviderPayout): Settlement {
  switch (status) {
    case "processed":
      return "paid";
    case "failed":
    case "reversed":
    case "rejected":
    case "cancelled":
      return "failed";
    case "pending":
    case "queued":
    case "scheduled":
    case "processing":
    case "unrecognised":
      return "in-flight";
  }
}

async function closeAttempt(
  tx: DbSession,
  ref: AttemptRef,
  answer: {
    state: "REFUSED" | "UNKNOWN";
    httpStatus: number | undefined;
    code: string;
    body: JsonValue | undefined;
  },
): Promise<void> {
  const body = answer.body === undefined ? null : toJson(answer.body);
  const hit = await tx.$executeRaw`
    UPDATE payout_attempts
    SET state = ${answer.state}::attempt_state, http_status = ${answer.httpStatus ?? null}::int,
        failure_code = ${answer.code}, response_body = ${body}::jsonb,
        settled_at = CASE WHEN ${answer.state}::text = 'UNKNOWN' THEN NULL ELSE now() END
    WHERE id = ${ref.attemptId}::uuid AND state IN ('PREPARED', 'UNKNOWN')`;
  if (hit !== 1) throw new ClaimLostError(ref.payoutId);
}

/** Without an attempt when nothing had to be sent. */
type CompletionRef = Omit<AttemptRef, "attemptId"> & { attemptId: string | null };

interface CompletedRow {
  consultantId: string;
  organizationId: string | null;
  amountPaise: Paise;
  netPaise: Paise;
  taxPaise: Paise;
}

/** PROCESSING to COMPLETED: earnings PAID, tax final, books posted. @throws {ClaimLostError} */
async function completePayout(tx: DbSession, ref: CompletionRef): Promise<void> {
  const [payout] = await tx.$queryRaw<CompletedRow[]>`
    UPDATE payouts SET status = 'COMPLETED', completed_at = now(), updated_at = now()
    WHERE id = ${ref.payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${ref.runId}::uuid
    RETURNING consultant_id AS "consultantId", organization_id AS "organizationId",
              amount_paise AS "amountPaise", net_paise AS "netPaise", tax_paise AS "taxPaise"`;
  if (!payout) throw new ClaimLostError(ref.payoutId);
  await markEarningsPaid(tx, ref.payoutId);
  await finaliseDeductions(tx, ref.payoutId);
  await postCompletion(tx, ref, payout);
  const { organizationId, amountPaise, taxPaise, netPaise } = payout;
  const detail = { amountPaise, taxPaise, netPaise };
  await auditOrganization(tx, ref, { organizationId, action: "completed", detail });
}

/** A payout that tax takes up entirely: nothing is left to send. @throws {ClaimLostError} */
export async function completeWithoutTransfer(db: Db, ref: Holder): Promise<void> {
  await inTransaction(db, (tx) => completePayout(tx, { ...ref, attemptId: null }));
}

async function markEarningsPaid(tx: DbSession, payoutId: string): Promise<void> {
  await tx.$executeRaw`
    UPDATE earnings SET status = 'PAID', updated_at = now()
    WHERE status = 'LINKED' AND id IN (
      SELECT earning_id FROM payout_items WHERE payout_id = ${payoutId}::uuid AND released_at IS NULL)`;
}

/**
 * Debit the payable with what was owed, credit the bank with what left and the tax account with what was
 * withheld. The provider's fee includes the tax on it (`fees` 118 with `tax` 18 debits amount + 118).
 */
async function postCompletion(
  tx: DbSession,
  ref: CompletionRef,
  payout: CompletedRow,
): Promise<void> {
  const [fees] = ref.attemptId
    ? await tx.$queryRaw<{ feesPaise: bigint | null; feesTaxPaise: bigint | null }[]>`
        SELECT fees_paise AS "feesPaise", fees_tax_paise AS "feesTaxPaise"
        FROM payout_attempts WHERE id = ${ref.attemptId}::uuid`
    : [];
  const feesPaise = fees?.feesPaise ?? 0n;
  const feesTaxPaise = fees?.feesTaxPaise ?? 0n;
  await postTransaction(tx, {
    key: `payout-completed:${ref.payoutId}`,
    kind: "payout-completed",
    payoutId: ref.payoutId,
    entries: [
      {
        account: { code: "CONSULTANT_PAYABLE", consultantId: payout.consultantId },
        amountPaise: payout.amountPaise,
      },
      { account: { code: "PROVIDER_FEES" }, amountPaise: feesPaise - feesTaxPaise },
      { account: { code: "PROVIDER_FEES_TAX" }, amountPaise: feesTaxPaise },
      { account: { code: "BANK" }, amountPaise: -(payout.netPaise + feesPaise) },
      { account: { code: "TAX_PAYABLE" }, amountPaise: -payout.taxPaise },
    ],
  });
}

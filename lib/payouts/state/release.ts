import { recordAudits } from "../../audit/audit-log.ts";
import type { DbSession } from "../../db/client.ts";
import { recordFinding } from "../../findings/index.ts";
import { AfterhoursError } from "../../support/errors.ts";
import { toJson } from "../../support/log.ts";
import { reverseDeductions } from "../../tds/reserve.ts";
import { isClaimedBy } from "./held.ts";
import { auditOrganizations, PAY_RUN, type HoldingRun } from "./organization-audit.ts";

/** A compare-and-swap that had to hit one row hit none: somebody else changed the row meanwhile. */
export class ClaimLostError extends AfterhoursError {
  override readonly name = "ClaimLostError";

  constructor(payoutId: string) {
    super("CLAIM_LOST", `payout ${payoutId} is no longer held by this run`);
  }
}

/** Of a compare-and-swap of several rows, each of which had to be hit. @throws {ClaimLostError} */
export function assertAllHit(
  asked: readonly { payoutId: string }[],
  hit: readonly { payoutId: string }[],
): void {
  if (hit.length === asked.length) return;
  const found = new Set(hit.map(({ payoutId }) => payoutId));
  const lost = asked.find(({ payoutId }) => !found.has(payoutId));
  throw new ClaimLostError(lost?.payoutId ?? "");
}

/** Why a payout fails. */
interface PayoutFailure {
  payoutId: string;
  code: string;
  message: string;
}

/**
 * Refused for certain: PROCESSING to FAILED, the try counted, the earnings READY for the next batch, the
 * tax taken back. Only for payouts without a live attempt; the database refuses anything else.
 *
 * @throws {ClaimLostError}
 */
export async function failPayouts(
  tx: DbSession,
  run: HoldingRun,
  failures: readonly PayoutFailure[],
): Promise<void> {
  if (failures.length === 0) return;
  const rows = failures.map(({ payoutId, code, message }) => ({
    payout_id: payoutId,
    code,
    message,
  }));
  const payoutIds = failures.map(({ payoutId }) => payoutId);
  const failed = await tx.query<
    { payoutId: string; organizationId: string | null; tries: number }[]
  >`
    UPDATE payouts SET status = 'FAILED', tries = tries + 1, failure_code = failure.code,
           failure_message = failure.message, updated_at = now()
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb)
      AS failure (payout_id uuid, code text, message text)
    WHERE payouts.id = failure.payout_id AND payouts.id = ANY(${payoutIds}::uuid[]) AND ${isClaimedBy(run.runId)}
    RETURNING payouts.id AS "payoutId", organization_id AS "organizationId", tries`;
  assertAllHit(failures, failed);
  await releaseEarnings(tx, payoutIds, { from: "LINKED" });
  await reverseDeductions(tx, payoutIds);
  const codes = new Map(failures.map(({ payoutId, code }) => [payoutId, code]));
  await auditOrganizations(
    tx,
    run,
    failed.map(({ payoutId, organizationId, tries }) => {
      const reason = codes.get(payoutId) ?? null;
      return { payoutId, organizationId, action: "failed", reason, detail: { tries } };
    }),
  );
}

/** How many earnings and items of a payout a statement moved. In good books the two are equal. */
export interface MovedEarnings {
  earnings: number;
  items: number;
}

/** The earnings that payouts hold are READY for the next batch; their items say when they left. */
export async function releaseEarnings(
  tx: DbSession,
  payoutIds: readonly string[],
  { from }: { from: "LINKED" | "PAID" },
): Promise<MovedEarnings> {
  const earnings = await tx.execute`
    UPDATE earnings SET status = 'READY', updated_at = now()
    WHERE status = ${from}::earning_status AND id IN (
      SELECT earning_id FROM payout_items
      WHERE payout_id = ANY(${payoutIds}::uuid[]) AND released_at IS NULL)`;
  const items = await tx.execute`
    UPDATE payout_items SET released_at = now()
    WHERE payout_id = ANY(${payoutIds}::uuid[]) AND released_at IS NULL`;
  return { earnings, items };
}

/** Why a payout is due again. */
interface PayoutReturn {
  payoutId: string;
  reason: string;
  /** Further facts for a reader of the audit log. */
  detail?: Readonly<Record<string, unknown>>;
}

/**
 * Nothing was accepted, and the rows are not to blame: PROCESSING back to its state before the claim, APPROVED
 * or for an organization PENDING. No try is counted, and the tax is taken back until the next claim.
 *
 * @throws {ClaimLostError}
 */
export async function returnAllToDue(
  tx: DbSession,
  run: HoldingRun,
  payouts: readonly PayoutReturn[],
): Promise<void> {
  if (payouts.length === 0) return;
  const payoutIds = payouts.map(({ payoutId }) => payoutId);
  const returned = await tx.query<{ payoutId: string; organizationId: string | null }[]>`
    UPDATE payouts
    SET status = CASE WHEN organization_id IS NULL THEN 'APPROVED' ELSE 'PENDING' END::payout_status,
        claimed_by = NULL, claim_fence = NULL, claimed_at = NULL, tax_paise = NULL, net_paise = NULL,
        updated_at = now()
    WHERE id = ANY(${payoutIds}::uuid[]) AND ${isClaimedBy(run.runId)}
    RETURNING id AS "payoutId", organization_id AS "organizationId"`;
  assertAllHit(payouts, returned);
  await reverseDeductions(tx, payoutIds);
  const reasons = new Map(payouts.map((each) => [each.payoutId, each]));
  await auditOrganizations(
    tx,
    run,
    returned.map(({ payoutId, organizationId }) => {
      const { reason = null, detail = {} } = reasons.get(payoutId) ?? {};
      return { payoutId, organizationId, action: "returned", reason, detail };
    }),
  );
}

/** Why a claimed payout needs a person before it is sent. */
interface Withdrawal {
  payoutId: string;
  organizationId: string | null;
  code: string;
  message: string;
  detail: Readonly<Record<string, unknown>>;
}

/**
 * A person has to look at these again: PROCESSING to PENDING, which ends a person's approval. An organization's, which
 * nobody approves, stays PENDING, and no claim sends it before it is rejected. Each is a finding and an audit entry that
 * say who changed what.
 *
 * @throws {ClaimLostError}
 */
export async function withdrawApprovals(
  tx: DbSession,
  run: HoldingRun,
  withdrawals: readonly Withdrawal[],
): Promise<void> {
  if (withdrawals.length === 0) return;
  const rows = withdrawals.map(({ payoutId, code, message }) => ({
    payout_id: payoutId,
    code,
    message,
  }));
  const payoutIds = withdrawals.map(({ payoutId }) => payoutId);
  const withdrawn = await tx.query<{ payoutId: string }[]>`
    UPDATE payouts
    SET status = 'PENDING', claimed_by = NULL, claim_fence = NULL, claimed_at = NULL, tax_paise = NULL,
        net_paise = NULL, failure_code = withdrawal.code, failure_message = withdrawal.message, updated_at = now()
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb)
      AS withdrawal (payout_id uuid, code text, message text)
    WHERE payouts.id = withdrawal.payout_id AND payouts.id = ANY(${payoutIds}::uuid[]) AND ${isClaimedBy(run.runId)}
    RETURNING payouts.id AS "payoutId"`;
  assertAllHit(withdrawals, withdrawn);
  await reverseDeductions(tx, payoutIds);
  const { actor = PAY_RUN, runId } = run;
  await recordAudits(
    tx,
    withdrawals.map(({ payoutId, organizationId, code, detail }) => ({
      actor,
      category: "payout",
      action: organizationId === null ? "approval-withdrawn" : "returned",
      subjectType: "payout",
      subjectId: payoutId,
      reason: code,
      detail: { ...detail, runId, ...(organizationId === null ? {} : { organizationId }) },
    })),
  );
  for (const { payoutId, code, detail } of withdrawals) {
    await recordFinding(tx, {
      kind: "approval-withdrawn",
      severity: "warning",
      subjectType: "payout",
      subjectId: payoutId,
      details: { code, ...detail },
    });
  }
}

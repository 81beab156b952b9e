import { inTransaction, type Db, type DbSession } from "../db/prisma.ts";
import { AfterhoursError } from "../support/errors.ts";
import type { Paise } from "../support/money.ts";
import {
  assessPayee,
  readPayeeTaxState,
  reserveDeductions,
  type CreditedEarning,
} from "../tds/reserve.ts";
import type { TaxPolicy } from "../tds/index.ts";
import { MAXIMUM_TRIES } from "./due.ts";
import { auditOrganization } from "./organization-audit.ts";
import { refusalOfOrganization, organizationNetRefusal } from "./organization-rules.ts";
import { modeFor, readPayee, type Payee } from "./payee.ts";
import { ClaimLostError, failPayout } from "./release.ts";

/** A payout that this run holds, taxed, with the account to which it goes. */
export interface ClaimedPayout extends Payee {
  id: string;
  consultantId: string;
  /** Set when the payee stands for an organization. */
  organizationId: string | null;
  /** Tax base: what buyers paid, without GST. */
  grossPaise: Paise;
  amountPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
}

export type ClaimResult =
  | { kind: "claimed"; payout: ClaimedPayout }
  /** Another run was first, or the payout is no longer due. */
  | { kind: "lost" }
  /**
   * It can not be paid as it stands. Claimed, it is FAILED now and its earnings are released; else the claim
   * was rolled back, and it is as it was.
   */
  | { kind: "refused"; isClaimed: boolean; code: string; message: string };

export interface Claimant {
  runId: string;
  fence: bigint | null;
}

/**
 * Claims a due payout by compare-and-swap, assesses its tax and reserves it, in one transaction: a
 * crash leaves either an untouched payout or a taxed one.
 */
export async function claimPayout(
  db: Db,
  { payoutId, claimant, tax }: { payoutId: string; claimant: Claimant; tax: TaxPolicy },
): Promise<ClaimResult> {
  return inTransaction(db, async (tx) => {
    const claimed = await casDueToProcessing(tx, payoutId, claimant);
    if (!claimed) return { kind: "lost" };
    const { organizationId } = claimed;
    const refuse = async (code: string, message: string): Promise<ClaimResult> => {
      await failPayout(tx, { payoutId, runId: claimant.runId, code, message });
      return { kind: "refused", isClaimed: true, code, message };
    };

    if (claimed.currency !== "INR") {
      return refuse(
        "CURRENCY_NOT_SUPPORTED",
        `the currency is ${claimed.currency}; only INR can be paid`,
      );
    }
    if (organizationId !== null) {
      const wrong = await refusalOfOrganization(tx, { payoutId, ...claimed });
      if (wrong) return refuse(wrong.code, wrong.message);
    }
    const payee = await readPayee(tx, claimed.consultantId);
    if (!payee) return refuse("NO_PAYOUT_ACCOUNT", "the payee has no active payout account");

    const credits = await creditsOf(tx, payoutId);
    const state = await readPayeeTaxState(tx, {
      consultantId: claimed.consultantId,
      credits,
      lock: true,
    });
    if (!state)
      return refuse(
        "NO_TAX_PROFILE",
        "the payee has no tax profile, so the tax can not be assessed",
      );
    assertItemsMakeUp(claimed, credits);

    const assessed = assessPayee(state, credits, tax);
    if (!assessed.ok) return refuse(assessed.error.code, assessed.error.message);
    const { taxPaise, lines } = assessed;
    const netPaise = claimed.amountPaise - taxPaise;
    const nothing = organizationNetRefusal({ organizationId, netPaise });
    if (nothing) return refuse(nothing.code, nothing.message);
    // Before its tax is reserved: what can not be sent must not count for the payee's next payout.
    const choice = netPaise > 0n ? modeFor(payee.account, netPaise) : undefined;
    if (choice && !choice.ok) return refuse(choice.code, choice.message);
    await reserveDeductions(tx, { payoutId, consultantId: claimed.consultantId, lines });
    const hit = await tx.$executeRaw`
      UPDATE payouts SET tax_paise = ${taxPaise}, net_paise = ${netPaise}, updated_at = now()
      WHERE id = ${payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${claimant.runId}::uuid`;
    if (hit !== 1) throw new ClaimLostError(payoutId);
    const payout: ClaimedPayout = { ...payee, ...claimed, id: payoutId, taxPaise, netPaise };
    return { kind: "claimed", payout };
  });
}

/**
 * Takes over a claim that a dead run left without an attempt. Its tax is assessed and reserved already.
 * `claimedBy` in the condition makes one of several that try it the only one.
 */
export async function takeOverClaim(
  db: Db,
  { payoutId, claimedBy, claimant }: { payoutId: string; claimedBy: string; claimant: Claimant },
): Promise<ClaimResult> {
  return inTransaction(db, async (tx) => {
    // A statement of its own: the next one then sees the attempt of a run that held the row until now.
    await tx.$queryRaw`SELECT 1 FROM payouts WHERE id = ${payoutId}::uuid FOR UPDATE`;
    const [row] = await tx.$queryRaw<Omit<ClaimedPayout, keyof Payee>[]>`
      UPDATE payouts SET claimed_by = ${claimant.runId}::uuid, claim_fence = ${claimant.fence}::bigint,
             claimed_at = now(), updated_at = now()
      WHERE id = ${payoutId}::uuid AND status = 'PROCESSING' AND claimed_by = ${claimedBy}::uuid
        AND tax_paise IS NOT NULL
        AND NOT EXISTS (
          SELECT 1 FROM payout_attempts AS attempt
          WHERE attempt.payout_id = payouts.id
            AND attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED'))
      RETURNING id, consultant_id AS "consultantId", organization_id AS "organizationId",
                gross_paise AS "grossPaise", amount_paise AS "amountPaise", tax_paise AS "taxPaise",
                net_paise AS "netPaise"`;
    if (!row) return { kind: "lost" };
    await auditClaim(tx, { payoutId, runId: claimant.runId, ...row, takenOverFrom: claimedBy });
    const payee = await readPayee(tx, row.consultantId);
    if (payee) return { kind: "claimed", payout: { ...payee, ...row } };
    const code = "NO_PAYOUT_ACCOUNT";
    const message = "the payee has no active payout account";
    await failPayout(tx, { payoutId, runId: claimant.runId, code, message });
    return { kind: "refused", isClaimed: true, code, message };
  });
}

/** The earnings that a payout holds, as the tax engine needs them. */
export async function creditsOf(tx: DbSession, payoutId: string): Promise<CreditedEarning[]> {
  return tx.$queryRaw<CreditedEarning[]>`
    SELECT item.earning_id AS "earningId", earning.credited_on::text AS "creditedOn",
           item.gross_paise AS "grossPaise", item.amount_paise AS "amountPaise"
    FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
    WHERE item.payout_id = ${payoutId}::uuid AND item.released_at IS NULL
    ORDER BY earning.credited_on, item.earning_id`;
}

interface ClaimedRow {
  consultantId: string;
  organizationId: string | null;
  currency: string;
  grossPaise: bigint;
  amountPaise: bigint;
}

/** An organization's payout needs no approval: it is claimed from PENDING, and from nowhere else. */
async function casDueToProcessing(
  tx: DbSession,
  payoutId: string,
  { runId, fence }: Claimant,
): Promise<ClaimedRow | undefined> {
  const [row] = await tx.$queryRaw<ClaimedRow[]>`
    UPDATE payouts SET status = 'PROCESSING', claimed_by = ${runId}::uuid,
           claim_fence = ${fence}::bigint, claimed_at = now(), failure_code = NULL, failure_message = NULL,
           updated_at = now()
    WHERE id = ${payoutId}::uuid AND tries < ${MAXIMUM_TRIES}
      AND (status = 'APPROVED' AND organization_id IS NULL
           OR status = 'PENDING' AND organization_id IS NOT NULL)
    RETURNING consultant_id AS "consultantId", organization_id AS "organizationId",
              currency::text AS currency, gross_paise AS "grossPaise", amount_paise AS "amountPaise"`;
  if (row) await auditClaim(tx, { payoutId, runId, ...row });
  return row;
}

async function auditClaim(
  tx: DbSession,
  {
    payoutId,
    runId,
    organizationId,
    amountPaise,
    takenOverFrom,
  }: {
    payoutId: string;
    runId: string;
    organizationId: string | null;
    amountPaise: Paise;
    takenOverFrom?: string;
  },
): Promise<void> {
  const detail = takenOverFrom === undefined ? { amountPaise } : { amountPaise, takenOverFrom };
  await auditOrganization(tx, { payoutId, runId }, { organizationId, action: "claimed", detail });
}

/**
 * A payout whose items do not add up to it must not be paid by anybody.
 *
 * @throws {AfterhoursError} `PAYOUT_ITEMS_DISAGREE`
 */
export function assertItemsMakeUp(
  payout: Pick<ClaimedRow, "amountPaise" | "grossPaise">,
  credits: readonly CreditedEarning[],
): void {
  const grossPaise = credits.reduce((sum, credit) => sum + credit.grossPaise, 0n);
  const amountPaise = credits.reduce((sum, credit) => sum + credit.amountPaise, 0n);
  if (grossPaise === payout.grossPaise && amountPaise === payout.amountPaise) return;
  throw new AfterhoursError(
    "PAYOUT_ITEMS_DISAGREE",
    `the payout says ${payout.amountPaise} paise of ${payout.grossPaise} gross, its earnings ${amountPaise} of ${grossPaise}`,
    {
      remedy:
        "Find out who changed the payout or its items; it stays approved and unpaid until they agree.",
    },
  );
}

/** The error of a claim that was rolled back, as the reason of a refusal. */
export function refusalOf({ code, message, remedy }: AfterhoursError): {
  code: string;
  message: string;
} {
  return { code, message: `${message}. ${remedy ?? ""}`.trim() };
}

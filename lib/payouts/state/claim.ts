import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import { AfterhoursError } from "../../support/errors.ts";
import { toJson } from "../../support/log.ts";
import type { Paise } from "../../support/money.ts";
import { reserveDeductions, type PayeeTaxState } from "../../tds/reserve.ts";
import type { TaxPolicy } from "../../tds/index.ts";
import {
  decide,
  decideTakeOver,
  readFacts,
  readTakeOverFacts,
  type ClaimedPayout,
  type DuePayoutRow,
} from "./decide.ts";
import { MAXIMUM_TRIES } from "./due.ts";
import { auditOrganizations, type PayoutChange } from "./organization-audit.ts";
import { heldAmong, heldMessage, IS_HELD, lockAgainstHolds, ON_HOLD } from "./on-hold.ts";
import { assertAllHit, failPayouts, returnAllToDue, withdrawApprovals } from "./release.ts";
import { takeOverTaxed, type Claimant } from "./take-over.ts";

export type ClaimResult =
  | { kind: "claimed"; payout: ClaimedPayout }
  /** Another run was first, or the payout is no longer due. */
  | { kind: "lost" }
  /** Nothing may be sent to the payee now: it is due as it was, and waits. */
  | { kind: "held"; code: string; message: string }
  /** A person has to look at it again: it is PENDING, and nothing was sent. */
  | { kind: "uncovered"; code: string; message: string }
  /**
   * Rejected. `isClaimed: true`: now FAILED, and its earnings are released. `false`: claim rolled back, row
   * unchanged. `error`: an unexpected database error.
   */
  | { kind: "refused"; isClaimed: boolean; code: string; message: string; error?: unknown };

/**
 * Claims due payouts by compare-and-swap, assesses their tax and reserves it, in one transaction: a crash leaves
 * either untouched payouts or taxed ones. The results are in the order of `payoutIds`. No payee on hold is
 * claimed, even if the run read the payout before the hold: a hold placed at the same moment waits for the
 * claim, or the claim for the hold.
 *
 * @throws {AfterhoursError} `PAYOUT_ITEMS_DISAGREE` when one does not add up, `CLAIM_ORDER` when two belong to
 * one payee or one PAN, so that the second would not count the first. Nothing is claimed then: claim each alone.
 */
export async function claimPayouts(
  db: Db,
  {
    payoutIds,
    claimant,
    tax,
  }: { payoutIds: readonly string[]; claimant: Claimant; tax: TaxPolicy },
): Promise<ClaimResult[]> {
  return inTransaction(db, async (tx) => {
    await lockAgainstHolds(tx, payoutIds);
    const rows = await casDueToProcessing(tx, payoutIds, claimant);
    const results = new Map<string, ClaimResult>(
      rows.length === payoutIds.length ? [] : await heldResults(tx, payoutIds, rows),
    );
    if (rows.length > 0) {
      assertOneEach(rows);
      await auditClaims(tx, claimant, rows);
      const facts = await readFacts(tx, rows, { lock: true });
      assertOneTaxpayerEach(facts.taxStates);
      const decided = rows.map((row) => decide(row, { facts, tax }));
      const refused = decided.filter((each) => each.kind === "refused");
      const claimed = decided.filter((each) => each.kind === "claimed");
      const held = decided.filter((each) => each.kind === "held");
      const uncovered = decided.filter((each) => each.kind === "uncovered");
      await failPayouts(tx, claimant, refused);
      await withdrawApprovals(tx, claimant, uncovered);
      await returnAllToDue(
        tx,
        claimant,
        held.map(({ payoutId, code }) => ({ payoutId, reason: code })),
      );
      await reserveDeductions(tx, claimed);
      await writeTax(tx, claimant, claimed);
      for (const { payoutId, code, message } of refused)
        results.set(payoutId, { kind: "refused", isClaimed: true, code, message });
      for (const { payoutId, code, message } of uncovered)
        results.set(payoutId, { kind: "uncovered", code, message });
      for (const { payoutId, code, message } of held)
        results.set(payoutId, { kind: "held", code, message });
      for (const { payoutId, payout } of claimed)
        results.set(payoutId, { kind: "claimed", payout });
    }
    return payoutIds.map((payoutId) => results.get(payoutId) ?? { kind: "lost" });
  });
}

/** Of those that were not claimed, the ones that a hold keeps: another run may have had them before it was placed. */
async function heldResults(
  tx: DbSession,
  payoutIds: readonly string[],
  claimed: readonly DuePayoutRow[],
): Promise<[string, ClaimResult][]> {
  const won = new Set(claimed.map(({ payoutId }) => payoutId));
  const held = await heldAmong(
    tx,
    payoutIds.filter((payoutId) => !won.has(payoutId)),
  );
  return [...held.values()].map((each) => [
    each.id,
    { kind: "held", code: ON_HOLD, message: heldMessage(each) },
  ]);
}

/** The payouts of one payee are taxed one after the other, each on a year that counts those before it. */
function assertOneEach(rows: readonly DuePayoutRow[]): void {
  if (new Set(rows.map(({ consultantId }) => consultantId)).size === rows.length) return;
  throw new AfterhoursError("CLAIM_ORDER", "two payouts of one payee were claimed at once");
}

/** Two payees with one PAN are one person, whose year is one. */
function assertOneTaxpayerEach(states: ReadonlyMap<string, PayeeTaxState>): void {
  const taxpayers = new Set([...states.values()].map(({ taxpayerId }) => taxpayerId));
  if (taxpayers.size === states.size) return;
  throw new AfterhoursError("CLAIM_ORDER", "two payouts of one PAN were claimed at once");
}

/** @throws {ClaimLostError} when a row has changed since its claim */
async function writeTax(
  tx: DbSession,
  { runId }: Claimant,
  claimed: readonly { payoutId: string; payout: ClaimedPayout }[],
): Promise<void> {
  const rows = claimed.map(({ payoutId, payout: { taxPaise, netPaise } }) => ({
    payout_id: payoutId,
    taxPaise,
    netPaise,
  }));
  const payoutIds = claimed.map(({ payoutId }) => payoutId);
  // The ids twice, and the state in a CASE, for the planner: docs/decisions/0010-batches-of-a-pay-run.md.
  const hit = await tx.query<{ payoutId: string }[]>`
    UPDATE payouts SET tax_paise = assessed."taxPaise", net_paise = assessed."netPaise", updated_at = now()
    FROM jsonb_to_recordset(${toJson(rows)}::jsonb)
      AS assessed (payout_id uuid, "taxPaise" bigint, "netPaise" bigint)
    WHERE payouts.id = assessed.payout_id AND payouts.id = ANY(${payoutIds}::uuid[])
      AND CASE WHEN status = 'PROCESSING' THEN claimed_by = ${runId}::uuid ELSE false END
    RETURNING payouts.id AS "payoutId"`;
  assertAllHit(claimed, hit);
}

/**
 * Takes over a claim that a dead run left without an attempt. Its tax is assessed and reserved already.
 * `claimedBy` in the condition makes one of several that try it the only one. Where the payee is on hold by now, the
 * payout is due again, and waits.
 */
export async function takeOverClaim(
  db: Db,
  { payoutId, claimedBy, claimant }: { payoutId: string; claimedBy: string; claimant: Claimant },
): Promise<ClaimResult> {
  return inTransaction(db, async (tx) => {
    await lockAgainstHolds(tx, [payoutId]);
    const taxed = await takeOverTaxed(tx, { payoutId, claimedBy }, claimant);
    if (!taxed) return { kind: "lost" };
    await auditClaims(tx, claimant, [{ payoutId, ...taxed, takenOverFrom: claimedBy }]);
    const decision = decideTakeOver(taxed, await readTakeOverFacts(tx, taxed));
    if (decision.kind === "claimed") return { kind: "claimed", payout: decision.payout };
    const { kind, code, message } = decision;
    if (decision.kind === "uncovered") {
      const { organizationId } = taxed;
      const { detail } = decision;
      await withdrawApprovals(tx, claimant, [{ payoutId, organizationId, code, message, detail }]);
      return { kind: decision.kind, code, message };
    }
    if (kind === "held") {
      await returnAllToDue(tx, claimant, [{ payoutId, reason: code }]);
      return { kind, code, message };
    }
    await failPayouts(tx, claimant, [{ payoutId, code, message }]);
    return { kind, isClaimed: true, code, message };
  });
}

/**
 * An organization's payout needs no approval: it is claimed from PENDING, and from nowhere else.
 *
 * By ids, since a page was read before to keep two payouts of one payee out of one batch. FOR UPDATE SKIP LOCKED
 * would win nothing: docs/decisions/0010-batches-of-a-pay-run.md.
 */
async function casDueToProcessing(
  tx: DbSession,
  payoutIds: readonly string[],
  { runId, fence }: Claimant,
): Promise<DuePayoutRow[]> {
  return tx.query<DuePayoutRow[]>`
    UPDATE payouts SET status = 'PROCESSING', claimed_by = ${runId}::uuid,
           claim_fence = ${fence}::bigint, claimed_at = now(), failure_code = NULL, failure_message = NULL,
           updated_at = now()
    WHERE id = ANY(${payoutIds}::uuid[]) AND tries < ${MAXIMUM_TRIES}
      AND (status::text = 'APPROVED' AND organization_id IS NULL
           OR status::text = 'PENDING' AND organization_id IS NOT NULL)
      AND NOT ${IS_HELD}
    RETURNING id AS "payoutId", consultant_id AS "consultantId", organization_id AS "organizationId",
              currency::text AS currency, gross_paise AS "grossPaise", amount_paise AS "amountPaise"`;
}

async function auditClaims(
  tx: DbSession,
  { runId }: Claimant,
  claims: readonly {
    payoutId: string;
    organizationId: string | null;
    amountPaise: Paise;
    takenOverFrom?: string;
  }[],
): Promise<void> {
  const changes = claims.map(
    ({ payoutId, organizationId, amountPaise, takenOverFrom }): PayoutChange => ({
      payoutId,
      organizationId,
      action: "claimed",
      detail: takenOverFrom === undefined ? { amountPaise } : { amountPaise, takenOverFrom },
    }),
  );
  await auditOrganizations(tx, { runId }, changes);
}

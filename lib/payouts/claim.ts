import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import { requireDay } from "../support/calendar.ts";
import { AfterhoursError } from "../support/errors.ts";
import { toJson } from "../support/log.ts";
import type { Paise } from "../support/money.ts";
import {
  assessPayee,
  readPayeeTaxStates,
  reserveDeductions,
  type AssessedPayout,
  type CreditedEarning,
  type PayeeTaxState,
} from "../tds/reserve.ts";
import type { TaxPolicy } from "../tds/index.ts";
import { describeStop, readAccountStops, type AccountStop } from "./account-holds.ts";
import { MAXIMUM_TRIES } from "./due.ts";
import { auditOrganizations, type PayoutChange } from "./organization-audit.ts";
import { organizationNetRefusal, refusalsOfOrganizations } from "./organization-rules.ts";
import { heldAmong, heldMessage, IS_HELD, lockAgainstHolds, ON_HOLD } from "./on-hold.ts";
import { modeFor, readPayee, readPayees, type Payee } from "./payee.ts";
import { assertAllHit, failPayout, failPayouts, returnAllToDue, returnToDue } from "./release.ts";

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
  /** Nothing may be sent to the payee now: it is due as it was, and waits. */
  | { kind: "held"; code: string; message: string }
  /**
   * It can not be paid as it stands. Claimed, it is FAILED now and its earnings are released; else the claim
   * was rolled back, and it is as it was. `error`: what the database raised, where that is no rule of ours.
   */
  | { kind: "refused"; isClaimed: boolean; code: string; message: string; error?: unknown };

export interface Claimant {
  runId: string;
  fence: bigint | null;
}

/** As `claimPayouts`, for one. */
export async function claimPayout(
  db: Db,
  { payoutId, ...claim }: { payoutId: string; claimant: Claimant; tax: TaxPolicy },
): Promise<ClaimResult> {
  const results = await claimPayouts(db, { payoutIds: [payoutId], ...claim });
  return results[0] ?? { kind: "lost" };
}

/**
 * Claims due payouts by compare-and-swap, assesses their tax and reserves it, in one transaction: a crash
 * leaves either untouched payouts or taxed ones. The results are in the order of `payoutIds`. Nobody on hold is
 * claimed, whatever a run has read before: a hold that is placed at the same moment waits for the claim, or the
 * claim for the hold.
 *
 * @throws {AfterhoursError} `PAYOUT_ITEMS_DISAGREE` when one does not add up, `CLAIM_ORDER` when two are of
 * one payee or one PAN, whose second would not count the first. Nothing is claimed then: ask for each by itself.
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
      const facts = await readFacts(tx, rows);
      assertOneTaxpayerEach(facts.taxStates);
      const decided = rows.map((row) => decide(row, { facts, tax }));
      const refused = decided.filter((each) => each.kind === "refused");
      const claimed = decided.filter((each) => each.kind === "claimed");
      const held = decided.filter((each) => each.kind === "held");
      await failPayouts(tx, claimant, refused);
      await returnAllToDue(
        tx,
        claimant,
        held.map(({ payoutId, code }) => ({ payoutId, reason: code })),
      );
      await reserveDeductions(tx, claimed);
      await writeTax(tx, claimant, claimed);
      for (const { payoutId, code, message } of refused)
        results.set(payoutId, { kind: "refused", isClaimed: true, code, message });
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
  claimed: readonly ClaimedRow[],
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
function assertOneEach(rows: readonly ClaimedRow[]): void {
  if (new Set(rows.map(({ consultantId }) => consultantId)).size === rows.length) return;
  throw new AfterhoursError("CLAIM_ORDER", "two payouts of one payee were claimed at once");
}

/** Two payees with one PAN are one person, whose year is one. */
function assertOneTaxpayerEach(states: ReadonlyMap<string, PayeeTaxState>): void {
  const taxpayers = new Set([...states.values()].map(({ taxpayerId }) => taxpayerId));
  if (taxpayers.size === states.size) return;
  throw new AfterhoursError("CLAIM_ORDER", "two payouts of one PAN were claimed at once");
}

/** What the decision on a claim rests on. */
interface ClaimFacts {
  /** By consultant. */
  stops: ReadonlyMap<string, AccountStop>;
  refusals: ReadonlyMap<string, { code: string; message: string }>;
  /** By consultant. */
  payees: ReadonlyMap<string, Payee>;
  credits: ReadonlyMap<string, readonly CreditedEarning[]>;
  /** By consultant. */
  taxStates: ReadonlyMap<string, PayeeTaxState>;
}

async function readFacts(tx: DbSession, rows: readonly ClaimedRow[]): Promise<ClaimFacts> {
  const ofOrganizations = rows.filter(({ organizationId }) => organizationId !== null);
  const refusals = await refusalsOfOrganizations(tx, ofOrganizations);
  const consultantIds = rows.map(({ consultantId }) => consultantId);
  const stops = await readAccountStops(tx, consultantIds);
  const payees = await readPayees(tx, consultantIds);
  const credits = await creditsOfAll(
    tx,
    rows.map(({ payoutId }) => payoutId),
  );
  const taxStates = await readPayeeTaxStates(tx, {
    payees: rows.map(({ payoutId, consultantId }) => ({
      consultantId,
      credits: credits.get(payoutId) ?? [],
    })),
    lock: true,
  });
  return { stops, refusals, payees, credits, taxStates };
}

type Decision =
  | { kind: "refused"; payoutId: string; code: string; message: string }
  | { kind: "held"; payoutId: string; code: string; message: string }
  | ({ kind: "claimed"; payout: ClaimedPayout } & AssessedPayout);

/** Decides on what was read; pure. @throws {AfterhoursError} `PAYOUT_ITEMS_DISAGREE` */
function decide(
  claimed: ClaimedRow,
  { facts, tax }: { facts: ClaimFacts; tax: TaxPolicy },
): Decision {
  const { payoutId, consultantId, organizationId, currency, ...row } = claimed;
  const refuse = ({ code, message }: { code: string; message: string }): Decision => ({
    kind: "refused",
    payoutId,
    code,
    message,
  });
  const stop = facts.stops.get(consultantId);
  if (stop) return { kind: "held", payoutId, ...describeStop(stop) };
  if (currency !== "INR") {
    const message = `the currency is ${currency}; only INR can be paid`;
    return refuse({ code: "CURRENCY_NOT_SUPPORTED", message });
  }
  const wrong = facts.refusals.get(payoutId);
  if (wrong) return refuse(wrong);
  const payee = facts.payees.get(consultantId);
  if (!payee) return refuse(NO_ACCOUNT);
  const state = facts.taxStates.get(consultantId);
  if (!state) {
    const message = "the payee has no tax profile, so the tax can not be assessed";
    return refuse({ code: "NO_TAX_PROFILE", message });
  }
  const credits = facts.credits.get(payoutId) ?? [];
  assertItemsMakeUp(row, credits);

  const assessed = assessPayee(state, credits, tax);
  if (!assessed.ok) return refuse(assessed.error);
  const { taxPaise, lines } = assessed;
  const netPaise = row.amountPaise - taxPaise;
  const nothing = organizationNetRefusal({ organizationId, netPaise });
  if (nothing) return refuse(nothing);
  // Before its tax is reserved: what can not be sent must not count for the payee's next payout.
  const choice = netPaise > 0n ? modeFor(payee, netPaise) : undefined;
  if (choice && !choice.ok) return refuse(choice);
  const payout: ClaimedPayout = {
    ...payee,
    ...row,
    id: payoutId,
    consultantId,
    organizationId,
    taxPaise,
    netPaise,
  };
  return { kind: "claimed", payoutId, consultantId, identity: state.profile, lines, payout };
}

const NO_ACCOUNT = {
  code: "NO_PAYOUT_ACCOUNT",
  message: "the payee has no active payout account",
} as const;

/** @throws {ClaimLostError} when a row is not what it was a moment ago */
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
  // The ids twice: joined with the recordset alone, whose size the planner can only guess, it reads all that
  // the run holds and compares each with each. A batch of 100 then took 42 ms where 6,000 are held, not 2.
  // The state in a CASE for the reason that `acceptAttempts` gives: 2.3 ms, without it 3.8.
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
    // A statement of its own: the next one then sees the attempt of a run that held the row until now.
    await tx.query`SELECT 1 FROM payouts WHERE id = ${payoutId}::uuid FOR UPDATE`;
    const [row] = await tx.query<Omit<ClaimedPayout, keyof Payee>[]>`
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
    await auditClaims(tx, claimant, [{ payoutId, ...row, takenOverFrom: claimedBy }]);
    const onHold = (await heldAmong(tx, [payoutId])).get(payoutId);
    const stop = (await readAccountStops(tx, [row.consultantId])).get(row.consultantId);
    const held = onHold
      ? { code: ON_HOLD, message: heldMessage(onHold) }
      : stop && describeStop(stop);
    if (held) {
      await returnToDue(tx, { payoutId, runId: claimant.runId, reason: held.code });
      return { kind: "held", ...held };
    }
    const payee = await readPayee(tx, row.consultantId);
    if (payee) return { kind: "claimed", payout: { ...payee, ...row } };
    await failPayout(tx, { payoutId, runId: claimant.runId, ...NO_ACCOUNT });
    return { kind: "refused", isClaimed: true, ...NO_ACCOUNT };
  });
}

/** The earnings that a payout holds, as the tax engine needs them. */
export async function creditsOf(tx: DbSession, payoutId: string): Promise<CreditedEarning[]> {
  return (await creditsOfAll(tx, [payoutId])).get(payoutId) ?? [];
}

/** As `creditsOf`, by payout. */
async function creditsOfAll(
  tx: DbSession,
  payoutIds: readonly string[],
): Promise<Map<string, CreditedEarning[]>> {
  const rows = await tx.query<(CreditedEarning & { payoutId: string })[]>`
    SELECT item.payout_id AS "payoutId", item.earning_id AS "earningId",
           earning.credited_on::text AS "creditedOn", item.gross_paise AS "grossPaise",
           item.amount_paise AS "amountPaise"
    FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
    WHERE item.payout_id = ANY(${payoutIds}::uuid[]) AND item.released_at IS NULL
    ORDER BY earning.credited_on, item.earning_id`;
  const credits = new Map<string, CreditedEarning[]>();
  for (const { payoutId, ...credit } of rows) {
    requireDay(credit.creditedOn);
    const own = credits.get(payoutId);
    if (own) own.push(credit);
    else credits.set(payoutId, [credit]);
  }
  return credits;
}

interface ClaimedRow {
  payoutId: string;
  consultantId: string;
  organizationId: string | null;
  currency: string;
  grossPaise: bigint;
  amountPaise: bigint;
}

/**
 * An organization's payout needs no approval: it is claimed from PENDING, and from nowhere else.
 *
 * By ids, since a page was read before to keep two payouts of one payee out of one group. A claim that picks its
 * own hundred with FOR UPDATE SKIP LOCKED takes 1.04 times as much of the processor, so nothing would be won by
 * it; claimed row by row, a hundred take 10 times as much.
 */
async function casDueToProcessing(
  tx: DbSession,
  payoutIds: readonly string[],
  { runId, fence }: Claimant,
): Promise<ClaimedRow[]> {
  return tx.query<ClaimedRow[]>`
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

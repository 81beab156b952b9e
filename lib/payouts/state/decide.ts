import type { DbSession } from "../../db/client.ts";
import { requireDay } from "../../support/calendar.ts";
import { AfterhoursError } from "../../support/errors.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import {
  assessPayee,
  readPayeeTaxStates,
  type AssessedPayout,
  type CreditedEarning,
  type PayeeTaxState,
} from "../../tds/reserve.ts";
import type { TaxPolicy, YearTotals } from "../../tds/index.ts";
import { describeStop, readAccountStops, type AccountStop } from "./account-holds.ts";
import { readUncovered, type Uncovered, type UncoveredCode } from "./approval-covers.ts";
import { heldAmong, heldMessage, ON_HOLD, type HeldPayout } from "./on-hold.ts";
import { organizationNetRefusal, refusalsOfOrganizations } from "./organization-rules.ts";
import { modeFor, readPayee, readPayees, type Payee } from "./payee.ts";
import type { PayoutMode } from "../../provider/index.ts";

/** A payout in processing whose tax is assessed and reserved. */
export interface TaxedPayout {
  id: string;
  consultantId: string;
  /** The payee's organization, if there is one. */
  organizationId: string | null;
  /** Tax base: the buyers' price without GST. */
  grossPaise: Paise;
  amountPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
}

/** A payout that this run holds, taxed, with the account to which it goes. */
export interface ClaimedPayout extends TaxedPayout, Payee {}

/** A due payout, as a claim wins it and a plan reads it. */
export interface DuePayoutRow {
  payoutId: string;
  consultantId: string;
  organizationId: string | null;
  currency: string;
  grossPaise: bigint;
  amountPaise: bigint;
}

/** An earning in a payout: the rest of its amount, and whether the payout's item agrees. */
interface HeldEarning extends CreditedEarning {
  isCopied: boolean;
}

/** The facts for the decision on a claim. */
interface ClaimFacts {
  /** By consultant. */
  stops: ReadonlyMap<string, AccountStop>;
  refusals: ReadonlyMap<string, { code: string; message: string }>;
  /** By consultant. */
  payees: ReadonlyMap<string, Payee>;
  uncovered: ReadonlyMap<string, Uncovered>;
  credits: ReadonlyMap<string, readonly HeldEarning[]>;
  /** By consultant. */
  taxStates: ReadonlyMap<string, PayeeTaxState>;
}

/**
 * Reads the facts for the decision on these payouts. `lock`: a claim locks the tax profiles, a dry run does not.
 */
export async function readFacts(
  tx: DbSession,
  rows: readonly DuePayoutRow[],
  { lock }: { lock: boolean },
): Promise<ClaimFacts> {
  const ofOrganizations = rows.filter(({ organizationId }) => organizationId !== null);
  const refusals = await refusalsOfOrganizations(tx, ofOrganizations);
  const consultantIds = rows.map(({ consultantId }) => consultantId);
  const stops = await readAccountStops(tx, consultantIds);
  const payees = await readPayees(tx, consultantIds);
  const payoutIds = rows.map(({ payoutId }) => payoutId);
  const uncovered = await readUncovered(tx, payoutIds);
  const credits = await creditsOfAll(tx, payoutIds);
  const taxStates = await readPayeeTaxStates(tx, {
    payees: rows.map(({ payoutId, consultantId }) => ({
      consultantId,
      credits: credits.get(payoutId) ?? [],
    })),
    lock,
  });
  return { stops, refusals, payees, uncovered, credits, taxStates };
}

/** A person has to look at it again: see `approval-covers.ts`. */
export interface NotCovered {
  kind: "uncovered";
  code: UncoveredCode;
  message: string;
  detail: Uncovered["detail"];
}

/** The decision on one payout: the same in a run and in a dry run. */
export type Decision =
  | { kind: "refused"; payoutId: string; code: string; message: string }
  | { kind: "held"; payoutId: string; code: string; message: string }
  | ({ payoutId: string; organizationId: string | null } & NotCovered)
  | ({
      kind: "claimed";
      payout: ClaimedPayout;
      /** The person taxed, and the years of that person with this payout in them. */
      taxpayerId: string;
      years: readonly YearTotals[];
      /** Undefined when tax takes all of it. */
      mode: PayoutMode | undefined;
    } & AssessedPayout);

/**
 * Decides on the given facts; pure. A claim and a plan both call this. @throws {AfterhoursError}
 * `PAYOUT_ITEMS_DISAGREE`
 */
export function decide(
  claimed: DuePayoutRow,
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
  const uncovered = notCovered(facts.uncovered.get(payoutId));
  if (uncovered) return { payoutId, organizationId, ...uncovered };
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
  const { taxPaise, lines, years } = assessed;
  const netPaise = row.amountPaise - taxPaise;
  const nothing = organizationNetRefusal({ organizationId, netPaise });
  if (nothing) return refuse(nothing);
  // Before its tax is reserved: a payout that cannot be sent must not count for the payee's next payout.
  const choice = modeOf({ netPaise }, payee);
  if (!choice.ok) return refuse(choice);
  const payout: ClaimedPayout = {
    ...payee,
    ...row,
    id: payoutId,
    consultantId,
    organizationId,
    taxPaise,
    netPaise,
  };
  const { taxpayerId, profile: identity } = state;
  const { mode } = choice;
  return {
    kind: "claimed",
    payoutId,
    consultantId,
    identity,
    lines,
    payout,
    taxpayerId,
    years,
    mode,
  };
}

function notCovered(uncovered: Uncovered | undefined): NotCovered | undefined {
  const code = uncovered?.codes[0];
  if (!uncovered || code === undefined) return undefined;
  const { message, detail } = uncovered;
  return { kind: "uncovered", code, message, detail };
}

/** The decision on a claim that a dead run left. Its tax is assessed and reserved already. */
export type TakeOverDecision =
  | { kind: "refused" | "held"; code: string; message: string }
  | NotCovered
  | { kind: "claimed"; payout: ClaimedPayout; mode: PayoutMode | undefined };

/** As `decide`, for a claim that is taken over; pure. A run and a dry run both call this. */
export function decideTakeOver(
  taxed: TaxedPayout,
  { held, stop, payee, uncovered }: TakeOverFacts,
): TakeOverDecision {
  if (held) return { kind: "held", code: ON_HOLD, message: heldMessage(held) };
  if (stop) return { kind: "held", ...describeStop(stop) };
  const withdrawn = notCovered(uncovered);
  if (withdrawn) return withdrawn;
  if (!payee) return { kind: "refused", ...NO_ACCOUNT };
  const choice = modeOf(taxed, payee);
  if (!choice.ok) return { kind: "refused", code: choice.code, message: choice.message };
  return { kind: "claimed", payout: { ...payee, ...taxed }, mode: choice.mode };
}

export interface TakeOverFacts {
  held: HeldPayout | undefined;
  stop: AccountStop | undefined;
  payee: Payee | undefined;
  uncovered: Uncovered | undefined;
}

/** Reads the facts for the decision on a claim that is taken over. */
export async function readTakeOverFacts(
  tx: DbSession,
  { id, consultantId }: Pick<TaxedPayout, "id" | "consultantId">,
): Promise<TakeOverFacts> {
  return {
    held: (await heldAmong(tx, [id])).get(id),
    stop: (await readAccountStops(tx, [consultantId])).get(consultantId),
    payee: await readPayee(tx, consultantId),
    uncovered: (await readUncovered(tx, [id])).get(id),
  };
}

/** No mode where tax takes all of it: nothing is sent. */
function modeOf(
  { netPaise }: Pick<TaxedPayout, "netPaise">,
  payee: Payee,
): ReturnType<typeof modeFor> | { ok: true; mode: undefined } {
  return netPaise > 0n ? modeFor(payee, netPaise) : { ok: true, mode: undefined };
}

/** A payee without an active account cannot be paid, even after the claim. */
const NO_ACCOUNT = {
  code: "NO_PAYOUT_ACCOUNT",
  message: "the payee has no active payout account",
} as const;

/**
 * The earnings of payouts with their remaining amounts, for the tax engine; by payout. The amounts come from the
 * earnings: the items are a copy, written by the code that made the payout.
 */
async function creditsOfAll(
  tx: DbSession,
  payoutIds: readonly string[],
): Promise<Map<string, HeldEarning[]>> {
  const rows = await tx.query<(HeldEarning & { payoutId: string })[]>`
    SELECT item.payout_id AS "payoutId", item.earning_id AS "earningId",
           earning.credited_on::text AS "creditedOn", net.gross_paise AS "grossPaise",
           net.amount_paise AS "amountPaise",
           (item.gross_paise, item.amount_paise) = (net.gross_paise, net.amount_paise) AS "isCopied"
    FROM payout_items AS item
    JOIN earnings AS earning ON earning.id = item.earning_id
    JOIN earnings_net AS net ON net.earning_id = item.earning_id
    WHERE item.payout_id = ANY(${payoutIds}::uuid[]) AND item.released_at IS NULL
    ORDER BY earning.credited_on, item.earning_id`;
  const credits = new Map<string, HeldEarning[]>();
  for (const { payoutId, ...credit } of rows) {
    requireDay(credit.creditedOn);
    const own = credits.get(payoutId);
    if (own) own.push(credit);
    else credits.set(payoutId, [credit]);
  }
  return credits;
}

/**
 * A payout that is not the sum of its earnings must not be paid by anybody.
 *
 * @throws {AfterhoursError} `PAYOUT_ITEMS_DISAGREE`
 */
function assertItemsMakeUp(
  payout: Pick<DuePayoutRow, "amountPaise" | "grossPaise">,
  credits: readonly HeldEarning[],
): void {
  const grossPaise = credits.reduce((sum, credit) => sum + credit.grossPaise, 0n);
  const amountPaise = credits.reduce((sum, credit) => sum + credit.amountPaise, 0n);
  if (grossPaise === payout.grossPaise && amountPaise === payout.amountPaise) {
    if (credits.every(({ isCopied }) => isCopied)) return;
    throw itemsDisagree("its items add up to its earnings, but one by one they differ from them");
  }
  throw itemsDisagree(
    `the payout says ${formatRupees(payout.amountPaise)} of ${formatRupees(payout.grossPaise)} gross, ` +
      `its earnings ${formatRupees(amountPaise)} of ${formatRupees(grossPaise)}`,
  );
}

function itemsDisagree(message: string): AfterhoursError {
  return new AfterhoursError("PAYOUT_ITEMS_DISAGREE", message, {
    remedy:
      "Find out who changed the payout or its items; it stays approved and unpaid until they agree.",
  });
}

/** The error of a claim that was rolled back, as the reason of a refusal. */
export function refusalOf({ code, message, remedy }: AfterhoursError): {
  code: string;
  message: string;
} {
  return { code, message: `${message}. ${remedy ?? ""}`.trim() };
}

import type { DbSession } from "../../db/client.ts";
import { AfterhoursError } from "../../support/errors.ts";
import type { Paise } from "../../support/money.ts";
import type { PayeeTaxState } from "../../tds/reserve.ts";
import type { TaxPolicy, YearTotals } from "../../tds/index.ts";
import {
  decide,
  decideTakeOver,
  readFacts,
  readTakeOverFacts,
  refusalOf,
  type Decision,
  type DuePayoutRow,
  type TakeOverDecision,
} from "./decide.ts";
import { heldAmong, heldMessage, ON_HOLD } from "./on-hold.ts";

export interface Amounts {
  amountPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
  grossPaise: Paise;
}

/** A run's plan for one payout. */
export type Plan =
  | ({ kind: "send"; mode: string } & Amounts)
  | { kind: "refuse"; code: string; message: string }
  /** Nothing may be sent to the payee now, or a person has to look at the payout again. */
  | { kind: "hold"; code: string; message: string };

/**
 * Reads as a claim does, without its locks, and lets the same function decide; writes nothing. The tax that a
 * run would reserve for one payout counts for the next of the same person, so the years are carried in memory.
 */
export function createPlanner(ports: {
  db: DbSession;
  settings: { tax: TaxPolicy };
}): (unit: { id: string; claimedBy?: string }) => Promise<Plan> {
  const { db } = ports;
  /** By the person taxed. */
  const assessedYears = new Map<string, readonly YearTotals[]>();

  return async ({ id: payoutId, claimedBy }) => {
    const [payout] = await db.query<(DuePayoutRow & { taxPaise: Paise | null })[]>`
      SELECT id AS "payoutId", consultant_id AS "consultantId", organization_id AS "organizationId",
             currency::text AS currency, gross_paise AS "grossPaise", amount_paise AS "amountPaise",
             tax_paise AS "taxPaise"
      FROM payouts WHERE id = ${payoutId}::uuid`;
    if (!payout) {
      return { kind: "refuse", code: "CLAIMED_ELSEWHERE", message: "it is no longer there" };
    }
    const { taxPaise, ...row } = payout;
    // Left behind by a run that died: its tax was assessed and reserved at the claim.
    if (claimedBy !== undefined && taxPaise !== null) return planTakeOver(db, row, taxPaise);
    const held = (await heldAmong(db, [payoutId])).get(payoutId);
    if (held) return { kind: "hold", code: ON_HOLD, message: heldMessage(held) };

    const facts = await readFacts(db, [row], { lock: false });
    const taxStates = withYears(facts.taxStates, assessedYears);
    const decision = decideOrRefuse(row, {
      facts: { ...facts, taxStates },
      tax: ports.settings.tax,
    });
    if (decision.kind === "claimed") {
      const { taxpayerId, years } = decision;
      assessedYears.set(taxpayerId, withAssessed(assessedYears.get(taxpayerId) ?? [], years));
    }
    return planOf(decision);
  };
}

function planOf(decision: Decision | TakeOverDecision): Plan {
  if (decision.kind !== "claimed") {
    const { kind, code, message } = decision;
    return { kind: kind === "refused" ? "refuse" : "hold", code, message };
  }
  const { grossPaise, amountPaise, taxPaise, netPaise } = decision.payout;
  return {
    kind: "send",
    mode: decision.mode ?? "none",
    grossPaise,
    amountPaise,
    taxPaise,
    netPaise,
  };
}

/** A claim whose items disagree is rolled back; the plan says why. */
function decideOrRefuse(...[row, basis]: Parameters<typeof decide>): Decision {
  try {
    return decide(row, basis);
  } catch (error) {
    if (!(error instanceof AfterhoursError)) throw error;
    return { kind: "refused", payoutId: row.payoutId, ...refusalOf(error) };
  }
}

/** As `takeOverClaim`, without its locks. */
async function planTakeOver(
  db: DbSession,
  { payoutId: id, ...row }: DuePayoutRow,
  taxPaise: Paise,
): Promise<Plan> {
  const taxed = { ...row, id, taxPaise, netPaise: row.amountPaise - taxPaise };
  return planOf(decideTakeOver(taxed, await readTakeOverFacts(db, taxed)));
}

/** The tax states with the years that this plan has assessed already. */
function withYears(
  states: ReadonlyMap<string, PayeeTaxState>,
  assessed: ReadonlyMap<string, readonly YearTotals[]>,
): ReadonlyMap<string, PayeeTaxState> {
  return new Map(
    [...states].map(([consultantId, state]) => [
      consultantId,
      { ...state, years: withAssessed(state.years, assessed.get(state.taxpayerId)) },
    ]),
  );
}

/** The years of `base`, replaced or completed by those that this run has assessed already. */
function withAssessed(
  base: readonly YearTotals[],
  assessed: readonly YearTotals[] = [],
): YearTotals[] {
  const years = new Map(base.map((year) => [year.fiscalYear, year]));
  for (const year of assessed) years.set(year.fiscalYear, year);
  return [...years.values()];
}

import type { DbSession } from "../../db/client.ts";
import { AfterhoursError } from "../../support/errors.ts";
import type { Paise } from "../../support/money.ts";
import type { PayeeTaxState } from "../../tds/reserve.ts";
import type { TaxPolicy, YearTotals } from "../../tds/index.ts";
import { describeStop, readAccountStops } from "./account-holds.ts";
import {
  decide,
  NO_ACCOUNT,
  readFacts,
  refusalOf,
  type Decision,
  type DuePayoutRow,
} from "./decide.ts";
import { heldAmong, heldMessage, ON_HOLD } from "./on-hold.ts";
import { modeFor, readPayee } from "./payee.ts";

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
  /** Nothing may be sent to the payee now. */
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
    if (!payout) return refuse("CLAIMED_ELSEWHERE", "it is no longer there");
    const { taxPaise, ...row } = payout;
    const held = (await heldAmong(db, [payoutId])).get(payoutId);
    if (held) return { kind: "hold", code: ON_HOLD, message: heldMessage(held) };
    // Left behind by a run that died: its tax was assessed and reserved at the claim.
    if (claimedBy !== undefined && taxPaise !== null) return takenOver(db, row, taxPaise);

    const facts = await readFacts(db, [row], { lock: false });
    const taxStates = withYears(facts.taxStates, assessedYears);
    const decision = decideOrRefuse(row, {
      facts: { ...facts, taxStates },
      tax: ports.settings.tax,
    });
    switch (decision.kind) {
      case "refused":
        return refuse(decision.code, decision.message);
      case "held":
        return { kind: "hold", code: decision.code, message: decision.message };
      case "claimed": {
        const { payout: planned, mode = "none", taxpayerId, years } = decision;
        assessedYears.set(taxpayerId, withAssessed(assessedYears.get(taxpayerId) ?? [], years));
        const { grossPaise, amountPaise, netPaise } = planned;
        return {
          kind: "send",
          mode,
          grossPaise,
          amountPaise,
          taxPaise: planned.taxPaise,
          netPaise,
        };
      }
    }
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

/** As `takeOverClaim` and the steps after it. */
async function takenOver(
  db: DbSession,
  { consultantId, amountPaise, grossPaise }: DuePayoutRow,
  taxPaise: Paise,
): Promise<Plan> {
  const stop = (await readAccountStops(db, [consultantId])).get(consultantId);
  if (stop) return { kind: "hold", ...describeStop(stop) };
  const payee = await readPayee(db, consultantId);
  if (!payee) return refuse(NO_ACCOUNT.code, NO_ACCOUNT.message);
  const netPaise = amountPaise - taxPaise;
  const choice = netPaise > 0n ? modeFor(payee, netPaise) : undefined;
  if (choice && !choice.ok) return refuse(choice.code, choice.message);
  const mode = choice?.mode ?? "none";
  return { kind: "send", mode, amountPaise, grossPaise, taxPaise, netPaise };
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

function refuse(code: string, message: string): Plan {
  return { kind: "refuse", code, message };
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

import type { DbSession } from "../db/client.ts";
import { AfterhoursError } from "../support/errors.ts";
import { assessPayee, readPayeeTaxState, type PayeeTax } from "../tds/reserve.ts";
import type { YearTotals } from "../tds/index.ts";
import { describeStop, readAccountStops } from "./account-holds.ts";
import { assertItemsMakeUp, creditsOf, refusalOf } from "./claim.ts";
import { organizationNetRefusal, refusalOfOrganization } from "./organization-rules.ts";
import { heldAmong, heldMessage, ON_HOLD } from "./on-hold.ts";
import { modeFor, readPayee, type Payee } from "./payee.ts";
import type { PayeeKind } from "./kind.ts";
import { countItem, countPaid, countsOf, type Amounts, type PayoutRunReport } from "./report.ts";
import type { PayoutSettings } from "./settings.ts";
import type { Unit } from "./unit.ts";

/** What a run would do with one payout. */
export type Plan =
  | ({ kind: "send"; mode: string } & Amounts)
  | { kind: "refuse"; code: string; message: string }
  /** Nothing may be sent to the payee now. */
  | { kind: "hold"; code: string; message: string };

/** Adds one plan to the counts of a dry run. */
export function countPlan(
  report: PayoutRunReport,
  { payoutId, kind }: { payoutId: string; kind: PayeeKind },
  plan: Plan,
): void {
  const counts = countsOf(report, kind);
  if (plan.kind === "hold") {
    countItem(counts, { payoutId, outcome: "skipped", code: plan.code, message: plan.message });
    return;
  }
  if (plan.kind === "refuse") {
    countItem(counts, { payoutId, outcome: "failed", code: plan.code, message: plan.message });
    counts.processed--;
    return;
  }
  countPaid(counts, "planned", plan);
  const { mode, amountPaise, taxPaise, netPaise } = plan;
  report.plan.push({ payoutId, mode, amountPaise, taxPaise, netPaise });
}

/**
 * Decides as a run would, on the same rows, and writes nothing. What a run would reserve for one payout
 * counts for the next of the same person, so totals are carried along here in memory.
 */
export function createPlanner(ports: {
  db: DbSession;
  settings: Pick<PayoutSettings, "tax">;
}): (unit: Pick<Unit, "id" | "claimedBy">) => Promise<Plan> {
  /** By the person taxed. */
  const assessedYears = new Map<string, readonly YearTotals[]>();

  return async ({ id: payoutId, claimedBy }) => {
    const [payout] = await ports.db.query<
      {
        consultantId: string;
        organizationId: string | null;
        currency: string;
        grossPaise: bigint;
        amountPaise: bigint;
        taxPaise: bigint | null;
      }[]
    >`
      SELECT consultant_id AS "consultantId", organization_id AS "organizationId",
             currency::text AS currency, gross_paise AS "grossPaise", amount_paise AS "amountPaise",
             tax_paise AS "taxPaise"
      FROM payouts WHERE id = ${payoutId}::uuid`;
    if (!payout) return refuse("CLAIMED_ELSEWHERE", "it is no longer there");
    const held = (await heldAmong(ports.db, [payoutId])).get(payoutId);
    if (held) return { kind: "hold", code: ON_HOLD, message: heldMessage(held) };
    const { consultantId, organizationId, grossPaise, amountPaise } = payout;
    const stop = (await readAccountStops(ports.db, [consultantId])).get(consultantId);
    if (stop) return { kind: "hold", ...describeStop(stop) };
    if (payout.currency !== "INR") {
      return refuse(
        "CURRENCY_NOT_SUPPORTED",
        `the currency is ${payout.currency}; only INR can be paid`,
      );
    }
    const isAbandoned = claimedBy !== undefined && payout.taxPaise !== null;
    if (organizationId !== null && !isAbandoned) {
      const wrong = await refusalOfOrganization(ports.db, { payoutId, ...payout });
      if (wrong) return refuse(wrong.code, wrong.message);
    }
    const payee = await readPayee(ports.db, consultantId);
    if (!payee) return refuse("NO_PAYOUT_ACCOUNT", "the payee has no active payout account");
    // Left behind by a run that died: its tax was assessed and reserved at the claim.
    if (claimedBy !== undefined && payout.taxPaise !== null)
      return send(payee, { amountPaise, grossPaise, taxPaise: payout.taxPaise });

    const credits = await creditsOf(ports.db, payoutId);
    const state = await readPayeeTaxState(ports.db, { consultantId, credits, lock: false });
    if (!state)
      return refuse(
        "NO_TAX_PROFILE",
        "the payee has no tax profile, so the tax can not be assessed",
      );
    try {
      assertItemsMakeUp(payout, credits);
    } catch (error) {
      if (error instanceof AfterhoursError) return { kind: "refuse", ...refusalOf(error) };
      throw error;
    }
    const years = withAssessed(state.years, assessedYears.get(state.taxpayerId));
    const tax: PayeeTax = assessPayee({ ...state, years }, credits, ports.settings.tax);
    if (!tax.ok) return refuse(tax.error.code, tax.error.message);
    const netPaise = amountPaise - tax.taxPaise;
    const nothing = organizationNetRefusal({ organizationId, netPaise });
    if (nothing) return refuse(nothing.code, nothing.message);

    const plan = send(payee, { amountPaise, grossPaise, taxPaise: tax.taxPaise });
    if (plan.kind === "send") {
      const assessed = withAssessed(assessedYears.get(state.taxpayerId) ?? [], tax.years);
      assessedYears.set(state.taxpayerId, assessed);
    }
    return plan;
  };
}

function send(payee: Payee, amounts: Omit<Amounts, "netPaise">): Plan {
  const netPaise = amounts.amountPaise - amounts.taxPaise;
  if (netPaise === 0n) return { kind: "send", mode: "none", netPaise, ...amounts };
  const choice = modeFor(payee, netPaise);
  if (!choice.ok) return refuse(choice.code, choice.message);
  return { kind: "send", mode: choice.mode, netPaise, ...amounts };
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

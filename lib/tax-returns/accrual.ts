import type { DbSession } from "../db/client.ts";
import type { Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import type { YearTotals } from "../tds/assess-credits.ts";
import type { TaxPolicy } from "../tds/policy.ts";
import type { TaxSettings } from "../tds/settings.ts";
import { assessPayee, readPayeeTaxStates, type PayeeTaxState } from "../tds/reserve.ts";
import {
  consultantsWithUnpaidCredits,
  readUnpaidCredits,
  type UnpaidCredit,
} from "./unpaid-credits.ts";

/** Tax on a credit that is not paid yet. It is due by the day of the credit all the same. */
export interface AccruedTax {
  consultantId: string;
  earningId: string;
  creditedOn: Day;
  section: string;
  code: string;
  grossPaise: Paise;
  rateBps: number;
  taxPaise: Paise;
  reason: string;
  certificateId: string | null;
  /** The payout that is in flight with it; null: no payout has been claimed with it yet. */
  payoutId: string | null;
}

/** Credits on which the tax can not be said, so that they can not be paid either. */
export interface Unassessed {
  consultantId: string;
  code: string;
  message: string;
  credits: number;
  grossPaise: Paise;
}

export interface Accrual {
  lines: readonly AccruedTax[];
  unassessed: readonly Unassessed[];
}

/** Payees that are read at once. */
const PAGE = 200;

/**
 * The tax on all credits that are not paid yet, by the rules of the payout run. It uses the payee's year as it
 * is now, with certificates, exemption and carried tax, and ignores the available money. Payouts in flight count
 * with their reserved tax. Once a payout is completed, its tax is withheld and no longer accrued. Reads only.
 */
export async function readAccrual(
  db: DbSession,
  { tax: policy, refundBase }: TaxSettings,
): Promise<Accrual> {
  const lines = await readReserved(db);
  const unassessed: Unassessed[] = [];
  const consultantIds = await consultantsWithUnpaidCredits(db);
  const assessedYears = new Map<string, readonly YearTotals[]>();
  for (let from = 0; from < consultantIds.length; from += PAGE) {
    const page = consultantIds.slice(from, from + PAGE);
    const payees = byConsultant(await readUnpaidCredits(db, page, refundBase));
    const states = await readPayeeTaxStates(db, { payees, lock: false });
    for (const { consultantId, credits } of payees) {
      const state = states.get(consultantId);
      const person = state?.taxpayerId ?? consultantId;
      const result = assessUnpaid(state, { credits, policy, earlier: assessedYears.get(person) });
      if ("code" in result) {
        const grossPaise = credits.reduce((sum, credit) => sum + credit.grossPaise, 0n);
        unassessed.push({ consultantId, ...result, credits: credits.length, grossPaise });
        continue;
      }
      assessedYears.set(person, withYears(assessedYears.get(person), result.years));
      for (const { key, rateDate, ...line } of result.lines) {
        lines.push({
          ...line,
          consultantId,
          earningId: key,
          creditedOn: rateDate,
          payoutId: null,
        });
      }
    }
  }
  return { lines, unassessed };
}

/**
 * More than any tax. Tax is due by the day of the credit, also on a sale that the buyer paid to the consultant
 * directly, which brings no money. Only the tax that a payout withholds is bounded by its money.
 */
const WHATEVER_IS_IN_HAND = 10n ** 15n;

function assessUnpaid(
  state: PayeeTaxState | undefined,
  {
    credits,
    policy,
    earlier,
  }: {
    credits: readonly UnpaidCredit[];
    policy: TaxPolicy;
    earlier: readonly YearTotals[] | undefined;
  },
): { code: string; message: string } | Extract<ReturnType<typeof assessPayee>, { ok: true }> {
  const foreign = credits.find(({ currency }) => currency !== "INR");
  if (foreign) {
    const message = `a credit is in ${foreign.currency}; only INR can be paid and taxed`;
    return { code: "CURRENCY_NOT_SUPPORTED", message };
  }
  if (!state) return { code: "NO_TAX_PROFILE", message: "the payee has no tax profile" };
  const owed = credits.map((credit) => ({ ...credit, amountPaise: WHATEVER_IS_IN_HAND }));
  const tax = assessPayee({ ...state, years: withYears(state.years, earlier) }, owed, policy);
  return tax.ok ? tax : tax.error;
}

/** The years of `base`, replaced or completed by those that were assessed since. */
function withYears(
  base: readonly YearTotals[] = [],
  assessed: readonly YearTotals[] = [],
): YearTotals[] {
  const years = new Map(base.map((year) => [year.fiscalYear, year]));
  for (const year of assessed) years.set(year.fiscalYear, year);
  return [...years.values()];
}

function byConsultant(
  credits: readonly UnpaidCredit[],
): { consultantId: string; credits: UnpaidCredit[] }[] {
  const grouped = new Map<string, UnpaidCredit[]>();
  for (const credit of credits) {
    const own = grouped.get(credit.consultantId);
    if (own) own.push(credit);
    else grouped.set(credit.consultantId, [credit]);
  }
  return [...grouped].map(([consultantId, own]) => ({ consultantId, credits: own }));
}

/** The reserved tax of payouts in flight. */
async function readReserved(db: DbSession): Promise<AccruedTax[]> {
  return db.query<AccruedTax[]>`
    SELECT consultant_id AS "consultantId", earning_id AS "earningId", credited_on::text AS "creditedOn",
           section, code, gross_paise AS "grossPaise", rate_bps AS "rateBps", tax_paise AS "taxPaise",
           reason, certificate_id AS "certificateId", payout_id AS "payoutId"
    FROM tax_deductions AS line
    WHERE status = 'RESERVED' AND reverses_id IS NULL
      AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)
    ORDER BY sequence`;
}

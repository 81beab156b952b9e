import type { DbSession } from "../../db/client.ts";
import { sumPaise, type Paise } from "../../support/money.ts";
import { emptyYear } from "../assess-credits.ts";
import { covers } from "../certificate.ts";
import type { TaxPolicy } from "../policy.ts";
import {
  assessPayee,
  readPayeeTaxStates,
  type CreditedEarning,
  type PayeeTaxState,
} from "../reserve.ts";

/** A payee's year in which tax was taken at the higher rate, and whose PAN counts for these credits now. */
export interface HigherRateTaken {
  payeeRef: string;
  payeeName: string;
  fiscalYear: number;
  credits: number;
  grossPaise: Paise;
  /** Taken at the higher rate. */
  takenPaise: Paise;
  /** How much less the year would owe with the PAN as it is now. */
  differencePaise: Paise;
  /** `relief`: days of relief cover the credits. `pan-valid-now`: the PAN counts now, and no relief is recorded. */
  cause: "relief" | "pan-valid-now";
}

interface Line extends CreditedEarning {
  consultantId: string;
  payeeRef: string;
  payeeName: string;
  fiscalYear: number;
  taxPaise: Paise;
  isHigherRate: boolean;
}

/**
 * Payees taxed at the higher rate for want of a PAN that counts now: it became operative within the days of a
 * circular, or is valid by now. No job gives this tax back, so the case is shown with its amount.
 */
export async function readHigherRateTaken(
  db: DbSession,
  policy: TaxPolicy,
): Promise<HigherRateTaken[]> {
  const payees = [...grouped(await readLines(db), ({ consultantId }) => consultantId)].map(
    ([consultantId, credits]) => ({ consultantId, credits }),
  );
  const states = await readPayeeTaxStates(db, { payees, lock: false });
  return payees.flatMap(({ consultantId, credits }) => {
    const state = states.get(consultantId);
    if (!state) return [];
    const years = grouped(credits, ({ fiscalYear }) => fiscalYear);
    return [...years].flatMap(([, ofYear]) => ofPayeeYear(state, ofYear, policy));
  });
}

/** The excess of one year of one payee; empty without an excess, or where the year cannot be assessed. */
function ofPayeeYear(
  state: PayeeTaxState,
  lines: readonly Line[],
  policy: TaxPolicy,
): HigherRateTaken[] {
  const { panRelief, panStatus } = state.profile;
  const isRelieved = ({ creditedOn }: Line): boolean =>
    panRelief !== undefined && covers(panRelief, creditedOn);
  const counted = lines.filter(
    (line) => line.isHigherRate && (panStatus === "valid" || isRelieved(line)),
  );
  const [first] = counted;
  if (!first) return [];
  const now = assessPayee({ ...state, years: [emptyYear(first.fiscalYear)] }, lines, policy);
  const taken = sumPaise(lines.map(({ taxPaise }) => taxPaise));
  if (!now.ok || taken <= now.taxPaise) return [];
  return [
    {
      payeeRef: first.payeeRef,
      payeeName: first.payeeName,
      fiscalYear: first.fiscalYear,
      credits: counted.length,
      grossPaise: sumPaise(counted.map(({ grossPaise }) => grossPaise)),
      takenPaise: sumPaise(counted.map(({ taxPaise }) => taxPaise)),
      differencePaise: taken - now.taxPaise,
      cause: counted.some(isRelieved) ? "relief" : "pan-valid-now",
    },
  ];
}

function grouped<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** All lines that count, of the years in which one of a payee with a PAN was taxed at the higher rate. */
async function readLines(db: DbSession): Promise<Line[]> {
  return db.query<Line[]>`
    WITH counting AS (
      SELECT line.* FROM tax_deductions AS line
      -- Taken for want of any PAN it was right, and stays when one is furnished later.
      WHERE line.reverses_id IS NULL AND line.pan_status IS DISTINCT FROM 'missing'
        AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id)
    ), years AS (
      SELECT DISTINCT line.consultant_id, line.fiscal_year
      FROM counting AS line JOIN tax_profiles AS profile ON profile.consultant_id = line.consultant_id
      WHERE line.reason = 'no-pan' AND line.tax_paise > 0 AND profile.pan_status <> 'missing'
        AND (profile.pan_status = 'valid'
             OR line.credited_on BETWEEN profile.pan_relief_from AND profile.pan_relief_to)
    )
    SELECT line.consultant_id AS "consultantId", payee.external_ref AS "payeeRef", payee.name AS "payeeName",
           line.earning_id AS "earningId", line.fiscal_year AS "fiscalYear",
           line.credited_on::text AS "creditedOn", line.gross_paise AS "grossPaise",
           line.gross_paise AS "amountPaise", line.tax_paise AS "taxPaise",
           line.reason = 'no-pan' AS "isHigherRate"
    FROM years
    JOIN counting AS line USING (consultant_id, fiscal_year)
    JOIN consultants AS payee ON payee.id = line.consultant_id
    ORDER BY payee.external_ref, line.fiscal_year, line.sequence`;
}

import type { DbSession } from "../db/client.ts";
import { fiscalYearOf, type Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import { readTaxpayerProfiles, type TaxpayerProfile } from "./payee-state.ts";
import type { TaxPolicy } from "./policy.ts";
import { replayLines, type RecordedLine } from "./replay.ts";

/** A person's year in which other tax was withheld than the engine gives. */
interface TaxDifference {
  fiscalYear: number;
  /** The codes of the person's consultants, sorted. */
  consultants: readonly string[];
  expectedPaise: Paise;
  actualPaise: Paise;
}

/** People whose lines are in memory at a time. */
const PAGE = 500;

/**
 * The years whose tax can still be put right in a statement: the one that runs, and until 31 May, when the
 * statement of its last quarter is due, the one before.
 */
function openYears(today: Day): number[] {
  const year = fiscalYearOf(today);
  return today <= `${year}-05-31` ? [year - 1, year] : [year];
}

/**
 * Assesses the tax of the open years again with today's engine, and returns the people with a different withheld
 * amount. Reads only. `signal` ends it between two pages: undefined then.
 */
export async function recheckTax(
  tx: DbSession,
  { today, policy, signal }: { today: Day; policy: TaxPolicy; signal: AbortSignal },
): Promise<TaxDifference[] | undefined> {
  const years = openYears(today);
  const people = await peopleOf(tx, years);
  const found: TaxDifference[] = [];
  for (let start = 0; start < people.length; start += PAGE) {
    if (signal.aborted) return undefined;
    found.push(...(await recheckPage(tx, people.slice(start, start + PAGE), { years, policy })));
  }
  return found;
}

/** One consultant of each person with assessed tax in these years. */
async function peopleOf(tx: DbSession, years: readonly number[]): Promise<string[]> {
  const rows = await tx.query<{ consultantId: string }[]>`
    SELECT DISTINCT ON (COALESCE(profile.pan, assessed.consultant_id::text))
           assessed.consultant_id AS "consultantId"
    FROM (
      SELECT DISTINCT consultant_id FROM tax_deductions WHERE fiscal_year = ANY(${years}::int[])
    ) AS assessed
    JOIN tax_profiles AS profile ON profile.consultant_id = assessed.consultant_id
    ORDER BY COALESCE(profile.pan, assessed.consultant_id::text), assessed.consultant_id`;
  return rows.map(({ consultantId }) => consultantId).toSorted();
}

async function recheckPage(
  tx: DbSession,
  consultantIds: readonly string[],
  { years, policy }: { years: readonly number[]; policy: TaxPolicy },
): Promise<TaxDifference[]> {
  const people = await readTaxpayerProfiles(tx, { consultantIds, lock: false });
  const members = [...people.values()].flatMap((person) => person.members);
  const lines = await readLines(tx, members, years);
  const different = [...people.values()].flatMap((person) =>
    replayLines(linesOf(person, lines), { ...person, years: new Set(years) }, policy).map(
      (difference) => ({ ...difference, members: person.members }),
    ),
  );
  if (different.length === 0) return [];
  const codes = await codesOf(
    tx,
    different.flatMap((each) => each.members),
  );
  return different.map(({ members: ids, ...difference }) => ({
    ...difference,
    consultants: ids.map((id) => codes.get(id) ?? id).toSorted(),
  }));
}

type LineOfConsultant = RecordedLine & { consultantId: string; sequence: bigint };

function linesOf(
  { members }: TaxpayerProfile,
  lines: ReadonlyMap<string, LineOfConsultant[]>,
): LineOfConsultant[] {
  return members
    .flatMap((id) => lines.get(id) ?? [])
    .sort((a, b) => (a.sequence < b.sequence ? -1 : 1));
}

/** With lines of other years whose payouts or certificates reach into these. */
async function readLines(
  tx: DbSession,
  consultantIds: readonly string[],
  years: readonly number[],
): Promise<ReadonlyMap<string, LineOfConsultant[]>> {
  const rows = await tx.query<LineOfConsultant[]>`
    SELECT line.id, line.consultant_id AS "consultantId", line.payout_id AS "payoutId",
           payout.amount_paise AS "payoutPaise", line.fiscal_year AS "fiscalYear",
           line.credited_on::text AS "creditedOn", line.gross_paise AS "grossPaise",
           line.tax_paise AS "taxPaise", line.rate_bps AS "rateBps", line.certificate_id AS "certificateId",
           line.certificate_gross_paise AS "certificateGrossPaise", line.pan_status::text AS "panStatus",
           line.aadhaar, line.likely_to_exceed AS "likelyToExceed", line.reverses_id AS "reversesId", line.sequence
    FROM tax_deductions AS line JOIN payouts AS payout ON payout.id = line.payout_id
    WHERE line.consultant_id = ANY(${consultantIds}::uuid[])
      AND (line.fiscal_year = ANY(${years}::int[]) OR line.certificate_id IS NOT NULL
           OR EXISTS (
             SELECT 1 FROM tax_deductions AS beside
             WHERE beside.payout_id = line.payout_id AND beside.fiscal_year = ANY(${years}::int[])))`;
  const lines = new Map<string, LineOfConsultant[]>();
  for (const row of rows) {
    const own = lines.get(row.consultantId);
    if (own) own.push(row);
    else lines.set(row.consultantId, [row]);
  }
  return lines;
}

async function codesOf(
  tx: DbSession,
  consultantIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await tx.query<{ id: string; code: string }[]>`
    SELECT id, external_ref AS code FROM consultants WHERE id = ANY(${consultantIds}::uuid[])`;
  return new Map(rows.map(({ id, code }) => [id, code]));
}

import type { DbSession } from "../db/client.ts";
import { requireDay, type Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import type { TaxSettings } from "../tds/settings.ts";
import { readAccrual, type AccruedTax } from "./accrual.ts";
import { depositDueOn, type Quarter } from "./periods.ts";

/** One line of the deductee register: a credit with the tax on it, or a line that takes one back. */
export interface RegisterLine {
  /** How the marketplace names the payee. */
  payeeRef: string;
  payeeName: string;
  /** Null: none furnished. */
  pan: string | null;
  /** Of the statement: `01` a company, `02` everybody else. */
  deducteeCode: "01" | "02";
  section: string;
  /** Payment code of the statement form. */
  code: string;
  bookingReference: string;
  creditedOn: Day;
  grossPaise: Paise;
  rateBps: number;
  taxPaise: Paise;
  /** `accrued`: the credit is not paid yet, or its payout is in flight. */
  status: "withheld" | "accrued";
  /** The day in India on which it was withheld; null for zero tax and for accrued tax. */
  deductedOn: Day | null;
  depositDueOn: Day;
  /** The reason for this amount of tax. */
  reason: string;
  /** Of the certificate for a lower rate that covers the credit or a part of it. */
  certificateNumber: string | null;
  isReversal: boolean;
  /** Null: in no payout that was claimed. */
  payoutId: string | null;
}

type WithheldRow = Omit<RegisterLine, "depositDueOn" | "status"> & { sequence: bigint };

const PAGE = 1_000;

/**
 * The final deductions on credits of a quarter, in the order in which they were assessed. A deduction and the
 * line that takes all of it back are left out together, unless `all` asks for them; the sums are the same.
 */
export async function* withheldLines(
  db: DbSession,
  { from, to }: Quarter,
  { all }: { all: boolean },
): AsyncGenerator<RegisterLine> {
  for (let after = 0n; ;) {
    const rows = await db.query<WithheldRow[]>`
      SELECT line.sequence, payee.external_ref AS "payeeRef", payee.name AS "payeeName", profile.pan,
             CASE WHEN profile.category = 'company' THEN '01' ELSE '02' END AS "deducteeCode",
             line.section, line.code, earning.booking_reference AS "bookingReference",
             line.credited_on::text AS "creditedOn",
             line.gross_paise AS "grossPaise", line.rate_bps AS "rateBps", line.tax_paise AS "taxPaise",
             CASE WHEN line.tax_paise <> 0
                  THEN (line.created_at AT TIME ZONE 'Asia/Kolkata')::date::text END AS "deductedOn",
             line.reason, certificate.number AS "certificateNumber",
             line.reverses_id IS NOT NULL AS "isReversal", line.payout_id AS "payoutId"
      FROM tax_deductions AS line
      JOIN consultants AS payee ON payee.id = line.consultant_id
      JOIN earnings AS earning ON earning.id = line.earning_id
      LEFT JOIN tax_profiles AS profile ON profile.consultant_id = line.consultant_id
      LEFT JOIN lower_deduction_certificates AS certificate ON certificate.id = line.certificate_id
      WHERE line.status = 'FINAL' AND line.credited_on BETWEEN ${from}::date AND ${to}::date
        AND line.sequence > ${after}
        AND (${all} OR NOT EXISTS (
          SELECT 1 FROM tax_deductions AS other
          WHERE (other.reverses_id = line.id OR other.id = line.reverses_id) AND other.status = 'FINAL'
            AND other.credited_on = line.credited_on
            AND other.gross_paise = -line.gross_paise AND other.tax_paise = -line.tax_paise))
      ORDER BY line.sequence
      LIMIT ${PAGE}`;
    for (const { sequence, ...line } of rows) {
      after = sequence;
      requireDay(line.creditedOn);
      yield { ...line, status: "withheld", depositDueOn: depositDueOn(line.creditedOn) };
    }
    if (rows.length < PAGE) return;
  }
}

/** The credits of a quarter that are not paid yet, by payee and day, each with the tax that is accrued on it. */
export async function accruedLines(
  db: DbSession,
  { from, to }: Quarter,
  settings: TaxSettings,
): Promise<RegisterLine[]> {
  const { lines } = await readAccrual(db, settings);
  const own = lines.filter(({ creditedOn }) => from <= creditedOn && creditedOn <= to);
  const facts = await readFacts(db, own);
  const found = own.flatMap((line): RegisterLine[] => {
    const fact = facts.get(line.earningId);
    if (!fact) return [];
    const { certificates, ...payee } = fact;
    const { creditedOn, certificateId } = line;
    return [
      {
        ...payee,
        section: line.section,
        code: line.code,
        creditedOn,
        grossPaise: line.grossPaise,
        rateBps: line.rateBps,
        taxPaise: line.taxPaise,
        status: "accrued",
        deductedOn: null,
        depositDueOn: depositDueOn(creditedOn),
        reason: line.reason,
        certificateNumber: certificateId === null ? null : (certificates[certificateId] ?? null),
        isReversal: false,
        payoutId: line.payoutId,
      },
    ];
  });
  return found.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey({ payeeRef, creditedOn, bookingReference }: RegisterLine): string {
  return `${payeeRef}|${creditedOn}|${bookingReference}`;
}

type Facts = Pick<
  RegisterLine,
  "payeeRef" | "payeeName" | "pan" | "deducteeCode" | "bookingReference"
> & { certificates: Readonly<Record<string, string>> };

async function readFacts(db: DbSession, lines: readonly AccruedTax[]): Promise<Map<string, Facts>> {
  const rows = await db.query<(Facts & { earningId: string })[]>`
    SELECT earning.id AS "earningId", payee.external_ref AS "payeeRef", payee.name AS "payeeName", profile.pan,
           CASE WHEN profile.category = 'company' THEN '01' ELSE '02' END AS "deducteeCode",
           earning.booking_reference AS "bookingReference",
           COALESCE((SELECT jsonb_object_agg(id, number) FROM lower_deduction_certificates
                     WHERE consultant_id = payee.id), '{}') AS certificates
    FROM earnings AS earning
    JOIN consultants AS payee ON payee.id = earning.consultant_id
    LEFT JOIN tax_profiles AS profile ON profile.consultant_id = payee.id
    WHERE earning.id = ANY(${lines.map(({ earningId }) => earningId)}::uuid[])`;
  return new Map(rows.map(({ earningId, ...facts }) => [earningId, facts]));
}

import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import type { FindingCode } from "../../findings/index.ts";
import { MOST_ROWS } from "./checks.ts";

/** Payees that a person should check. They stay payable. */
interface PayeeNotice {
  /** Their codes, sorted. Nothing else of them is shown: no PAN, no account. */
  consultants: readonly string[];
  /** The facts found, where the code of the check is not enough. */
  what: readonly string[];
}

interface PayeeCheck {
  code: FindingCode;
  /** The problem, as a sentence without its full stop. */
  title: string;
  /** Selects `consultants` and `what` (both text[]) of each thing that is found. */
  found: SqlPart;
}

export interface NoticeOutcome {
  code: FindingCode;
  title: string;
  count: number;
  /** The first, by code. */
  rows: readonly PayeeNotice[];
  /** How many of them nobody has resolved. */
  open: number;
}

/** The category of which the fourth letter of a PAN speaks. */
const CATEGORY_OF_PAN = sql`
  CASE substr(pan, 4, 1) WHEN 'P' THEN 'individual' WHEN 'H' THEN 'huf' WHEN 'C' THEN 'company'
    WHEN 'F' THEN 'firm' ELSE 'other' END`;

export const PAYEE_CHECKS: readonly PayeeCheck[] = [
  {
    code: "PAYEES_SHARE_PAN",
    title: "Payees with one PAN: they are one person and taxed together",
    found: sql`
      SELECT array_agg(consultant.external_ref ORDER BY consultant.external_ref) AS consultants,
             ARRAY[]::text[] AS what
      FROM tax_profiles AS profile JOIN consultants AS consultant ON consultant.id = profile.consultant_id
      WHERE profile.pan IS NOT NULL
      GROUP BY profile.pan HAVING count(*) > 1`,
  },
  {
    code: "PAYEES_SHARE_ACCOUNT",
    title: "Payees who are paid to one bank account or VPA",
    found: sql`
      SELECT array_agg(consultant.external_ref ORDER BY consultant.external_ref) AS consultants,
             ARRAY[]::text[] AS what
      FROM payout_accounts AS account JOIN consultants AS consultant ON consultant.id = account.consultant_id
      WHERE account.active
      GROUP BY account.kind, left(account.ifsc, 4), ltrim(upper(account.account_number), '0'), lower(account.vpa)
      HAVING count(*) > 1`,
  },
  {
    code: "CODES_LOOK_ALIKE",
    title: "Consultant codes that differ only by case or Unicode form",
    found: sql`
      SELECT array_agg(external_ref ORDER BY external_ref) AS consultants, ARRAY[]::text[] AS what
      FROM consultants
      GROUP BY lower(normalize(external_ref, NFC)) HAVING count(*) > 1`,
  },
  {
    code: "TAX_PROFILE_CONTRADICTS",
    title: "Tax profiles that an import would refuse",
    found: sql`
      SELECT ARRAY[consultant.external_ref] AS consultants, array_agg(wrong.what ORDER BY wrong.what) AS what
      FROM (
        SELECT consultant_id, 'aadhaar: only an individual can have one' AS what
        FROM tax_profiles WHERE aadhaar AND category <> 'individual'
        UNION ALL
        SELECT consultant_id, 'category: not the one of which the fourth letter of the PAN speaks'
        FROM tax_profiles WHERE pan IS NOT NULL AND category::text <> ${CATEGORY_OF_PAN}
        UNION ALL
        SELECT consultant_id, 'pan_status: another payee with this PAN has another one'
        FROM tax_profiles AS own
        WHERE EXISTS (
          SELECT 1 FROM tax_profiles AS same
          WHERE same.pan = own.pan AND same.consultant_id <> own.consultant_id
            AND same.pan_status <> own.pan_status)
      ) AS wrong JOIN consultants AS consultant ON consultant.id = wrong.consultant_id
      GROUP BY consultant.external_ref`,
  },
];

/** Looks at all payees. */
export async function runPayeeCheck(
  tx: DbSession,
  { found, code, title }: PayeeCheck,
): Promise<NoticeOutcome> {
  const rows = await tx.query<(PayeeNotice & { count: number })[]>`
    SELECT consultants, what, (count(*) OVER ())::int AS count
    FROM (${found}) AS notice
    ORDER BY consultants
    LIMIT ${MOST_ROWS}`;
  const count = rows[0]?.count ?? 0;
  return {
    code,
    title,
    count,
    open: count,
    rows: rows.map(({ consultants, what }) => ({ consultants, what })),
  };
}

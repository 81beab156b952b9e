import type { DbSession } from "../db/client.ts";
import type { Day } from "../support/calendar.ts";
import { parseChallan } from "./challan-reference.ts";
import type { Quarter } from "./periods.ts";

/** A challan by which tax of a month, section and code was deposited. */
export interface DepositedChallan {
  reference: string;
  /** Null: the reference does not say it. */
  bsrCode: string | null;
  serial: string | null;
  depositedOn: Day;
}

/** Finds the challans of a credit's month, section and code, in the order in which they were deposited. */
export type ChallansOf = (line: {
  creditedOn: Day;
  section: string;
  code: string;
}) => readonly DepositedChallan[];

/** The challans of the months of a quarter. */
export async function readDepositsOf(db: DbSession, { from, to }: Quarter): Promise<ChallansOf> {
  const rows = await db.query<
    (DepositedChallan & { month: string; section: string; code: string })[]
  >`
    SELECT to_char(month, 'YYYY-MM') AS month, section, code, challan_reference AS reference,
           bsr_code AS "bsrCode", challan_serial AS serial, deposited_on::text AS "depositedOn"
    FROM tax_deposits WHERE month BETWEEN ${from}::date AND ${to}::date
    ORDER BY deposited_on, created_at, id`;
  const found = new Map<string, DepositedChallan[]>();
  for (const { month, section, code, ...challan } of rows) {
    const key = `${month}|${section}|${code}`;
    // Deposits of before the columns were there say it in their reference alone.
    const said = parseChallan(challan.reference);
    const { bsrCode = said?.bsrCode ?? null, serial = said?.serial ?? null } = definedOf(challan);
    found.set(key, [...(found.get(key) ?? []), { ...challan, bsrCode, serial }]);
  }
  return ({ creditedOn, section, code }) =>
    found.get(`${creditedOn.slice(0, 7)}|${section}|${code}`) ?? [];
}

function definedOf({ bsrCode, serial }: DepositedChallan): { bsrCode?: string; serial?: string } {
  return bsrCode === null || serial === null ? {} : { bsrCode, serial };
}

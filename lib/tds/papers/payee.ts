import type { DbSession } from "../../db/client.ts";
import type { Day } from "../../support/calendar.ts";
import { AfterhoursError } from "../../support/errors.ts";
import type { DayRange, PanStatus, PayeeCategory } from "../types.ts";

/** The author of a change to a payee's tax papers, and the reason. */
export interface Operator {
  by: string;
  reason: string | null;
}

/** The facts about a payee on which the papers depend. */
export interface TaxPayee {
  consultantId: string;
  ref: string;
  category: PayeeCategory;
  panStatus: PanStatus;
  relief: DayRange | null;
  likelyToExceed: boolean;
}

/**
 * The payee that is named, with its tax profile locked: a payout run assesses before the change or after it, never
 * in between.
 *
 * @throws {AfterhoursError} `UNKNOWN_PAYEE`, `NO_TAX_PROFILE`
 */
export async function lockPayee(tx: DbSession, name: string): Promise<TaxPayee> {
  const [consultant] = await tx.query<{ id: string }[]>`
    SELECT id FROM consultants WHERE external_ref = ${name} OR id::text = lower(${name})
    ORDER BY external_ref = ${name} DESC LIMIT 1`;
  if (!consultant) {
    throw new AfterhoursError("UNKNOWN_PAYEE", `there is no payee ${name}`, {
      remedy:
        "Nothing was changed. Give the marketplace's code or the id; `npm run payouts -- list` shows them.",
    });
  }
  interface Row extends Omit<TaxPayee, "relief"> {
    reliefFrom: Day | null;
    reliefTo: Day | null;
  }
  const [row] = await tx.query<Row[]>`
    SELECT profile.consultant_id AS "consultantId", payee.external_ref AS ref, profile.category,
           profile.pan_status AS "panStatus", profile.pan_relief_from::text AS "reliefFrom",
           profile.pan_relief_to::text AS "reliefTo", profile.likely_to_exceed AS "likelyToExceed"
    FROM tax_profiles AS profile JOIN consultants AS payee ON payee.id = profile.consultant_id
    WHERE profile.consultant_id = ${consultant.id}::uuid
    FOR UPDATE OF profile`;
  if (!row) {
    throw new AfterhoursError("NO_TAX_PROFILE", `payee ${name} has no tax profile`, {
      remedy: "Nothing was changed. Import a file that has the payee's PAN and category.",
    });
  }
  const { reliefFrom, reliefTo, ...payee } = row;
  const relief =
    reliefFrom === null || reliefTo === null ? null : { from: reliefFrom, to: reliefTo };
  return { ...payee, relief };
}

/** Nothing was changed, and why. */
export function refuse(code: string, message: string, remedy: string): AfterhoursError {
  return new AfterhoursError(code, message, { remedy: `Nothing was changed. ${remedy}` });
}

import { recordAudit } from "../../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../../db/client.ts";
import type { Day } from "../../support/calendar.ts";
import type { DayRange, PanStatus } from "../types.ts";
import { lockPayee, refuse, type Operator, type TaxPayee } from "./payee.ts";

/** The first day on which an inoperative PAN had consequences (Rule 114AAA, Circular 3/2023). */
export const RELIEF_FIRST_DAY: Day = "2023-07-01";

/** A payee with days of relief, or with an inoperative PAN and none. */
export interface PayeeRelief {
  payeeRef: string;
  payeeName: string;
  panStatus: PanStatus;
  from: Day | null;
  to: Day | null;
}

export interface ReliefChange {
  outcome: "changed" | "known";
  payeeRef: string;
  before: DayRange | null;
  after: DayRange | null;
}

/** The problem of the days of relief alone; undefined when there is none. */
export function faultInRelief({ from, to }: DayRange): string | undefined {
  if (from > to) return `the days end on ${to}, before they begin on ${from}`;
  if (from < RELIEF_FIRST_DAY)
    return `the days begin on ${from}; before ${RELIEF_FIRST_DAY} an inoperative PAN counts anyway`;
  return undefined;
}

/**
 * Records the days on which a payee's inoperative PAN counts as valid. The same days again change nothing.
 *
 * @throws {AfterhoursError} `RELIEF_DATES`, `RELIEF_WITHOUT_PAN`, `RELIEF_EXISTS`
 */
export async function addRelief(
  db: Db,
  { payee: name, operator, ...range }: DayRange & { payee: string; operator: Operator },
): Promise<ReliefChange> {
  const after: DayRange = { from: range.from, to: range.to };
  const fault = faultInRelief(after);
  if (fault) throw refuse("RELIEF_DATES", fault, "Give the days of the circular.");
  return inTransaction(db, async (tx) => {
    const payee = await lockPayee(tx, name);
    if (payee.panStatus === "missing") {
      throw refuse(
        "RELIEF_WITHOUT_PAN",
        `payee ${payee.ref} has furnished no PAN, so there is none that could count`,
        "Relief is for an inoperative PAN.",
      );
    }
    const before = payee.relief;
    if (payee.panStatus === "valid" && !before) {
      throw refuse(
        "RELIEF_FOR_VALID_PAN",
        `the PAN of payee ${payee.ref} is valid on record, so there is nothing to relieve`,
        "Relief is for an inoperative PAN. If the PAN is inoperative, correct the payee's tax profile first.",
      );
    }
    if (before?.from === after.from && before.to === after.to)
      return { outcome: "known", payeeRef: payee.ref, before, after };
    if (before) {
      throw refuse(
        "RELIEF_EXISTS",
        `payee ${payee.ref} has relief from ${before.from} to ${before.to} already`,
        "A payee has one range of days. End that one first, then add a range that holds both.",
      );
    }
    return writeRelief(tx, { payee, after, operator, action: "relief-added" });
  });
}

/**
 * Lets relief end on a day. The day before it begins, or an earlier one, takes it away.
 *
 * @throws {AfterhoursError} `NO_RELIEF`, `RELIEF_DATES`
 */
export async function endRelief(
  db: Db,
  { payee: name, on, operator }: { payee: string; on: Day; operator: Operator },
): Promise<ReliefChange> {
  return inTransaction(db, async (tx) => {
    const payee = await lockPayee(tx, name);
    const before = payee.relief;
    if (!before) throw refuse("NO_RELIEF", `payee ${payee.ref} has no days of relief`, "");
    if (on === before.to) return { outcome: "known", payeeRef: payee.ref, before, after: before };
    if (on > before.to) {
      throw refuse(
        "RELIEF_DATES",
        `the relief of payee ${payee.ref} ends on ${before.to}, before ${on}`,
        "To make it longer, end it before its first day and add the longer range.",
      );
    }
    const after = on < before.from ? null : { from: before.from, to: on };
    return writeRelief(tx, { payee, after, operator, action: "relief-ended" });
  });
}

async function writeRelief(
  tx: DbSession,
  {
    payee,
    after,
    operator,
    action,
  }: { payee: TaxPayee; after: DayRange | null; operator: Operator; action: string },
): Promise<ReliefChange> {
  await tx.execute`
    UPDATE tax_profiles
    SET pan_relief_from = ${after?.from ?? null}::date, pan_relief_to = ${after?.to ?? null}::date,
        updated_at = now()
    WHERE consultant_id = ${payee.consultantId}::uuid`;
  const before = payee.relief;
  await recordAudit(tx, {
    actor: operator.by,
    category: "tax",
    action,
    subjectType: "consultant",
    subjectId: payee.consultantId,
    reason: operator.reason,
    detail: { before, after },
  });
  return { outcome: "changed", payeeRef: payee.ref, before, after };
}

/** Every payee with relief, or with an inoperative PAN. */
export async function listRelief(db: DbSession): Promise<PayeeRelief[]> {
  return db.query<PayeeRelief[]>`
    SELECT payee.external_ref AS "payeeRef", payee.name AS "payeeName", profile.pan_status AS "panStatus",
           profile.pan_relief_from::text AS "from", profile.pan_relief_to::text AS "to"
    FROM tax_profiles AS profile JOIN consultants AS payee ON payee.id = profile.consultant_id
    WHERE profile.pan_relief_from IS NOT NULL OR profile.pan_status = 'inoperative'
    ORDER BY payee.external_ref`;
}

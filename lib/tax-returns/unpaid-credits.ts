import type { DbSession } from "../db/client.ts";
import { planRecoveries, type Take } from "../earnings/recoveries.ts";
import type { RefundBase } from "../tds/policy.ts";
import type { CreditedEarning } from "../tds/reserve.ts";

/** A credit on which no tax is reserved or withheld, as a payout would pay it now. */
export interface UnpaidCredit extends CreditedEarning {
  consultantId: string;
  currency: string;
}

/** The consultants with such credits, in the order of their ids. */
export async function consultantsWithUnpaidCredits(db: DbSession): Promise<string[]> {
  const rows = await db.query<{ id: string }[]>`
    SELECT DISTINCT consultant_id AS id FROM earnings WHERE status IN ('READY', 'LINKED')
    ORDER BY consultant_id`;
  return rows.map(({ id }) => id);
}

/**
 * The credits of these consultants that wait for a payout or for its claim. Amounts are net of refunds and of
 * recoveries that the next batch would take for refunded sales. A hold or a dispute changes nothing: the credit
 * is made.
 */
export async function readUnpaidCredits(
  db: DbSession,
  consultantIds: readonly string[],
  refundBase: RefundBase,
): Promise<UnpaidCredit[]> {
  const rows = await db.query<UnpaidCredit[]>`
    SELECT net.consultant_id AS "consultantId", net.earning_id AS "earningId", net.currency::text AS currency,
           earning.credited_on::text AS "creditedOn", net.gross_paise AS "grossPaise",
           net.amount_paise AS "amountPaise"
    FROM earnings_net AS net JOIN earnings AS earning ON earning.id = net.earning_id
    WHERE net.consultant_id = ANY(${consultantIds}::uuid[]) AND net.status IN ('READY', 'LINKED') AND net.payable
      AND NOT EXISTS (
        SELECT 1 FROM tax_deductions AS line
        WHERE line.earning_id = net.earning_id AND line.reverses_id IS NULL
          AND NOT EXISTS (SELECT 1 FROM tax_deductions WHERE reverses_id = line.id))
    ORDER BY net.consultant_id, earning.credited_on, net.earning_id`;
  return withoutTaken(rows, await planRecoveries(db, consultantIds, refundBase));
}

/** The credits after the recoveries; a credit with nothing left to pay is in no payout. */
function withoutTaken(credits: readonly UnpaidCredit[], takes: readonly Take[]): UnpaidCredit[] {
  if (takes.length === 0) return [...credits];
  const taken = new Map<string, { grossPaise: bigint; amountPaise: bigint }>();
  for (const { earningId, grossPaise, amountPaise } of takes) {
    const before = taken.get(earningId) ?? { grossPaise: 0n, amountPaise: 0n };
    taken.set(earningId, {
      grossPaise: before.grossPaise + grossPaise,
      amountPaise: before.amountPaise + amountPaise,
    });
  }
  return credits.flatMap((credit) => {
    const less = taken.get(credit.earningId);
    if (!less) return [credit];
    const amountPaise = credit.amountPaise - less.amountPaise;
    if (amountPaise <= 0n) return [];
    return [{ ...credit, amountPaise, grossPaise: credit.grossPaise - less.grossPaise }];
  });
}

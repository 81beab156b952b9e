import type { DbSession } from "../../db/client.ts";
import { formatRupees, type Paise } from "../../support/money.ts";

/** The reason for rejecting an organization's payout. */
interface OrganizationRefusal {
  /** Stable: `CURRENCY_MIXED`, `PAYOUT_ITEMS_DISAGREE`, `NET_NOT_POSITIVE`, `NET_DISAGREES`. */
  code: string;
  message: string;
}

interface ItemSums {
  payoutId: string;
  currencies: readonly string[];
  grossPaise: string;
  amountPaise: string;
  /** Of the same earnings as they are now: gross less platform fee and refunds. */
  netPaise: string;
}

/** The amounts that the claim of an organization's payout checks. */
interface OrganizationPayout {
  payoutId: string;
  currency: string;
  grossPaise: Paise;
  amountPaise: Paise;
}

/**
 * No person has checked an organization's payout, so the claim adds it up again. Its items must add up to it in
 * its currency. Their earnings must give the same amount net of platform fee and refunds today. Returns the
 * reasons of rejected payouts.
 */
export async function refusalsOfOrganizations(
  tx: DbSession,
  payouts: readonly OrganizationPayout[],
): Promise<ReadonlyMap<string, OrganizationRefusal>> {
  if (payouts.length === 0) return new Map();
  const payoutIds = payouts.map(({ payoutId }) => payoutId);
  const rows = await tx.query<ItemSums[]>`
    SELECT item.payout_id AS "payoutId", array_agg(DISTINCT net.currency::text) AS currencies,
           sum(item.gross_paise)::text AS "grossPaise", sum(item.amount_paise)::text AS "amountPaise",
           sum(net.amount_paise)::text AS "netPaise"
    FROM payout_items AS item JOIN earnings_net AS net ON net.earning_id = item.earning_id
    WHERE item.payout_id = ANY(${payoutIds}::uuid[]) AND item.released_at IS NULL
    GROUP BY item.payout_id`;
  const sums = new Map(rows.map((row) => [row.payoutId, row]));
  return new Map(
    payouts.flatMap((payout) => {
      const refusal = refusalOf(payout, sums.get(payout.payoutId));
      return refusal ? [[payout.payoutId, refusal] as const] : [];
    }),
  );
}

function refusalOf(
  payout: OrganizationPayout,
  sums: ItemSums | undefined,
): OrganizationRefusal | undefined {
  if (!sums) return { code: "PAYOUT_ITEMS_DISAGREE", message: "it holds no earnings" };

  if (sums.currencies.some((currency) => currency !== payout.currency)) {
    const message = `the payout is in ${payout.currency}, its earnings are in ${sums.currencies.join(", ")}`;
    return { code: "CURRENCY_MIXED", message };
  }
  const { grossPaise, amountPaise } = payout;
  if (BigInt(sums.grossPaise) !== grossPaise || BigInt(sums.amountPaise) !== amountPaise) {
    const message = `the payout says ${formatRupees(amountPaise)} of ${formatRupees(grossPaise)} gross, its items ${formatRupees(BigInt(sums.amountPaise))} of ${formatRupees(BigInt(sums.grossPaise))}`;
    return { code: "PAYOUT_ITEMS_DISAGREE", message };
  }
  const netPaise = BigInt(sums.netPaise);
  if (netPaise <= 0n) {
    const message = `of its earnings ${formatRupees(netPaise)} are left after platform fee and refunds`;
    return { code: "NET_NOT_POSITIVE", message };
  }
  if (netPaise !== amountPaise) {
    const message = `the payout says ${formatRupees(amountPaise)}, its earnings come to ${formatRupees(netPaise)} after platform fee and refunds`;
    return { code: "NET_DISAGREES", message };
  }
  return undefined;
}

/** A consultant's payout that tax takes up entirely is complete; an organization's is not made. */
export function organizationNetRefusal({
  organizationId,
  netPaise,
}: {
  organizationId: string | null;
  netPaise: Paise;
}): OrganizationRefusal | undefined {
  if (organizationId === null || netPaise > 0n) return undefined;
  return { code: "NET_NOT_POSITIVE", message: "tax takes up all of it: nothing is left to send" };
}

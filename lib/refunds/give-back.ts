import { recordAudit } from "../audit/audit-log.ts";
import type { DbSession } from "../db/client.ts";
import { postTransaction } from "../ledger/post-transaction.ts";
import type { Paise } from "../support/money.ts";
import { REFUND_ACTOR } from "./charge-consultant.ts";
import { LegLostError } from "./claim-leg.ts";
import { WAITS_FOR_DISPUTE, type OpenLeg } from "./open-legs.ts";
import type { LegResult } from "./outcome.ts";
import type { LegPorts } from "./ports.ts";
import { onPayment } from "./on-payment.ts";
import { settleRefund } from "./settle-refund.ts";

/** How the books name the movement of one leg into a wallet. */
function walletPostingKey(legId: string): string {
  return `wallet-refunded:${legId}`;
}

/**
 * Refunds a leg inside our own database, in one transaction: DUE to PROCESSED by compare-and-swap, the wallet
 * credited with its audit row and posting, or the credit restored. Happens once, however often it is retried.
 *
 * @throws {LegLostError} when another run was faster
 */
export async function giveBack({ db, lease, runId }: LegPorts, leg: OpenLeg): Promise<LegResult> {
  lease.assertTrusted();
  const settled = await onPayment(db, leg.paymentId, async (tx) => {
    const hit = await tx.execute`
      UPDATE refund_legs AS leg SET state = 'PROCESSED', settled_at = now()
      WHERE leg.id = ${leg.legId}::uuid AND leg.state = 'DUE' AND NOT ${WAITS_FOR_DISPUTE}`;
    if (hit !== 1) throw new LegLostError(leg.legId);
    if (leg.kind === "wallet") await creditWallet(tx, { leg, runId });
    else await restoreCredit(tx, leg);
    return settleRefund(tx, leg.refundId);
  });
  const what = leg.kind === "wallet" ? "credited to the wallet" : "restored as referral credit";
  return { outcome: "processed", code: "GIVEN_BACK", message: what, settled };
}

interface Credited {
  walletId: string;
  balancePaise: Paise;
  /** Whose movement it is: the organization of the payment, else the wallet's owner. */
  organizationId: string;
}

/** Audit row and posting belong to one and the same organization, or the books drift. */
async function creditWallet(
  tx: DbSession,
  { leg, runId }: { leg: OpenLeg; runId: string },
): Promise<void> {
  const { legId, refundId, paymentId, amountPaise } = leg;
  const [credited] = await tx.query<Credited[]>`
    UPDATE wallet_accounts AS wallet
    SET balance_paise = balance_paise + ${amountPaise}, updated_at = now()
    FROM refund_legs AS leg
    JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
    JOIN payments AS payment ON payment.id = paid.payment_id
    WHERE leg.id = ${legId}::uuid AND wallet.id = paid.wallet_id
    RETURNING wallet.id AS "walletId", wallet.balance_paise AS "balancePaise",
              COALESCE(payment.organization_id, wallet.organization_id) AS "organizationId"`;
  if (!credited) throw new Error(`refund leg ${legId} of a wallet has no wallet`);
  const { walletId, balancePaise: balanceAfterPaise, organizationId } = credited;
  await recordAudit(tx, {
    actor: REFUND_ACTOR,
    category: "WALLET",
    action: "WALLET_REFUND",
    subjectType: "wallet",
    subjectId: walletId,
    reason: null,
    organizationId,
    detail: { amountPaise, balanceAfterPaise, refundLegId: legId, refundId, paymentId, runId },
  });
  await postTransaction(tx, {
    key: walletPostingKey(legId),
    kind: "wallet-refunded",
    organizationId,
    entries: [
      { account: { code: "PLATFORM_CLEARING" }, amountPaise },
      { account: { code: "WALLET", walletId }, amountPaise: -amountPaise },
    ],
  });
}

async function restoreCredit(tx: DbSession, { legId, amountPaise }: OpenLeg): Promise<void> {
  const hit = await tx.execute`
    UPDATE referral_credits AS credit SET used_paise = used_paise - ${amountPaise}
    FROM refund_legs AS leg JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
    WHERE leg.id = ${legId}::uuid AND credit.id = paid.referral_credit_id`;
  if (hit !== 1) throw new Error(`refund leg ${legId} of a referral credit has no credit`);
}

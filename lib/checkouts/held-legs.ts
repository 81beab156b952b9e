import { recordAudit } from "../audit/audit-log.ts";
import { sql, type DbSession } from "../db/client.ts";
import { postTransaction } from "../ledger/post-transaction.ts";
import { sumPaise, type Paise } from "../support/money.ts";

/** Wallet money and referral credit that a checkout takes when it begins. */
interface HeldLeg {
  id: string;
  amountPaise: Paise;
  walletId: string | null;
  referralCreditId: string | null;
}

export interface HeldMoney {
  walletPaise: Paise;
  creditPaise: Paise;
}

interface HolderOfLegs {
  paymentId: string;
  /** The organization that pays; null: a wallet's movement belongs to the wallet's owner. */
  organizationId: string | null;
  /** `job:<name>`, or a person's name. */
  actor: string;
}

/**
 * Returns the money that a checkout held, once: the leg itself records the return. Credit is free again. Wallet
 * money is in the wallet again, booked and audited for the payment's organization, else the wallet's owner.
 */
export async function giveBackLegs(tx: DbSession, holder: HolderOfLegs): Promise<HeldMoney> {
  const legs = await tx.query<HeldLeg[]>`
    UPDATE payment_legs SET released_at = now()
    WHERE payment_id = ${holder.paymentId}::uuid AND kind <> 'card' AND released_at IS NULL
    RETURNING id, amount_paise AS "amountPaise", wallet_id AS "walletId",
              referral_credit_id AS "referralCreditId"`;
  return moveHeld(tx, { legs, holder, direction: "back" });
}

/**
 * Takes returned money again, if wallets and credits still cover all of it; nothing otherwise. Belongs into the
 * transaction in which the payment stops being ORPHANED.
 *
 * @returns undefined when it is not covered
 */
export async function takeLegsAgain(
  tx: DbSession,
  holder: HolderOfLegs,
): Promise<HeldMoney | undefined> {
  if (!(await coversLegsAgain(tx, { paymentId: holder.paymentId, forUpdate: true })))
    return undefined;
  const legs = await tx.query<HeldLeg[]>`
    UPDATE payment_legs SET released_at = NULL
    WHERE payment_id = ${holder.paymentId}::uuid AND released_at IS NOT NULL
    RETURNING id, amount_paise AS "amountPaise", wallet_id AS "walletId",
              referral_credit_id AS "referralCreditId"`;
  return moveHeld(tx, { legs, holder, direction: "taken" });
}

/** Whether wallets and credits still cover the returned money. Locks legs, credits, wallets, in this order. */
export async function coversLegsAgain(
  tx: DbSession,
  { paymentId, forUpdate }: { paymentId: string; forUpdate: boolean },
): Promise<boolean> {
  const lock = forUpdate ? sql`FOR UPDATE` : sql``;
  const legs = await tx.query<HeldLeg[]>`
    SELECT id, amount_paise AS "amountPaise", wallet_id AS "walletId",
           referral_credit_id AS "referralCreditId"
    FROM payment_legs WHERE payment_id = ${paymentId}::uuid AND released_at IS NOT NULL
    ORDER BY id ${lock}`;
  const credits = await tx.query<{ id: string; leftPaise: Paise }[]>`
    SELECT id, amount_paise - used_paise AS "leftPaise" FROM referral_credits
    WHERE id = ANY (${idsOf(legs, "referralCreditId")}::uuid[]) ORDER BY id ${lock}`;
  const wallets = await tx.query<{ id: string; leftPaise: Paise }[]>`
    SELECT id, balance_paise AS "leftPaise" FROM wallet_accounts
    WHERE id = ANY (${idsOf(legs, "walletId")}::uuid[]) ORDER BY id ${lock}`;
  return [...credits, ...wallets].every(
    ({ id, leftPaise }) =>
      leftPaise >=
      sumPaise(
        legs
          .filter(({ walletId, referralCreditId }) => (walletId ?? referralCreditId) === id)
          .map(({ amountPaise }) => amountPaise),
      ),
  );
}

function idsOf(legs: readonly HeldLeg[], field: "walletId" | "referralCreditId"): string[] {
  return legs.flatMap((leg) => leg[field] ?? []);
}

type Direction = "back" | "taken";

async function moveHeld(
  tx: DbSession,
  {
    legs,
    holder,
    direction,
  }: { legs: readonly HeldLeg[]; holder: HolderOfLegs; direction: Direction },
): Promise<HeldMoney> {
  const sign = direction === "back" ? 1n : -1n;
  const moved: HeldMoney = { walletPaise: 0n, creditPaise: 0n };
  for (const { referralCreditId, amountPaise } of inOrder(legs, "referralCreditId")) {
    await tx.execute`
      UPDATE referral_credits SET used_paise = used_paise - ${sign * amountPaise}::bigint
      WHERE id = ${referralCreditId}::uuid`;
    moved.creditPaise += amountPaise;
  }
  for (const leg of inOrder(legs, "walletId")) {
    await moveWallet(tx, { leg, holder, direction, byPaise: sign * leg.amountPaise });
    moved.walletPaise += leg.amountPaise;
  }
  return moved;
}

/** In the order of the locked ids, so that two transactions never deadlock. */
function inOrder(legs: readonly HeldLeg[], field: "walletId" | "referralCreditId"): HeldLeg[] {
  return legs
    .filter((leg) => leg[field] !== null)
    .sort((a, b) => `${a[field]} ${a.id}`.localeCompare(`${b[field]} ${b.id}`));
}

const MOVEMENTS = {
  back: { kind: "wallet-released", action: "WALLET_RELEASE" },
  taken: { kind: "wallet-taken-again", action: "WALLET_TAKEN_AGAIN" },
} as const satisfies Record<Direction, { kind: string; action: string }>;

async function moveWallet(
  tx: DbSession,
  {
    leg,
    holder,
    direction,
    byPaise,
  }: { leg: HeldLeg; holder: HolderOfLegs; direction: Direction; byPaise: Paise },
): Promise<void> {
  const { kind, action } = MOVEMENTS[direction];
  const [wallet] = await tx.query<{ id: string; balancePaise: Paise; ownerId: string }[]>`
    UPDATE wallet_accounts SET balance_paise = balance_paise + ${byPaise}::bigint
    WHERE id = ${leg.walletId}::uuid
    RETURNING id, balance_paise AS "balancePaise", organization_id AS "ownerId"`;
  if (!wallet) throw new Error(`the wallet of leg ${leg.id} has vanished`);
  const organizationId = holder.organizationId ?? wallet.ownerId;
  await postTransaction(tx, {
    key: `${kind}:${leg.id}`,
    kind,
    organizationId,
    entries: [
      { account: { code: "PLATFORM_CLEARING" }, amountPaise: byPaise },
      { account: { code: "WALLET", walletId: wallet.id }, amountPaise: -byPaise },
    ],
  });
  await recordAudit(tx, {
    actor: holder.actor,
    category: "WALLET",
    action,
    subjectType: "wallet",
    subjectId: wallet.id,
    reason: null,
    organizationId,
    detail: {
      paymentId: holder.paymentId,
      legId: leg.id,
      amountPaise: byPaise,
      balanceAfterPaise: wallet.balancePaise,
    },
  });
}

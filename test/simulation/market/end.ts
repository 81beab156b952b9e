import { inTransaction } from "../../../lib/db/client.ts";
import { requestRefund } from "../../../lib/refunds/request-refund.ts";
import { statementBreaches } from "../../support/statements.ts";
import { approveAll, releaseAll } from "../operator.ts";
import { databaseOf } from "../ports.ts";
import { payEverything } from "../provider.ts";
import { deliverUnderWay, digests } from "../world.ts";
import type { MarketJob } from "./jobs.ts";
import { cancelEvent, refundWhatWasLeft } from "./marketplace.ts";
import { settleEverything } from "./provider.ts";
import { newClerk, runMarket } from "./runs.ts";
import { letMarketTimePass, type Market } from "./world.ts";

/** So long that holds are over at first, and then claims, waits and back-offs. */
const FIRST_ROUND_MINUTES = 25 * 60;
const ROUND_MINUTES = 5 * 60;
const MOST_ROUNDS = 8;
/** Rounds in which payouts are made: one that fails for good fails anew in each. */
const PAYDAYS = 2;

const ORDER: readonly MarketJob[] = [
  "stuck",
  "reconcile",
  "cleanup",
  "late",
  "refunds",
  "expire",
  "remind",
  "batch",
  "pay",
  "deliver",
];
const WITHOUT_PAYDAY = ORDER.filter((job) => job !== "batch" && job !== "pay");

/**
 * Everything is mended: no fault any more, the bank makes up its mind, a person asks again for what failed for
 * good. After a few rounds of all jobs nothing may be open, and nobody silently not refunded.
 */
export async function comeToAnEnd(market: Market, check: () => Promise<void>): Promise<void> {
  const { arena, story } = market;
  market.faultRate = 0;
  market.mailFaultRate = 0;
  market.mailIsOut = false;
  story.push("everything is mended");
  await deliverUnderWay(market);
  await releaseAll(market, arena.sessions.A);
  for (let round = 1; await liveOn(market, round); round++) {
    await check();
    if (round === MOST_ROUNDS)
      throw new Error(`end: after ${round} rounds the jobs still change something`);
  }
  const proven = await run(market, "ledger");
  await check();
  const violations = [
    ...(proven === "completed" ? [] : [`reconcile-ledger is ${proven}`]),
    ...(await leftOpen(market)),
    ...(await notRefunded(market)),
    ...(await statementBreaches(arena.database)),
  ];
  if (violations.length > 0) throw new Error(violations.map((what) => `end: ${what}`).join("\n"));
}

/** A round of all jobs; false when neither they nor the bank changed anything. */
async function liveOn(market: Market, round: number): Promise<boolean> {
  const { arena } = market;
  const hasSettled = settleEverything(market) + payEverything(market) > 0;
  await letMarketTimePass(market, round === 1 ? FIRST_ROUND_MINUTES : ROUND_MINUTES, {
    most: Infinity,
  });
  const hasAsked = await askAgain(market);
  const before = await digests(market, { settled: true });
  for (const job of round <= PAYDAYS ? ORDER : WITHOUT_PAYDAY) {
    await run(market, job);
    if (job === "batch") await approveAll(market, arena.sessions.A);
  }
  const after = await digests(market, { settled: true });
  const hasChanged = Object.entries(after).some(([table, digest]) => before[table] !== digest);
  return hasSettled || hasAsked || hasChanged || round <= PAYDAYS;
}

async function run(market: Market, job: MarketJob): Promise<string> {
  const [only] = await runMarket(market, [{ job }]);
  return only?.end?.verdict?.kind ?? "dead";
}

/** What a person does about refunds that failed for good, and the marketplace about buyers who left. */
async function askAgain(market: Market): Promise<boolean> {
  const { arena, chance, scheduler, story } = market;
  const clerk = newClerk(market);
  const db = databaseOf(market, clerk, arena.sessions[clerk.slot]);
  const failed = await arena.database.query<{ id: string }>(
    `SELECT payment.id FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
     WHERE payment.status = 'REFUNDING' AND EXISTS (
       SELECT 1 FROM payment_legs AS leg WHERE leg.payment_id = payment.id AND leg.released_at IS NULL
         AND leg.amount_paise > (SELECT COALESCE(sum(amount_paise), 0) FROM refund_legs
                                 WHERE payment_leg_id = leg.id AND state <> 'FAILED'))
     ORDER BY booking.reference, payment.id`,
  );
  const halfCancelled = await arena.database.query<{ id: string }>(
    `SELECT id FROM plans WHERE cancelled_at IS NOT NULL AND EXISTS (
       SELECT 1 FROM bookings AS booking LEFT JOIN payments AS payment ON payment.booking_id = booking.id
       WHERE booking.plan_id = plans.id AND (booking.status <> 'CANCELLED'
         OR payment.status = 'PAID' AND booking.ended_because = 'plan-cancelled'))
     ORDER BY title, id`,
  );
  let asked = failed.length + halfCancelled.length;
  const act = async (): Promise<void> => {
    asked += await refundWhatWasLeft(market, { clerk, db });
    for (const { id } of halfCancelled) {
      story.push(`  a cancellation goes on: ${await cancelEvent({ clerk, db }, id)}`);
    }
    for (const { id: paymentId } of failed) {
      const request = {
        paymentId,
        key: `again:${chance.uuid()}`,
        amountPaise: "all" as const,
        reason: "failed at the provider",
        requestedBy: "Asha",
      };
      const { kind } = await inTransaction(db, (tx) => requestRefund(tx, request));
      story.push(`  a failed refund is asked for again: ${kind}`);
    }
  };
  await scheduler.run([{ actor: clerk, act }]);
  return asked > 0;
}

/** By the clock of the database, everything that could be open is over. */
async function leftOpen({ arena }: Market): Promise<string[]> {
  const rows = await arena.database.query<{ what: string }>(`
    SELECT 'the checkout of ' || booking.reference || ' is ' || payment.status AS what
    FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
    WHERE payment.status IN ('PENDING', 'ORPHANED', 'REFUNDING')
    UNION ALL
    SELECT booking.reference || ' is ' || booking.status || ' with tentative slots' FROM bookings AS booking
    WHERE EXISTS (SELECT 1 FROM slots WHERE booking_id = booking.id AND tentative)
    UNION ALL SELECT 'a leg of a refund is ' || state FROM refund_legs
    WHERE state NOT IN ('PROCESSED', 'FAILED')
    UNION ALL SELECT 'a mail of ' || template || ' is queued' FROM outbox_mails WHERE status = 'QUEUED'
    UNION ALL SELECT 'an offer is over and NOTIFIED' FROM waitlist_entries
    WHERE status = 'NOTIFIED' AND expires_at <= now()
    UNION ALL SELECT 'finding ' || kind || ' ' || details FROM findings
    WHERE resolved_at IS NULL AND severity = 'critical' AND kind <> 'plan-refund-refused' AND NOT (kind = 'refund-failed' AND EXISTS (
      SELECT 1 FROM refunds AS refund JOIN payments AS payment ON payment.id = refund.payment_id
      WHERE refund.id::text = findings.subject_id AND payment.status = 'PAID'))`);
  return rows.map(({ what }) => what);
}

/** Whoever paid has a booking, left without one and was refunded, or was refunded in full. */
async function notRefunded({ arena }: Market): Promise<string[]> {
  const rows = await arena.database.query<{
    paymentId: string;
    reference: string;
    status: string;
    booking: string;
    backPaise: bigint;
    leftPaise: bigint;
  }>(
    `SELECT payment.provider_payment_id AS "paymentId", booking.reference, payment.status::text AS status,
            booking.status::text AS booking,
            (SELECT COALESCE(sum(back.amount_paise), 0)::bigint
             FROM payment_legs AS leg JOIN refund_legs AS back ON back.payment_leg_id = leg.id
             WHERE leg.payment_id = payment.id AND leg.kind = 'card' AND back.state = 'PROCESSED') AS "backPaise",
            (SELECT COALESCE(sum(leg.amount_paise), 0)::bigint - COALESCE((
               SELECT sum(back.amount_paise) FROM refund_legs AS back JOIN payment_legs AS own
                 ON own.id = back.payment_leg_id
               WHERE own.payment_id = payment.id AND back.state = 'PROCESSED'), 0)::bigint
             FROM payment_legs AS leg
             WHERE leg.payment_id = payment.id AND leg.released_at IS NULL) AS "leftPaise"
     FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
     WHERE payment.provider_payment_id IS NOT NULL`,
  );
  return arena.sandbox
    .payments()
    .filter(({ captured }) => captured)
    .flatMap(({ id, amount_refunded: refunded }) => {
      const row = rows.find(({ paymentId }) => paymentId === id);
      if (row === undefined) return ["somebody has paid, and nobody knows"];
      const { reference, status, booking, backPaise, leftPaise } = row;
      if (BigInt(refunded) !== backPaise)
        return [
          `of ${reference} ${refunded} paise went back at the provider, and ${backPaise} here`,
        ];
      if (status === "PAID" && booking === "CONFIRMED") return [];
      if (status === "REFUNDED" && leftPaise === 0n) return [];
      return [
        `${reference} is ${booking}, paid, ${status}, and ${leftPaise} paise did not go back`,
      ];
    });
}

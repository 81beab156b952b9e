import { inTransaction } from "../../../lib/db/client.ts";
import { requestRefund } from "../../../lib/refunds/request-refund.ts";
import { statementBreaches } from "../../support/statements.ts";
import { approveAll, releaseAll } from "../operator.ts";
import { databaseOf } from "../ports.ts";
import { payEverything } from "../provider.ts";
import { deliverUnderWay, digests } from "../world.ts";
import type { MarketJob } from "./jobs.ts";
import { cancelAgain } from "./events.ts";
import { refundWhatWasLeft } from "./marketplace.ts";
import { endDisputes } from "./outside.ts";
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
  "events",
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
  market.isMended = true;
  market.faultRate = 0;
  market.mailFaultRate = 0;
  market.mailAwayMinutes = 0;
  story.push("everything is mended");
  // What lost disputes took is paid in, or refunds of other payments would wait for it.
  arena.sandbox.changePaymentsBalance({ addPaise: 100_000_000 });
  await deliverUnderWay(market);
  await releaseAll(market, arena.sessions.A);
  for (let round = 1, changed = await liveOn(market, 1); changed.length > 0;) {
    await check();
    if (round === MOST_ROUNDS)
      throw new Error(`end: after ${round} rounds something still changes: ${changed.join(", ")}`);
    changed = await liveOn(market, ++round);
  }
  const proven = await run(market, "ledger");
  await check();
  const violations = [
    ...(proven === "completed" ? [] : [`reconcile-ledger is ${proven}`]),
    ...(await leftOpen(market)),
    ...(await notRefunded(market)),
    ...(await outsideIsKnown(market)),
    ...(await cancelledIsEmpty(market)),
    ...(await statementBreaches(arena.database)),
  ];
  if (violations.length > 0) throw new Error(violations.map((what) => `end: ${what}`).join("\n"));
}

/** A round of all jobs: the tables in which it changed something, and whoever else did. */
async function liveOn(market: Market, round: number): Promise<string[]> {
  const { arena } = market;
  const hasSettled = settleEverything(market) + endDisputes(market) + payEverything(market) > 0;
  await letMarketTimePass(market, round === 1 ? FIRST_ROUND_MINUTES : ROUND_MINUTES, {
    most: Infinity,
  });
  // Whoever asks again for what failed looks first whether somebody has refunded it outside.
  await run(market, "events");
  const hasAsked = await askAgain(market);
  const before = await digests(market, { settled: true });
  for (const job of round <= PAYDAYS ? ORDER : WITHOUT_PAYDAY) {
    await run(market, job);
    if (job === "batch") await approveAll(market, arena.sessions.A);
  }
  const after = await digests(market, { settled: true });
  return [
    ...(hasSettled ? ["the bank"] : []),
    ...(hasAsked ? ["a person"] : []),
    ...Object.keys(after).filter((table) => before[table] !== after[table]),
    ...(round <= PAYDAYS ? ["a payday"] : []),
  ];
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
  let asked = failed.length;
  const act = async (): Promise<void> => {
    asked += await cancelAgain(market, { clerk, db });
    asked += await refundWhatWasLeft(market, { clerk, db });
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

/** What the jobs may only tell a person; each stays open until that person has decided. */
const FOR_A_PERSON = [
  "dispute-lost",
  "dispute-unmatched",
  "outside-refund-unmatched",
  "paid-after-meeting",
  "payment-disputed",
  "plan-refund-refused",
];

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
    WHERE resolved_at IS NULL AND severity = 'critical' AND kind <> ALL('{${FOR_A_PERSON.join(",")}}') AND NOT (kind = 'refund-failed' AND EXISTS (
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
             JOIN refunds AS refund ON refund.id = back.refund_id
             WHERE leg.payment_id = payment.id AND leg.kind = 'card' AND back.state = 'PROCESSED'
               AND refund.key NOT LIKE 'dispute:%')
            + (SELECT COALESCE(sum(amount_paise), 0)::bigint FROM provider_refunds AS told
               JOIN findings ON findings.subject_id = told.id AND findings.kind = 'outside-refund-unmatched'
               WHERE told.provider_payment_id = payment.provider_payment_id AND told.matched_at IS NULL) AS "backPaise",
            (SELECT COALESCE(sum(leg.amount_paise), 0)::bigint - COALESCE((
               SELECT sum(back.amount_paise) FROM refund_legs AS back JOIN payment_legs AS own
                 ON own.id = back.payment_leg_id
               WHERE own.payment_id = payment.id AND back.state = 'PROCESSED'), 0)::bigint
             FROM payment_legs AS leg
             WHERE leg.payment_id = payment.id AND leg.released_at IS NULL) AS "leftPaise"
     FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id
     WHERE payment.provider_payment_id IS NOT NULL`,
  );
  const found = await leftToAPerson(arena);
  const outside = arena.sandbox.refunds().filter(({ receipt }) => receipt === null);
  return arena.sandbox
    .payments()
    .filter(({ captured }) => captured)
    .flatMap(({ id, amount_refunded: refunded }) => {
      const row = rows.find(({ paymentId }) => paymentId === id);
      // All of it went back before anybody here had heard of it: a finding asks whose it was.
      if (row === undefined)
        return outside
          .filter((refund) => refund.payment_id === id)
          .some((refund) => found.has(refund.id))
          ? []
          : ["somebody has paid, and nobody knows"];
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

/** Refunds and disputes at the provider that fit no payment of ours. */
async function leftToAPerson({ database }: Market["arena"]): Promise<ReadonlySet<string>> {
  const rows = await database.query<{ id: string }>(
    `SELECT subject_id AS id FROM findings
     WHERE kind IN ('outside-refund-unmatched', 'dispute-unmatched') AND resolved_at IS NULL`,
  );
  return new Set(rows.map(({ id }) => id));
}

/**
 * Each refund made outside and each lost dispute is booked or a finding; and whoever got more back than was paid is
 * in one.
 */
async function outsideIsKnown({ arena }: Market): Promise<string[]> {
  const { database, sandbox } = arena;
  const booked = await database.query<{ key: string }>(
    "SELECT key FROM refunds WHERE status = 'PROCESSED' AND requested_by = 'provider'",
  );
  const keys = new Set(booked.map(({ key }) => key));
  const ids = await leftToAPerson(arena);
  const made = sandbox
    .refunds()
    .filter(({ receipt, status }) => receipt === null && status === "processed")
    .map(({ id, payment_id: of, amount }) => ({ id, of, amount, key: `provider-refund:${id}` }));
  const lost = sandbox
    .disputes()
    .filter(({ amount_deducted: deducted }) => deducted > 0)
    .map(({ id, payment_id: of, amount_deducted: amount }) => ({
      ...{ id, of, amount },
      key: `dispute:${id}`,
    }));
  const unknown = [...made, ...lost]
    .filter(({ id, key }) => !keys.has(key) && !ids.has(id))
    .map(({ key }) => `${key.split(":")[0] ?? ""} is neither booked nor a finding`);
  const tooMuch = sandbox.payments().flatMap(({ id, amount, amount_refunded: refunded }) => {
    const taken = lost.filter(({ of }) => of === id);
    const back = taken.reduce((sum, dispute) => sum + dispute.amount, refunded);
    const isFound = [...made, ...lost].some((each) => each.of === id && ids.has(each.id));
    return back <= amount || isFound
      ? []
      : [`${back} of ${amount} paise went back, and nobody says so`];
  });
  return [...unknown, ...tooMuch];
}

/** Also when the one who cancelled it was killed half-way. */
async function cancelledIsEmpty({ arena }: Market): Promise<string[]> {
  const rows = await arena.database.query<{ what: string }>(`
    SELECT plan.title || ' is cancelled, with ' || plan.booked_seats || ' seats booked and ' || plan.offered_seats
           || ' offered' AS what
    FROM plans AS plan WHERE plan.cancelled_at IS NOT NULL AND (plan.booked_seats > 0 OR plan.offered_seats > 0)
    UNION ALL
    SELECT booking.reference || ' was not told that the event is cancelled'
    FROM bookings AS booking WHERE booking.ended_because = 'plan-cancelled' AND NOT EXISTS (
      SELECT 1 FROM outbox_mails WHERE key = 'plan-cancelled:' || booking.id)`);
  return rows.map(({ what }) => what);
}

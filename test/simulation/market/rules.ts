import { checkMoneyInvariants } from "../../support/money-invariants.ts";
import type { Market } from "./world.ts";

/** What was seen at the last check. */
export interface MarketMemory {
  /** Slots that were paid for, and the booking of each. */
  paidSlots: ReadonlyMap<string, string>;
  /** Bookings of each cancelled event that still held a seat. */
  heldOfCancelled: ReadonlyMap<string, ReadonlySet<string>>;
}

export function emptyMarketMemory(): MarketMemory {
  return { paidSlots: new Map(), heldOfCancelled: new Map() };
}

/**
 * What must hold after every step, whatever happened and whoever was killed; each rule is a function of its
 * own. All breaches are listed at once.
 */
export async function checkMarket(market: Market, memory: MarketMemory): Promise<void> {
  const breaches = market.violations.splice(0);
  for (const rule of RULES) breaches.push(...(await rule(market)));
  breaches.push(...(await paidSlotsStay(market, memory)));
  breaches.push(...(await cancelledStaysCancelled(market, memory)));
  if (breaches.length > 0) throw new Error(breaches.join("\n"));
  await checkMoneyInvariants(market.arena.database, market.arena.sandbox);
}

type Rule = (market: Market) => Promise<string[]> | string[];

/** Each row that the query finds breaks the rule; `what` says which. */
async function broken(
  { arena }: Market,
  rule: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<string[]> {
  const rows = await arena.database.query<{ what: string }>(sql, [...values], { prepared: true });
  return rows.map(({ what }) => `${rule}: ${what}`);
}

// Seats and slots -----------------------------------------------------------------------------------

const seatsWithinCapacity: Rule = (market) =>
  broken(
    market,
    "seats within capacity, counters equal to the rows",
    `SELECT plan.title || ' has ' || plan.booked_seats || ' booked and ' || plan.offered_seats
            || ' offered of ' || plan.capacity || ', rows say ' || rows.booked || ' and ' || rows.offered AS what
     FROM plans AS plan CROSS JOIN LATERAL (
       SELECT (SELECT COALESCE(sum(seats), 0) FROM bookings
               WHERE plan_id = plan.id AND status <> 'CANCELLED') AS booked,
              (SELECT count(*) FROM waitlist_entries
               WHERE plan_id = plan.id AND status = 'NOTIFIED') AS offered) AS rows
     WHERE plan.capacity IS NOT NULL
       AND (plan.booked_seats <> rows.booked OR plan.offered_seats <> rows.offered
            OR rows.booked + rows.offered > plan.capacity)`,
  );

const noConfirmedOverlap: Rule = (market) =>
  broken(
    market,
    "no two confirmed meetings of a consultant at once",
    `SELECT one.booking_id || ' and ' || other.booking_id AS what
     FROM slots AS one JOIN slots AS other
       ON other.consultant_id = one.consultant_id AND other.appointment_id > one.appointment_id
      AND tstzrange(other.starts_at, other.ends_at) && tstzrange(one.starts_at, one.ends_at)
     WHERE NOT one.tentative AND NOT other.tentative`,
  );

/** A booking without a checkout that is CONFIRMED was free. */
const confirmedMeansPaid: Rule = (market) =>
  broken(
    market,
    "slots are confirmed exactly for a confirmed and paid booking",
    `SELECT booking.reference || ' is ' || booking.status || ', payments ' || COALESCE(paid.statuses, 'none')
            || ', ' || held.confirmed || ' slots confirmed and ' || held.tentative || ' tentative, wanted '
            || wanted.slots AS what
     FROM bookings AS booking JOIN plans AS plan ON plan.id = booking.plan_id
     CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE NOT tentative) AS confirmed, count(*) FILTER (WHERE tentative) AS tentative
       FROM slots WHERE booking_id = booking.id) AS held
     CROSS JOIN LATERAL (
       SELECT string_agg(status::text, ' ') AS statuses,
              COALESCE(bool_or(status IN ('PAID', 'REFUNDING', 'REFUNDED')), true) AS is_paid
       FROM payments WHERE booking_id = booking.id) AS paid
     CROSS JOIN LATERAL (
       SELECT booking.seats * count(*) AS slots FROM appointments
       WHERE booking_id = booking.id OR (plan.capacity IS NOT NULL AND plan_id = plan.id AND booking_id IS NULL)
     ) AS wanted
     WHERE CASE booking.status
       WHEN 'CONFIRMED' THEN NOT paid.is_paid OR held.tentative > 0 OR held.confirmed <> wanted.slots
       WHEN 'CANCELLED' THEN held.confirmed + held.tentative > 0
       ELSE held.confirmed > 0 OR held.tentative <> wanted.slots END`,
  );

/** Until the buyer leaves, or the event is cancelled. */
async function paidSlotsStay(market: Market, memory: MarketMemory): Promise<string[]> {
  const { arena, left } = market;
  const rows = await arena.database.query<{ id: string; bookingId: string }>(
    `SELECT slot.id, slot.booking_id AS "bookingId"
     FROM slots AS slot JOIN payments AS payment ON payment.booking_id = slot.booking_id
     WHERE payment.status = 'PAID' AND NOT slot.tentative`,
    [],
    { prepared: true },
  );
  const all = await arena.database.query<{ id: string }>("SELECT id FROM slots", [], {
    prepared: true,
  });
  const there = new Set(all.map(({ id }) => id));
  const events = await arena.database.query<{ id: string }>(
    "SELECT id FROM bookings WHERE ended_because = 'plan-cancelled'",
    [],
    { prepared: true },
  );
  const ended = new Set([...left, ...events.map(({ id }) => id)]);
  const breaches = [...memory.paidSlots]
    .filter(([id, bookingId]) => !there.has(id) && !ended.has(bookingId))
    .map(([id]) => `a slot that was paid for stays: ${id} is gone`);
  memory.paidSlots = new Map(rows.map(({ id, bookingId }) => [id, bookingId]));
  return breaches;
}

// Waitlist and mail ---------------------------------------------------------------------------------

/** At every moment, and not only when the job has run: whoever frees a seat offers it. */
const freeSeatsAreOffered: Rule = (market) =>
  broken(
    market,
    "a free seat that somebody waits for is offered",
    `SELECT title || ' has a free seat, and somebody waits' AS what FROM plans AS plan
     WHERE capacity > booked_seats + offered_seats AND starts_at > now() AND cancelled_at IS NULL
       AND EXISTS (
         SELECT 1 FROM waitlist_entries AS entry JOIN users AS person ON person.id = entry.user_id
         WHERE entry.plan_id = plan.id AND entry.status = 'WAITING' AND person.active
           AND NOT EXISTS (SELECT 1 FROM bookings WHERE plan_id = plan.id AND user_id = entry.user_id
                           AND status <> 'CANCELLED'))`,
  );

const toldOncePerOffer: Rule = (market) =>
  broken(
    market,
    "each offer has one mail, and nobody else has one",
    `SELECT person.external_ref || ' is ' || entry.status || ' and has ' || mails.count || ' mails of an offer' AS what
     FROM waitlist_entries AS entry JOIN users AS person ON person.id = entry.user_id
     CROSS JOIN LATERAL (
       SELECT count(*) FROM outbox_mails
       WHERE template = 'waitlist-offer' AND key LIKE '%' || entry.id::text) AS mails
     WHERE mails.count <> (entry.notified_at IS NOT NULL)::int
     UNION ALL
     SELECT person.external_ref || ' is ' || entry.status || ' and has ' || mails.count || ' mails of its end'
     FROM waitlist_entries AS entry JOIN users AS person ON person.id = entry.user_id
     CROSS JOIN LATERAL (
       SELECT count(*) FROM outbox_mails
       WHERE template = 'waitlist-expired' AND key LIKE '%' || entry.id::text) AS mails
     WHERE mails.count <> (entry.status = 'EXPIRED')::int`,
  );

/** A turn passes only when its person could read of it, or nobody can any more. */
const offersCountFromTheirMail: Rule = (market) =>
  broken(
    market,
    "an offer counts from when its mail was sent",
    `SELECT person.external_ref || ' is ' || entry.status || ', and the mail is ' || COALESCE(mail.status::text, 'none') AS what
     FROM waitlist_entries AS entry JOIN users AS person ON person.id = entry.user_id
     JOIN plans AS plan ON plan.id = entry.plan_id
     LEFT JOIN outbox_mails AS mail ON mail.key = 'waitlist-offer:' || entry.id
     WHERE (entry.status = 'EXPIRED' AND (mail.status IS DISTINCT FROM 'SENT' OR entry.ended_at < entry.expires_at))
        OR (entry.status = 'SKIPPED' AND mail.status = 'SENT' AND mail.settled_at <= entry.ended_at)
        OR (entry.status = 'SKIPPED' AND mail.status = 'LAPSED' AND person.active AND entry.ended_at < entry.expires_at)
        OR (entry.status = 'NOTIFIED' AND mail.status = 'SENT' AND entry.told_at IS DISTINCT FROM mail.settled_at)
        OR (entry.status = 'NOTIFIED' AND mail.status <> 'SENT' AND entry.told_at IS NOT NULL)
        OR (entry.status = 'NOTIFIED' AND entry.expires_at > now() AND entry.expires_at IS DISTINCT FROM
              LEAST(entry.told_at + entry.offer_ms * interval '1 millisecond', plan.starts_at))`,
  );

/** More than once only where nobody could know that it was taken, and then under the same Message-ID. */
const mailIsTakenOnce: Rule = ({ handedOver, shaken }) =>
  handedOver
    .filter(
      ({ mailId, acknowledged, by }, index) =>
        acknowledged &&
        !shaken.has(by) &&
        handedOver.slice(index + 1).some((later) => later.mailId === mailId),
    )
    .map(({ by }) => `a mail is taken once: ${by.name} knew that it had been taken`);

const sentMeansTaken: Rule = async (market) => {
  const sent = await market.arena.database.query<{ id: string; key: string }>(
    "SELECT id, split_part(key, ':', 1) AS key FROM outbox_mails WHERE status = 'SENT'",
    [],
    { prepared: true },
  );
  const taken = new Set(market.handedOver.map(({ mailId }) => mailId));
  return sent
    .filter(({ id }) => !taken.has(id))
    .map(({ key }) => `a mail that was sent was taken: a ${key} was not`);
};

// Payments ------------------------------------------------------------------------------------------

/** Money that the provider has for us is known to the row of its order, and has its place. */
const capturedMoneyHasItsPlace: Rule = async (market) => {
  const rows = await market.arena.database.query<{
    paymentId: string | null;
    orderId: string | null;
    status: string;
    booking: string;
    left: boolean;
    refunds: number;
  }>(
    `SELECT payment.provider_payment_id AS "paymentId", payment.provider_order_id AS "orderId",
            payment.status::text AS status, booking.status::text AS booking,
            booking.id = ANY($1) OR EXISTS (
              SELECT 1 FROM findings WHERE kind = 'plan-refund-refused' AND subject_id = payment.id::text) AS left,
            (SELECT count(*)::int FROM refunds WHERE payment_id = payment.id) AS refunds
     FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id`,
    [[...market.left]],
    { prepared: true },
  );
  const captured = market.arena.sandbox.payments().filter((payment) => payment.captured);
  const breaches = captured.flatMap(({ id, order_id }) => {
    const row =
      rows.find(({ paymentId }) => paymentId === id) ??
      rows.find(({ orderId, paymentId }) => orderId === order_id && paymentId === null);
    if (row === undefined) return ["captured, and no payment of ours could learn of it"];
    if (row.paymentId === null)
      return row.status === "PENDING" || row.status === "EXPIRED"
        ? []
        : [`captured, not recorded, and ${row.status}`];
    if (row.status === "PAID")
      return row.booking === "CONFIRMED" || row.left
        ? []
        : [`PAID, and the booking is ${row.booking}`];
    if (row.status === "REFUNDING" || row.status === "REFUNDED")
      return row.refunds > 0 ? [] : [`${row.status} without a refund`];
    return row.status === "ORPHANED" ? [] : [`captured, and ${row.status}`];
  });
  const unpaid = rows.filter(
    ({ paymentId, status }) =>
      ["PAID", "ORPHANED", "REFUNDING", "REFUNDED"].includes(status) &&
      !captured.some(({ id }) => id === paymentId),
  );
  return [...breaches, ...unpaid.map(({ status }) => `${status}, and nothing was captured`)].map(
    (what) => `captured money has its place: ${what}`,
  );
};

const walletsAgreeWithTheBooks: Rule = (market) =>
  broken(
    market,
    "a wallet holds what its account says, and never less than nothing",
    `SELECT wallet.balance_paise || ', booked ' || booked.paise AS what
     FROM wallet_accounts AS wallet CROSS JOIN LATERAL (
       SELECT COALESCE(-sum(entry.amount_paise), 0) AS paise
       FROM ledger_accounts AS account JOIN ledger_entries AS entry ON entry.account_id = account.id
       WHERE account.wallet_id = wallet.id) AS booked
     WHERE wallet.balance_paise <> booked.paise OR wallet.balance_paise < 0`,
  );

/** By the legs, and not by the books: what each checkout took, less what went back. */
const walletsAgreeWithTheLegs: Rule = (market) =>
  broken(
    market,
    "a wallet holds what was put in, less the legs that hold some of it",
    `SELECT wallet.balance_paise || ', by its legs ' || funded.paise - held.paise AS what
     FROM wallet_accounts AS wallet
     CROSS JOIN LATERAL (
       SELECT COALESCE(-sum(entry.amount_paise), 0) AS paise
       FROM ledger_transactions AS booking
       JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
       JOIN ledger_accounts AS account ON account.id = entry.account_id
       WHERE account.wallet_id = wallet.id AND booking.kind = 'wallet-funded') AS funded
     CROSS JOIN LATERAL (
       SELECT COALESCE(sum(leg.amount_paise - COALESCE((
                SELECT sum(amount_paise) FROM refund_legs
                WHERE payment_leg_id = leg.id AND state = 'PROCESSED'), 0)), 0) AS paise
       FROM payment_legs AS leg WHERE leg.wallet_id = wallet.id AND leg.released_at IS NULL) AS held
     WHERE wallet.balance_paise <> funded.paise - held.paise`,
  );

const creditAgreesWithTheLegs: Rule = (market) =>
  broken(
    market,
    "credit is used as far as legs hold it",
    `SELECT credit.used_paise || ', held ' || held.paise AS what
     FROM referral_credits AS credit CROSS JOIN LATERAL (
       SELECT COALESCE(sum(leg.amount_paise - COALESCE((
                SELECT sum(amount_paise) FROM refund_legs
                WHERE payment_leg_id = leg.id AND state = 'PROCESSED'), 0)), 0) AS paise
       FROM payment_legs AS leg WHERE leg.referral_credit_id = credit.id AND leg.released_at IS NULL) AS held
     WHERE credit.used_paise <> held.paise`,
  );

/** Only a checkout that ended unpaid lets go of what it held; the two rules above count how often. */
const releasedOnlyWhenUnpaid: Rule = (market) =>
  broken(
    market,
    "wallet money and credit are released when the checkout ends unpaid",
    `SELECT payment.status || ', and a leg of ' || leg.kind || ' is '
            || CASE WHEN leg.released_at IS NULL THEN 'held' ELSE 'released' END AS what
     FROM payment_legs AS leg JOIN payments AS payment ON payment.id = leg.payment_id
     WHERE leg.kind <> 'card' AND (payment.status IN ('PENDING', 'PAID') AND leg.released_at IS NOT NULL
                                   OR payment.status = 'EXPIRED' AND leg.released_at IS NULL)`,
  );

// Refunds -------------------------------------------------------------------------------------------

const refundsWithinTheLeg: Rule = (market) =>
  broken(
    market,
    "no more goes back by a leg than was paid by it",
    `SELECT back.paise || ' of ' || leg.amount_paise AS what
     FROM payment_legs AS leg CROSS JOIN LATERAL (
       SELECT sum(amount_paise) AS paise FROM refund_legs
       WHERE payment_leg_id = leg.id AND state <> 'FAILED') AS back
     WHERE back.paise > leg.amount_paise OR (back.paise > 0 AND leg.released_at IS NOT NULL)`,
  );

/** The provider's own list against our legs. */
const refundedOnceAtTheProvider: Rule = async (market) => {
  const { sandbox, database } = market.arena;
  const legs = await database.query<{
    id: string;
    state: string;
    paise: bigint;
    refundId: string | null;
    paymentId: string | null;
    key: string;
  }>(
    `SELECT leg.id, leg.state::text AS state, leg.amount_paise AS paise, refund.key,
            leg.provider_refund_id AS "refundId", payment.provider_payment_id AS "paymentId"
     FROM refund_legs AS leg JOIN payment_legs AS paid ON paid.id = leg.payment_leg_id
     JOIN refunds AS refund ON refund.id = leg.refund_id
     JOIN payments AS payment ON payment.id = paid.payment_id WHERE paid.kind = 'card'`,
    [],
    { prepared: true },
  );
  const refunds = sandbox.refunds();
  const breaches: string[] = [];
  for (const refund of refunds) {
    const own = legs.filter(({ id, refundId }) => id === refund.receipt || refundId === refund.id);
    const [leg] = own;
    if (own.length > 1) breaches.push("a refund there is two of ours");
    // Made outside, and not read so far: the end asks for it.
    if (leg === undefined && refund.receipt === null) continue;
    if (leg === undefined) breaches.push("a refund there has no leg of ours");
    else if (BigInt(refund.amount) !== leg.paise) breaches.push("another amount than our leg's");
    else if (refund.payment_id !== leg.paymentId) breaches.push("a refund of another payment");
    else if (leg.state === "FAILED" && refund.live) breaches.push("we say it failed");
  }
  for (const { id, state, refundId, key, paise, paymentId } of legs) {
    if (key.startsWith("dispute:")) {
      const taken = sandbox
        .disputes()
        .find((dispute) => key === `dispute:${dispute.id}` && dispute.status === "lost");
      if (taken?.payment_id !== paymentId || BigInt(taken.amount_deducted) !== paise)
        breaches.push("a dispute is booked that was not lost, or another amount");
      continue;
    }
    const own = refunds.filter((refund) => refund.receipt === id || refund.id === refundId);
    if (key.startsWith("provider-refund:") !== own.some(({ receipt }) => receipt === null))
      breaches.push(`${key.split(":")[0] ?? ""} is of the wrong kind of refund there`);
    if (own.filter(({ live }) => live).length > 1)
      breaches.push("two refunds of one leg are alive");
    if (state === "PROCESSED" && !own.some(({ status }) => status === "processed"))
      breaches.push("we say it was processed, and it was not");
    if (refundId !== null && !own.some((refund) => refund.id === refundId))
      breaches.push("a leg knows a refund that is none of its own");
  }
  for (const payment of sandbox.payments()) {
    const back = refunds
      .filter(({ payment_id, live }) => live && payment_id === payment.id)
      .reduce((sum, { amount }) => sum + amount, 0);
    if (back > (payment.captured ? payment.amount : 0)) breaches.push("more went back than came");
  }
  return breaches.map((what) => `a refund leg is one refund at the provider: ${what}`);
};

const refundFollowsItsLegs: Rule = (market) =>
  broken(
    market,
    "a refund is settled exactly when its legs are",
    `SELECT refund.status || ', legs ' || string_agg(leg.state::text, ' ') AS what
     FROM refunds AS refund JOIN refund_legs AS leg ON leg.refund_id = refund.id
     GROUP BY refund.id
     HAVING refund.status <> CASE
       WHEN bool_or(leg.state NOT IN ('PROCESSED', 'FAILED')) THEN 'PENDING'
       WHEN bool_or(leg.state = 'FAILED') THEN 'FAILED' ELSE 'PROCESSED' END::refund_status`,
  );

/** Nobody is paid while a buyer asks the bank for the money back. People release holds at the end alone. */
const disputesHoldTheConsultant: Rule = (market) =>
  market.isMended
    ? []
    : broken(
        market,
        "an open dispute holds its consultant",
        `SELECT 'a dispute is ' || dispute.status || ', and ' || payee.external_ref || ' is on no hold' AS what
         FROM disputes AS dispute
         JOIN payments AS payment ON payment.id = dispute.payment_id
         JOIN bookings AS booking ON booking.id = payment.booking_id
         JOIN plans AS plan ON plan.id = booking.plan_id
         JOIN consultants AS payee ON payee.id = plan.consultant_id
         WHERE dispute.holds_consultant AND dispute.ended_at IS NULL AND NOT EXISTS (
           SELECT 1 FROM consultant_holds
           WHERE consultant_id = payee.id AND kind = 'open_dispute' AND released_at IS NULL)`,
      );

/** Said when it is done, and not when it is asked for. */
const refundedWhenAllIsBack: Rule = (market) =>
  broken(
    market,
    "a payment is REFUNDED exactly when all of it went back",
    `SELECT payment.status || ', and ' || left_over.paise || ' paise did not go back' AS what
     FROM payments AS payment CROSS JOIN LATERAL (
       SELECT COALESCE(sum(leg.amount_paise - COALESCE((
                SELECT sum(amount_paise) FROM refund_legs
                WHERE payment_leg_id = leg.id AND state = 'PROCESSED'), 0)), 0) AS paise
       FROM payment_legs AS leg WHERE leg.payment_id = payment.id AND leg.released_at IS NULL) AS left_over
     WHERE (payment.status = 'REFUNDED') <> (left_over.paise = 0)
       AND payment.status IN ('PAID', 'REFUNDING', 'REFUNDED')`,
  );

/** The consultant bears the share of what went back for certain, to the paisa, and no more. */
const consultantBearsTheShare: Rule = (market) =>
  broken(
    market,
    "a consultant bears the share of what went back",
    `SELECT earning.booking_reference || ' bears ' || borne.paise || ' of ' || earning.amount_paise || ', share '
            || div(earning.amount_paise * back.paise, payment.amount_paise) AS what
     FROM earnings AS earning
     JOIN bookings AS booking ON sale_of_booking(booking.reference) = earning.id
     JOIN payments AS payment ON payment.booking_id = booking.id AND payment.status IN ('PAID', 'REFUNDING', 'REFUNDED')
     CROSS JOIN LATERAL (
       SELECT COALESCE(sum(leg.amount_paise), 0) AS paise
       FROM refunds AS refund JOIN refund_legs AS leg ON leg.refund_id = refund.id
       WHERE refund.payment_id = payment.id AND refund.of_sale AND refund.status <> 'PENDING'
         AND leg.state = 'PROCESSED') AS back
     CROSS JOIN LATERAL (
       SELECT COALESCE(sum(amount_paise), 0) AS paise FROM (
         SELECT key, amount_paise FROM earning_refunds WHERE earning_id = earning.id
         UNION ALL SELECT key, amount_paise FROM earning_recoveries WHERE earning_id = earning.id) AS part
       WHERE key IN (SELECT key FROM refunds WHERE payment_id = payment.id)) AS borne
     WHERE borne.paise <> div(earning.amount_paise * back.paise, payment.amount_paise)`,
  );

const recoveredIsTaken: Rule = (market) =>
  broken(
    market,
    "what is recovered was taken off earnings, and no earning falls below nothing",
    `SELECT recovery.recovered_amount_paise || ' recovered, ' || taken.paise || ' taken' AS what
     FROM earning_recoveries AS recovery CROSS JOIN LATERAL (
       SELECT COALESCE(sum(amount_paise), 0) AS paise FROM earning_refunds
       WHERE key LIKE 'recovery:' || recovery.id || ':%') AS taken
     WHERE recovery.recovered_amount_paise <> taken.paise
     UNION ALL
     SELECT 'an earning is ' || amount_paise FROM earnings_net WHERE amount_paise < 0 OR gross_paise < 0
     UNION ALL
     SELECT 'a payout is ' || amount_paise FROM payouts WHERE amount_paise <= 0`,
  );

// Cancelled events ----------------------------------------------------------------------------------

/** In the transaction that ends a booking its money is asked back, once, or a finding says why not. */
const cancelledEventIsRefunded: Rule = (market) =>
  broken(
    market,
    "who paid for a cancelled event is refunded once, and nobody waits for it",
    `SELECT booking.reference || ' is PAID, and nothing was asked back' AS what
     FROM bookings AS booking JOIN payments AS payment ON payment.booking_id = booking.id
     WHERE booking.ended_because = 'plan-cancelled' AND payment.status = 'PAID' AND NOT EXISTS (
       SELECT 1 FROM findings WHERE kind = 'plan-refund-refused' AND subject_id = payment.id::text)
     UNION ALL
     SELECT booking.reference || ' was asked back ' || count(*) || ' times'
     FROM bookings AS booking JOIN payments AS payment ON payment.booking_id = booking.id
     JOIN refunds AS refund ON refund.payment_id = payment.id AND refund.key LIKE 'plan-cancelled:%'
     GROUP BY booking.id, payment.id HAVING count(*) > 1
     UNION ALL
     SELECT plan.title || ' is cancelled, and somebody is ' || entry.status
     FROM plans AS plan JOIN waitlist_entries AS entry ON entry.plan_id = plan.id
     WHERE plan.cancelled_at IS NOT NULL AND entry.status IN ('WAITING', 'NOTIFIED')
     UNION ALL
     SELECT booking.reference || ' was told ' || count(*) || ' times'
     FROM bookings AS booking JOIN outbox_mails AS mail ON mail.key LIKE 'plan-cancelled:' || booking.id
     GROUP BY booking.id HAVING count(*) > 1`,
  );

/** Seats of an event that does not take place only become free. */
async function cancelledStaysCancelled(market: Market, memory: MarketMemory): Promise<string[]> {
  const rows = await market.arena.database.query<{ planId: string; title: string; held: string[] }>(
    `SELECT plan.id AS "planId", plan.title, ARRAY(
       SELECT id::text FROM bookings WHERE plan_id = plan.id AND status <> 'CANCELLED') AS held
     FROM plans AS plan WHERE plan.cancelled_at IS NOT NULL`,
    [],
    { prepared: true },
  );
  const breaches = rows.flatMap(({ planId, title, held }) => {
    const before = memory.heldOfCancelled.get(planId);
    return before === undefined || held.every((id) => before.has(id))
      ? []
      : [`no seat of a cancelled event is booked: one of ${title} is`];
  });
  memory.heldOfCancelled = new Map(rows.map(({ planId, held }) => [planId, new Set(held)]));
  return breaches;
}

const RULES: readonly Rule[] = [
  seatsWithinCapacity,
  noConfirmedOverlap,
  confirmedMeansPaid,
  freeSeatsAreOffered,
  toldOncePerOffer,
  offersCountFromTheirMail,
  mailIsTakenOnce,
  sentMeansTaken,
  capturedMoneyHasItsPlace,
  walletsAgreeWithTheBooks,
  walletsAgreeWithTheLegs,
  creditAgreesWithTheLegs,
  releasedOnlyWhenUnpaid,
  refundsWithinTheLeg,
  refundedOnceAtTheProvider,
  refundFollowsItsLegs,
  refundedWhenAllIsBack,
  disputesHoldTheConsultant,
  consultantBearsTheShare,
  recoveredIsTaken,
  cancelledEventIsRefunded,
];

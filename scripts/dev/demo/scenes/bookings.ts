import { seedBooking, seedPlan, seedWaiting, type SeededBooking } from "../../seed/bookings.ts";
import { inRupees, type World } from "./world.ts";

/** The webhook that tells of a capture never arrives. */
export async function lostWebhook(world: World): Promise<void> {
  const { sandbox, query } = world;
  const order = sandbox.createOrder({ amountPaise: 100_000n });
  const plan = await seedPlan(world, { kind: "consultation", title: "A first talk" });
  const booking = await seedBooking(world, { plan, checkout: { orderId: order.id } });
  sandbox.createPayment({ orderId: order.id, status: "captured" });
  await query("UPDATE payments SET created_at = now() - interval '16 minutes' WHERE id = $1", [
    booking.paymentId,
  ]);
  await world.job("payments/reconcile-late-captures");
  await world.shows(
    "The booking is CONFIRMED, and its payment PAID.",
    `SELECT format('The booking is %s, and its payment %s.', booking.status, payment.status) AS sentence
     FROM payments AS payment JOIN bookings AS booking ON booking.id = payment.booking_id WHERE payment.id = $1`,
    [booking.paymentId],
  );
}

/** A person refunds half of a payment in the provider's dashboard, and nobody tells us. */
export async function dashboardRefund(world: World): Promise<void> {
  const sold = await seedSold(world, {
    consultant: "C-801",
    reference: "S-801",
    paidPaise: 236_000n,
  });
  world.sandbox.refundInDashboard({ paymentId: sold, amountPaise: 118_000n });
  await world.job("payments/reconcile-payments");
  await world.shows(
    "Booked: ₹1,180.00 by provider, and the earning of C-801 falls by ₹800.00.",
    `SELECT 'Booked: ' || ${inRupees("refund.amount_paise")} || ' by ' || refund.requested_by
            || ', and the earning of C-801 falls by ' || ${inRupees("charged.amount_paise")} || '.' AS sentence
     FROM refunds AS refund JOIN earning_refunds AS charged ON charged.key = refund.key
     WHERE refund.key LIKE 'provider-refund:%'`,
  );
}

/** A buyer's bank takes money back of a sale that was paid out long ago. */
export async function dispute(world: World): Promise<void> {
  const { sandbox } = world;
  const sold = await seedSold(world, {
    consultant: "C-802",
    reference: "S-802",
    paidPaise: 354_000n,
  });
  const { id } = sandbox.createDispute({ paymentId: sold });
  const hold = `
    SELECT format('The dispute is %s, and C-802 is %s.', dispute.status,
                  CASE WHEN hold.released_at IS NULL THEN 'on hold' ELSE 'not on hold any more' END) AS sentence
    FROM disputes AS dispute, consultant_holds AS hold
    JOIN consultants AS consultant ON consultant.id = hold.consultant_id
    WHERE dispute.id = $1 AND consultant.external_ref = 'C-802'`;
  await world.job("payments/reconcile-payments", { red: true });
  await world.shows("The dispute is open, and C-802 is on hold.", hold, [id]);
  sandbox.moveDispute(id, { status: "lost" });
  await world.job("payments/reconcile-payments", { red: true });
  await world.shows("The dispute is lost, and C-802 is not on hold any more.", hold, [id]);
  await world.job("payouts/create-payout-batch");
  await world.shows(
    "C-802 owed ₹2,500.00 for it, and ₹2,500.00 is taken off the next payout.",
    `SELECT 'C-802 owed ' || ${inRupees("amount_paise")} || ' for it, and ' || ${inRupees("recovered_amount_paise")}
            || ' is taken off the next payout.' AS sentence
     FROM earning_recoveries WHERE key = 'dispute:' || $1`,
    [id],
  );
}

/** A full webinar with two payers, one open checkout and one person who waits. */
export async function cancelledEvent(world: World): Promise<void> {
  const plan = await seedPlan(world, { title: "Stars over Pune", capacity: 3 });
  for (let seat = 0; seat < 2; seat += 1) await seedPaid(world, { plan, paidPaise: 80_000n });
  const { id: orderId } = world.sandbox.createOrder({ amountPaise: 80_000n });
  await seedBooking(world, { plan, checkout: { orderId } });
  await seedWaiting(world, { plan });

  world.say("Cancelling the event: npm run plans -- cancel");
  await world.command("plans", "cancel", plan.id, "--reason", "the speaker is ill");
  // Twice: the provider finishes a refund after it has answered.
  for (let run = 0; run < 2; run += 1) await world.job("payments/process-refunds");
  await world.job("notifications/deliver-outbox");
  await world.shows(
    "3 bookings and 1 place in the line ended, and ₹1,600.00 went back.",
    `SELECT (SELECT count(*) FROM bookings WHERE plan_id = $1 AND ended_because::text = 'plan-cancelled')
            || ' bookings and '
            || (SELECT count(*) FROM waitlist_entries WHERE plan_id = $1 AND status = 'CANCELLED')
            || ' place in the line ended, and '
            || (SELECT ${inRupees("sum(amount_paise)")} FROM refunds
                WHERE key LIKE 'plan-cancelled:' || $1 || ':%' AND status = 'PROCESSED')
            || ' went back.' AS sentence`,
    [plan.id],
  );
  await world.shows(
    "4 people have a mail about it.",
    `SELECT count(DISTINCT user_id) || ' people have a mail about it.' AS sentence FROM outbox_mails
     WHERE template IN ('plan-cancelled', 'waitlist-plan-cancelled') AND status = 'SENT'`,
  );
}

/** A seat is free, two people wait, and the mail server is away for two days. */
export async function offerWithoutMail(world: World): Promise<void> {
  const plan = await seedPlan(world, { title: "Yoga at dawn", capacity: 2 });
  await seedBooking(world, { plan, status: "CONFIRMED" });
  for (let place = 0; place < 2; place += 1) await seedWaiting(world, { plan });
  const line = `
    SELECT format('The first of the line is %s%s, the second %s.', first.status,
                  CASE WHEN first.told_at IS NULL THEN ', the mail not sent' ELSE ' for ' ||
                    round(extract(epoch FROM first.expires_at - first.told_at) / 3600) || ' hours from the mail on' END,
                  second.status) AS sentence
    FROM waitlist_entries AS first JOIN waitlist_entries AS second
      ON second.plan_id = first.plan_id AND second.position > first.position
    WHERE first.plan_id = $1`;
  const WAITS = "The first of the line is NOTIFIED, the mail not sent, the second WAITING.";

  world.mails.behave({ at: "connect", do: "drop", times: Infinity });
  await world.job("waitlist/process-expired-notifications");
  await world.shows(WAITS, line, [plan.id]);
  world.say("Two days go by");
  await world.query(`
    SET session_replication_role = replica;
    UPDATE waitlist_entries SET notified_at = notified_at - interval '2 days' WHERE status = 'NOTIFIED';
    UPDATE outbox_mails SET due_at = now(), created_at = created_at - interval '2 days' WHERE status = 'QUEUED';
    SET session_replication_role = DEFAULT`);
  await world.job("waitlist/process-expired-notifications", { red: true });
  await world.shows(WAITS, line, [plan.id]);
  world.say("The mail server is back");
  world.mails.behaveWell();
  await world.query("UPDATE outbox_mails SET due_at = now() WHERE status = 'QUEUED'");
  await world.job("notifications/deliver-outbox");
  await world.shows(
    "The first of the line is NOTIFIED for 24 hours from the mail on, the second WAITING.",
    line,
    [plan.id],
  );
}

/** A sale that was imported, with the buyer's payment of it. @returns the provider's id of the payment */
async function seedSold(
  world: World,
  sale: { consultant: string; reference: string; paidPaise: bigint },
): Promise<string> {
  const [consultant] = await world.query<{ id: string }>(
    "SELECT id FROM consultants WHERE external_ref = $1",
    [sale.consultant],
  );
  if (!consultant) throw new Error(`${sale.consultant} was not imported`);
  const plan = await seedPlan(world, { kind: "consultation", consultantId: consultant.id });
  const { providerPaymentId = "" } = await seedPaid(world, { plan, ...sale });
  return providerPaymentId;
}

async function seedPaid(
  world: World,
  {
    plan,
    paidPaise,
    reference,
  }: { plan: SeededBooking["plan"]; paidPaise: bigint; reference?: string },
): Promise<SeededBooking> {
  const order = world.sandbox.createOrder({ amountPaise: paidPaise });
  const { id } = world.sandbox.createPayment({ orderId: order.id, status: "captured" });
  return seedBooking(world, {
    plan,
    status: "CONFIRMED",
    ...(reference === undefined ? {} : { reference }),
    checkout: {
      status: "PAID",
      orderId: order.id,
      paymentId: id,
      legs: [{ kind: "card", amountPaise: paidPaise }],
    },
  });
}

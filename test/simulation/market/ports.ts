import { openMailer } from "../../../lib/notifications/smtp-mailer.ts";
import type { Mailer } from "../../../lib/notifications/mailer.ts";
import type { Behaviour } from "../../../scripts/sandbox/mail/index.ts";
import type { SimulatedProcess } from "../process.ts";
import { callProvider } from "../provider-calls.ts";
import { incidentOf } from "../trouble.ts";
import type { Market } from "./world.ts";
import type { PaymentProvider } from "../../../lib/provider/index.ts";

/** The client of the payments API, each call of which waits for its turn and may go wrong. */
export function paymentsOf(
  market: Market,
  process: SimulatedProcess,
  real: PaymentProvider,
): PaymentProvider {
  const call =
    <Input, Result>(
      name: Parameters<typeof callProvider>[2]["name"],
      send: (input: Input, options?: { signal?: AbortSignal }) => Promise<Result>,
    ) =>
    (input: Input, options?: { signal?: AbortSignal }): Promise<Result> =>
      callProvider(market, process, { name, input, send, signal: options?.signal });
  return {
    fetchOrder: call("GET /orders/:id", (id, given) => real.fetchOrder(id, given)),
    listOrderPayments: call("GET /orders/:id/payments", (id, given) =>
      real.listOrderPayments(id, given),
    ),
    annotateOrder: (id, notes, options) =>
      call("PATCH /orders/:id", (input: string, given) => real.annotateOrder(input, notes, given))(
        id,
        options,
      ),
    fetchPayment: call("GET /payments/:id", (id, given) => real.fetchPayment(id, given)),
    createRefund: call("POST /payments/:id/refund", async (request, given) => {
      await checkBesideDisputes(market, process, request);
      return real.createRefund(request, given);
    }),
    fetchRefund: call("GET /refunds/:id", (id, given) => real.fetchRefund(id, given)),
    listRefunds: call("GET /payments/:id/refunds", (id, given) => real.listRefunds(id, given)),
    listAllRefunds: call("GET /refunds", (window, given) => real.listAllRefunds(window, given)),
    listDisputes: call("GET /disputes", (window, given) => real.listDisputes(window, given)),
    fetchDispute: call("GET /disputes/:id", (id, given) => real.fetchDispute(id, given)),
  };
}

/**
 * When the request of a refund leaves: its payment was not disputed, by what was on record when the run claimed it. The
 * buyer would get the money twice.
 */
async function checkBesideDisputes(
  market: Market,
  process: SimulatedProcess,
  { idempotencyKey }: { idempotencyKey: string },
): Promise<void> {
  const rows = await market.arena.database.query(
    `SELECT 1 FROM refund_legs AS leg JOIN refunds AS refund ON refund.id = leg.refund_id
     JOIN disputes AS dispute ON dispute.payment_id = refund.payment_id
     WHERE leg.idempotency_key = $1 AND dispute.first_seen_at < leg.claimed_at
       AND (dispute.ended_at IS NULL OR dispute.ended_at > leg.claimed_at)`,
    [idempotencyKey],
    { prepared: true },
  );
  if (rows.length > 0)
    market.violations.push(`${process.name} sends a refund of a payment that is disputed`);
}

/** The server is not there, at whichever step it is met. */
const AWAY = "server away";

/** What the mail server does instead of taking a mail and saying so. */
const MAIL_MISHAPS: Readonly<Record<string, readonly Behaviour[]>> = {
  [AWAY]: [
    { at: "connect", do: "drop", times: Infinity },
    { at: "sender", do: "drop", times: Infinity },
  ],
  "refused for now": [{ at: "recipient", do: { refuse: 450 } }],
  "refused for good": [{ at: "recipient", do: { refuse: 550 } }],
  "refused after its text": [{ at: "answer", do: { refuse: 451 } }],
  "sender refused": [{ at: "sender", do: { refuse: 550 } }],
  "dropped before the text": [{ at: "text", do: "drop" }],
  "dropped after the final dot, not taken": [{ at: "answer", do: "drop" }],
  "dropped after the final dot, taken": [{ at: "answer", do: "drop", taken: true }],
};

function chooseMailMishap({ chance, mailFaultRate }: Market): string | undefined {
  if (!chance.happens(mailFaultRate)) return undefined;
  return chance.pick(Object.keys(MAIL_MISHAPS).filter((name) => name !== AWAY));
}

/** A mailer over SMTP, each mail of which waits for its turn and may go wrong. */
export function mailerOf(market: Market, process: SimulatedProcess): Mailer {
  const { arena, scheduler, story } = market;
  const real = openMailer(arena.mailSettings);
  process.onRetired(() => {
    real.close();
    return Promise.resolve();
  });
  return {
    sendAtMostMs: real.sendAtMostMs,
    close: () => real.close(),
    send: (mail, options) =>
      scheduler.turn(process, async () => {
        const incident = incidentOf(market, process, "gateway");
        await incident.before();
        if (process.dead) throw new Error("killed");
        const mishap = market.mailAwayMinutes > 0 ? AWAY : chooseMailMishap(market);
        for (const behaviour of mishap === undefined ? [] : (MAIL_MISHAPS[mishap] ?? []))
          arena.mail.behave(behaviour);
        if (mishap !== undefined) story.push(`  ${process.name}: mail ${mishap}`);
        const before = arena.mail.mails().length;
        try {
          const answer = await real.send(mail, options);
          if (arena.mail.mails().length > before) {
            const { accepted: acknowledged } = answer;
            market.handedOver.push({ mailId: mail.id, by: process, acknowledged });
          }
          return answer;
        } finally {
          arena.mail.behaveWell();
          await incident.after();
        }
      }),
  };
}

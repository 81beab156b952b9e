/** Finance's commands for payments: `npm run payments -- <command>`. See docs/refunds.md. */
import { InvalidArgumentError } from "commander";
import {
  refundPayment,
  type PaymentRefunded,
  type SeatAfterRefund,
} from "../../lib/checkouts/refund-payment.ts";
import { showPayment } from "../../lib/refunds/show-payment.ts";
import { parseRupees, type Paise } from "../../lib/support/money.ts";
import { newUuid } from "../../lib/support/random.ts";
import { waitlistEnvironment } from "../../lib/waitlist/settings.ts";
import { BY, idOf, settingsFrom, shortText, WHY } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand, unknown, type Changed } from "./frame/command.ts";
import { printOne } from "./frame/print.ts";
import { paymentLines } from "./payments/print.ts";

const { program, reading, changing, run } = operatorCommand(
  "payments",
  "Looks at payments and asks for refunds of them. Each change is audited.",
);
program.addHelpText("after", EXIT_STATUS);

program
  .command("show")
  .description("everything about one payment: legs, refunds, earning, audit")
  .argument("<id>", "the payment", idOf("payment"))
  .option("--json", "one JSON object, amounts in decimal rupees")
  .action(async (id: string, options: { json?: boolean }) => {
    await reading(async (db) => {
      const payment = await showPayment(db, id);
      if (!payment) throw unknown("payment", id);
      printOne(payment, { json: options.json, lines: () => paymentLines(payment) });
    });
  });

program
  .command("refund")
  .description(
    "asks for a refund; payments/process-refunds carries it out within a quarter of an hour. One that leaves nothing of the sale ends the booking, and offers its seat on",
  )
  .argument("<id>", "the payment", idOf("payment"))
  .requiredOption("--amount <rupees>", "such as 250.00, or all for what is left", amount)
  .option("--keep-seat", "the booking stands although all of its money goes back")
  .requiredOption(...WHY)
  .option("--key <key>", "makes it happen once, however often the command is given", shortText)
  .option(...BY)
  .action(
    async (
      id: string,
      options: {
        amount: Paise | "all";
        keepSeat?: boolean;
        reason: string;
        key?: string;
        by?: string;
      },
    ) => {
      const key = `by-hand:${options.key ?? newUuid()}`;
      const { offerMs } = settingsFrom(waitlistEnvironment, process.env);
      await changing(options, async (db, { by: requestedBy, reason }) => {
        const { amount: amountPaise } = options;
        const request = { paymentId: id, key, amountPaise, reason, requestedBy };
        const refunded = await refundPayment(db, {
          refund: request,
          keepSeat: options.keepSeat === true,
          offerMs,
        });
        return changeOf(id, refunded);
      });
    },
  );

await run();

function changeOf(id: string, { refund, seat }: PaymentRefunded): Changed {
  if (refund.kind !== "refused") {
    return {
      done: true,
      line: `${refund.kind}  ${id}  refund ${refund.refundId}  ${seatLine(seat)}`,
    };
  }
  // All had gone back before, and now the seat that was kept is free.
  const done = seat.kind === "freed";
  return {
    done,
    line: `not refunded  ${id}  ${refund.code}: ${refund.message}.  ${seatLine(seat)}`,
  };
}

function seatLine(seat: SeatAfterRefund): string {
  switch (seat.kind) {
    case "freed":
      return `booking ended: slots freed ${seat.slots}, seats offered ${seat.offers}`;
    case "kept":
      return "booking stands: its seat is kept";
    case "ended-before":
      return "booking had ended before";
    case "untouched":
      return "booking stays as it was";
  }
}

function amount(text: string): Paise | "all" {
  if (text === "all") return "all";
  const paise = parseRupees(text);
  if (paise === undefined || paise === 0n) {
    throw new InvalidArgumentError(
      "expected an amount in rupees above zero, such as 250.00, or all.",
    );
  }
  return paise;
}

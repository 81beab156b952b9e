/** Finance's commands for payments: `npm run payments -- <command>`. See docs/refunds.md. */
import { InvalidArgumentError } from "commander";
import { inTransaction } from "../../lib/db/client.ts";
import { requestRefund } from "../../lib/payments/refunds/request-refund.ts";
import { showPayment } from "../../lib/payments/refunds/show-payment.ts";
import { parseRupees, type Paise } from "../../lib/support/money.ts";
import { newUuid } from "../../lib/support/random.ts";
import { BY, idOf, shortText, WHY } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand, unknown } from "./frame/command.ts";
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
    "asks for a refund; payments/process-refunds carries it out within a quarter of an hour",
  )
  .argument("<id>", "the payment", idOf("payment"))
  .requiredOption("--amount <rupees>", "such as 250.00, or all for what is left", amount)
  .requiredOption(...WHY)
  .option("--key <key>", "makes it happen once, however often the command is given", shortText)
  .option(...BY)
  .action(
    async (
      id: string,
      options: { amount: Paise | "all"; reason: string; key?: string; by?: string },
    ) => {
      const key = `by-hand:${options.key ?? newUuid()}`;
      await changing(options, async (db, { by: requestedBy, reason }) => {
        const { amount: amountPaise } = options;
        const request = { paymentId: id, key, amountPaise, reason, requestedBy };
        const result = await inTransaction(db, (tx) => requestRefund(tx, request));
        return result.kind === "refused"
          ? { done: false, line: `not refunded  ${id}  ${result.code}: ${result.message}.` }
          : { done: true, line: `${result.kind}  ${id}  refund ${result.refundId}` };
      });
    },
  );

await run();

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

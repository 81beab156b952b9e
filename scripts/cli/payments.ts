/** Finance's commands for payments: `npm run payments -- <command>`. See docs/refunds.md. */
import { InvalidArgumentError } from "commander";
import { inTransaction } from "../../lib/db/client.ts";
import { requestRefund } from "../../lib/refunds/request-refund.ts";
import { showPayment } from "../../lib/refunds/show-payment.ts";
import { parseRupees, type Paise } from "../../lib/support/money.ts";
import { newUuid } from "../../lib/support/random.ts";
import { paymentLines } from "./payments/print.ts";
import { operatorName, paymentId, reason, shortText, whoDoesIt } from "./frame/arguments.ts";
import { BY, databaseFor, describeFailure, EXIT, unknown, WHY } from "./frame/command.ts";
import { toJsonText } from "./payouts/print.ts";
import { newCommand } from "./frame/command-line.ts";

const withDatabase = databaseFor("afterhours payments");

const program = newCommand("payments")
  .description("Looks at payments and asks for refunds of them. Each change is audited.")
  .addHelpText("after", "\nExit status: 0 done; 1 something was not done; 2 used wrongly.")
  .exitOverride();

program
  .command("show")
  .description("everything about one payment: legs, refunds, earning, audit")
  .argument("<id>", "the payment", paymentId)
  .option("--json", "one JSON object, amounts in decimal rupees")
  .action(async (id: string, options: { json?: boolean }) => {
    await withDatabase({ readOnly: true }, async (db) => {
      const payment = await showPayment(db, id);
      if (!payment) throw unknown("payment", id);
      console.log(options.json ? toJsonText(payment) : paymentLines(payment).join("\n"));
    });
  });

program
  .command("refund")
  .description(
    "asks for a refund; payments/process-refunds carries it out within a quarter of an hour",
  )
  .argument("<id>", "the payment", paymentId)
  .requiredOption("--amount <rupees>", "such as 250.00, or all for what is left", amount)
  .requiredOption(...WHY, reason)
  .option("--key <key>", "makes it happen once, however often the command is given", shortText)
  .option(...BY, operatorName)
  .action(
    async (
      id: string,
      options: { amount: Paise | "all"; reason: string; key?: string; by?: string },
    ) => {
      const requestedBy = whoDoesIt(options.by, process.env);
      const key = `by-hand:${options.key ?? newUuid()}`;
      await withDatabase({ readOnly: false }, async (db) => {
        const result = await inTransaction(db, (tx) =>
          requestRefund(tx, {
            paymentId: id,
            key,
            amountPaise: options.amount,
            reason: options.reason,
            requestedBy,
          }),
        );
        if (result.kind === "refused") {
          console.log(`not refunded  ${id}  ${result.code}: ${result.message}.`);
          process.exitCode = EXIT.notDone;
        } else {
          console.log(`${result.kind}  ${id}  refund ${result.refundId}`);
        }
      });
    },
  );

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = describeFailure(thrown);
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

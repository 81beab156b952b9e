import { InvalidArgumentError } from "commander";
import {
  listMails,
  MAIL_STATUSES,
  requeueMail,
  type ListedMail,
  type MailStatus,
  type Requeued,
} from "../../lib/notifications/operate.ts";
import { isUuid } from "../../lib/payouts/operate/index.ts";
import { previewMails } from "./mails/preview.ts";
import { listLimit, operatorName, reason, whoDoesIt } from "./frame/arguments.ts";
import { BY, databaseFor, describeFailure, EXIT, unknown, WHY } from "./frame/command.ts";
import { istMinute } from "../../lib/support/calendar.ts";
import { table, toJsonText } from "./payouts/print.ts";
import { newCommand } from "./frame/command-line.ts";

const withDatabase = databaseFor("afterhours mails");

const program = newCommand("mails")
  .description("Looks at mails, and queues again what was given up. That is audited.")
  .addHelpText("after", "\nExit status: 0 done; 1 something was not done; 2 used wrongly.")
  .exitOverride();

program
  .command("preview")
  .description("renders every mail with sample data, as .html, .txt and .eml; sends nothing")
  .option("--out <dir>", "where to", ".cache/mails")
  .action(async ({ out }: { out: string }) => {
    console.log((await previewMails(out)).join("\n"));
    console.log(`\nThe files are in ${out}.`);
  });

program
  .command("list")
  .description("mails that wait or were given up, oldest first")
  .option("--status <status>", `only these: ${MAIL_STATUSES.join(", ")}`, mailStatus)
  .option("--limit <n>", "at most so many", listLimit, 50)
  .option("--json", "one JSON array")
  .action(async (options: { status?: MailStatus; limit: number; json?: boolean }) => {
    const { status, limit, json } = options;
    await withDatabase({ readOnly: true }, async (db) => {
      const { mails, more } = await listMails(db, { status, limit });
      if (json) console.log(toJsonText(mails));
      else console.log(mails.length === 0 ? "No mails." : mailLines(mails).join("\n"));
      if (more) console.error(`There are more than ${limit}; use --limit.`);
    });
  });

program
  .command("requeue")
  .description("queues a mail again that was given up; the next delivery sends it")
  .argument("<id>", "the mail's id", mailId)
  .requiredOption(...WHY, reason)
  .option(...BY, operatorName)
  .action(async (id: string, options: { by?: string; reason: string }) => {
    const by = whoDoesIt(options.by, process.env);
    await withDatabase({ readOnly: false }, async (db) => {
      const requeued = await requeueMail(db, { mailId: id, by, reason: options.reason });
      console.log(requeuedLine(id, requeued));
      if (requeued.outcome !== "requeued") process.exitCode = EXIT.notDone;
    });
  });

try {
  await program.parseAsync();
} catch (thrown) {
  process.exitCode = describeFailure(thrown);
}

function mailLines(mails: readonly ListedMail[]): string[] {
  return table(
    ["Mail", "Template", "Status", "Tries", "Written (IST)", "Due (IST)", "Last error"],
    mails.map((mail) => [
      mail.id,
      mail.template,
      mail.status,
      String(mail.tries),
      istMinute(mail.createdAt),
      istMinute(mail.dueAt),
      mail.lastError ?? "",
    ]),
  );
}

function requeuedLine(id: string, requeued: Requeued): string {
  switch (requeued.outcome) {
    case "requeued":
      return `requeued  ${id}  ${requeued.template}`;
    case "not-given-up":
      return `not requeued  ${id}  it is ${requeued.status}; only what was given up can be`;
    case "unknown":
      throw unknown("mail", id);
  }
}

function mailStatus(text: string): MailStatus {
  const found = MAIL_STATUSES.find((status) => status === text.toUpperCase());
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${MAIL_STATUSES.join(", ")}.`);
  }
  return found;
}

function mailId(text: string): string {
  if (!isUuid(text)) {
    throw new InvalidArgumentError(
      "expected a mail's id, such as 8c1f0b9e-2d34-4a55-9f10-3b1d7c6e5a42.",
    );
  }
  return text.toLowerCase();
}

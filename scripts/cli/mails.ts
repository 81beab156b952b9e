import {
  listMails,
  MAIL_STATUSES,
  requeueMail,
  type ListedMail,
  type MailStatus,
  type Requeued,
} from "../../lib/notifications/operate.ts";
import { istMinute } from "../../lib/support/calendar.ts";
import { textTable } from "../../lib/support/text-table.ts";
import { BY, CSV_LIST, idOf, JSON_LIST, LIMIT, oneOf, upperCase, WHY } from "./frame/arguments.ts";
import { EXIT_STATUS, operatorCommand, unknown } from "./frame/command.ts";
import { printList, type Columns, type ListFormat } from "./frame/print.ts";
import { previewMails } from "./mails/preview.ts";

const MAIL_COLUMNS: Columns<ListedMail> = {
  id: true,
  key: true,
  template: true,
  status: true,
  tries: true,
  lastError: true,
  createdAt: true,
  dueAt: true,
  settledAt: true,
};

const { program, reading, changing, run } = operatorCommand(
  "mails",
  "Looks at mails, and queues again what was given up. That is audited.",
);
program.addHelpText("after", EXIT_STATUS);

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
  .option(
    "--status <status>",
    `only these: ${MAIL_STATUSES.join(", ")}`,
    oneOf(MAIL_STATUSES, upperCase),
  )
  .option(...LIMIT)
  .addOption(JSON_LIST)
  .addOption(CSV_LIST)
  .action(async (options: { status?: MailStatus; limit: number } & ListFormat) => {
    const { status, limit } = options;
    await reading(async (db) => {
      const { mails, more } = await listMails(db, { status, limit });
      printList(mails, {
        format: options,
        columns: MAIL_COLUMNS,
        none: "No mails.",
        lines: mailLines,
        more,
        limit,
      });
    });
  });

program
  .command("requeue")
  .description("queues a mail again that was given up; the next delivery sends it")
  .argument("<id>", "the mail's id", idOf("mail"))
  .requiredOption(...WHY)
  .option(...BY)
  .action(async (id: string, options: { by?: string; reason: string }) => {
    await changing(options, async (db, { by, reason }) => {
      const requeued = await requeueMail(db, { mailId: id, by, reason });
      return { done: requeued.outcome === "requeued", line: requeuedLine(id, requeued) };
    });
  });

await run();

function mailLines(mails: readonly ListedMail[]): string[] {
  return textTable(
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

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { renderMail } from "../../../lib/notifications/render.ts";
import { compose } from "../../../lib/notifications/smtp-mailer.ts";
import { toJson } from "../../../lib/support/log.ts";
import { writePrivateFile } from "../../../lib/support/private-file.ts";
import { textTable } from "../../../lib/support/text-table.ts";
import { SAMPLE_MAILS, SAMPLE_READER } from "./sample.ts";

const FROM = { name: "The marketplace", address: "bookings@marketplace.example" };

/** Renders every mail with sample data into files: HTML, text, and a message that a mail program opens. */
export async function previewMails(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const rows: string[][] = [];
  for (const [template, data] of Object.entries(SAMPLE_MAILS)) {
    const stored: unknown = JSON.parse(toJson(data));
    const mail = renderMail(template, { name: SAMPLE_READER.name, data: stored });
    const raw = await compose(
      { id: `preview-${template}`, to: SAMPLE_READER, ...mail },
      { from: FROM, replyTo: undefined },
    );
    writePrivateFile(join(folder, `${template}.html`), mail.html);
    writePrivateFile(join(folder, `${template}.txt`), `${mail.subject}\n\n${mail.text}`);
    writePrivateFile(join(folder, `${template}.eml`), raw);
    rows.push([template, mail.subject, String(raw.length)]);
  }
  return textTable(["Mail", "Subject", "Bytes"], rows);
}

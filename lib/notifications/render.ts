import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { AfterhoursError } from "../support/errors.ts";
import { footerOf, isMailTemplate, onOneLine, shownOf } from "./shown.ts";

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

/** A mail whose template or data are broken. Trying it again does not mend it. */
export class MailNotRenderedError extends AfterhoursError {
  override readonly name = "MailNotRenderedError";

  constructor(template: string, cause?: unknown) {
    super("MAIL_NOT_RENDERED", `the mail ${template} can not be rendered from its data`, {
      cause,
      remedy: "Mend the template or its schema, then queue the mail again.",
    });
  }
}

/** A file that belongs to this version is not where it was installed. No mail is at fault. */
export class MailTemplateMissingError extends AfterhoursError {
  override readonly name = "MailTemplateMissingError";
  /** Its name, without the folder. */
  readonly file: string;

  constructor(file: string, cause: unknown) {
    super("MAIL_TEMPLATE_MISSING", `the mail template ${file} is not there or can not be read`, {
      cause,
      remedy: "The installation is not complete: run `npm run build`.",
    });
    this.file = file;
  }
}

/**
 * Renders a mail for its reader. A missing value that a template names is an error. HTML escapes every value;
 * text keeps it unchanged.
 *
 * @throws {MailNotRenderedError}
 * @throws {MailTemplateMissingError}
 */
export function renderMail(
  template: string,
  { name, data }: { name: string; data: unknown },
): RenderedMail {
  if (!isMailTemplate(template)) throw new MailNotRenderedError("without a template");
  try {
    const shown = { name: onOneLine(name), ...shownOf(template, data) };
    const { subject, text, html } = templateOf(template);
    const heading = onOneLine(subject(shown));
    const layout = layoutOf();
    const footer = footerOf(template);
    return {
      subject: heading,
      text: layout.text({ content: text(shown), footer }),
      html: layout.html({ heading, content: new Handlebars.SafeString(html(shown)), footer }),
    };
  } catch (error) {
    if (error instanceof MailTemplateMissingError) throw error;
    throw new MailNotRenderedError(template, error);
  }
}

type Part = (shown: object) => string;

const compiled = new Map<string, { subject: Part; text: Part; html: Part }>();

/** The first line of the text file is the subject. */
function templateOf(template: string): { subject: Part; text: Part; html: Part } {
  const known = compiled.get(template);
  if (known) return known;
  const source = fileOf(`${template}.txt`);
  const end = source.indexOf("\n");
  const parts = {
    subject: compile(source.slice(0, end), { escaped: false }),
    text: compile(source.slice(end).trim(), { escaped: false }),
    html: compile(fileOf(`${template}.html`), { escaped: true }),
  };
  compiled.set(template, parts);
  return parts;
}

let layouts: { text: Part; html: Part } | undefined;

function layoutOf(): { text: Part; html: Part } {
  return (layouts ??= {
    text: compile(fileOf("layout.txt"), { escaped: false }),
    html: compile(fileOf("layout.html"), { escaped: true }),
  });
}

function compile(source: string, { escaped }: { escaped: boolean }): Part {
  const part = Handlebars.compile<object>(source, { strict: true, noEscape: !escaped });
  return (shown) => part(shown);
}

function fileOf(name: string): string {
  try {
    return readFileSync(new URL(`./templates/${name}`, import.meta.url), "utf8");
  } catch (error) {
    throw new MailTemplateMissingError(name, error);
  }
}

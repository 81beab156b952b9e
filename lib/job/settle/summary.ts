import { markdownTable } from "../../support/markdown-table.ts";
import { oneLine } from "../../support/one-line.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import { textTable } from "../../support/text-table.ts";
import { withoutCommands } from "../runner-commands.ts";
import type { Runbook } from "./runbooks.ts";

export interface SummaryInput {
  job: string;
  dryRun: boolean;
  runId: string;
  outcome: string;
  reason: string;
  message: string;
  remedy: string | undefined;
  /** Link to the next steps; undefined when none are needed. */
  runbook: Runbook | undefined;
  tables: readonly SummaryTable[];
}

/** GitHub shows nothing of a summary above 1 MiB. */
const LARGEST_BYTES = 900 * 1024;
/** A message that is longer would push out the numbers. */
const LONGEST_SENTENCE = 4000;
/** Room for the note about omitted lines. */
const NOTE_BYTES = 300;

/** The step summary as GitHub Markdown, never above 900 KiB: rows beyond that are counted instead. */
export function renderMarkdown(input: SummaryInput): string {
  const lines: string[] = [];
  let bytes = 0;
  let leftOut = 0;
  let full = false;
  const add = (line: string): boolean => {
    const size = Buffer.byteLength(line) + 1;
    // After the first line that did not fit, no smaller one follows: a row never appears without its heading.
    full ||= bytes + size > LARGEST_BYTES - NOTE_BYTES;
    if (full) return false;
    lines.push(line);
    bytes += size;
    return true;
  };

  const dry = input.dryRun ? " (dry run)" : "";
  const because = input.reason === "" ? "" : `: ${markdownText(input.reason)}`;
  add(`## ${markdownText(input.job)}${dry}`);
  add("");
  add(`**${markdownText(input.outcome)}**${because}. ${markdownText(shortened(input.message))}`);
  if (input.remedy !== undefined) {
    add("");
    add(`What to do: ${markdownText(shortened(input.remedy))}`);
  }
  if (input.runbook !== undefined) {
    add("");
    add(`Next: ${markdownLink(input.runbook)}`);
  }
  for (const table of input.tables) {
    if (table.rows.length === 0) continue;
    add("");
    add(`### ${markdownText(table.title)}`);
    add("");
    const [heads = "", rule = "", ...rows] = markdownTable(table.columns, table.rows, markdownText);
    add(heads);
    add(rule);
    for (const row of rows) if (!add(row)) leftOut++;
    if ((table.more ?? 0) > 0) {
      add("");
      add(`and ${table.more} more`);
    }
  }
  if (leftOut > 0) lines.push("", `${leftOut} more rows do not fit here; they are in the log.`);
  lines.push("", `Run \`${input.runId}\``, "");
  return lines.join("\n");
}

/** The same for a terminal or a plain log: aligned columns. */
export function renderPlain(input: SummaryInput): string {
  // The reason of some outcomes is their own name.
  const isNamed = input.reason === "" || input.reason === input.outcome;
  const because = isNamed ? "" : ` (${input.reason})`;
  const lines = [`${input.job}${input.dryRun ? " [dry run]" : ""}: ${input.outcome}${because}`];
  for (const line of input.message.split("\n")) lines.push(`  ${oneLine(line)}`);
  if (input.remedy !== undefined) lines.push(`  What to do: ${oneLine(input.remedy)}`);
  if (input.runbook !== undefined) {
    lines.push(`  Next: ${oneLine(input.runbook.url ?? input.runbook.path)}`);
  }
  // One by one: a table may have more rows than a call can have arguments.
  for (const table of input.tables) for (const line of plainTable(table)) lines.push(line);
  return `${lines.map(withoutCommands).join("\n")}\n`;
}

/** A table in aligned columns, after an empty line; nothing when it has no rows. */
export function plainTable({ title, columns, rows, more = 0 }: SummaryTable): string[] {
  if (rows.length === 0) return [];
  const lines = ["", oneLine(title), ...textTable(columns, rows).map((line) => `  ${line}`)];
  if (more > 0) lines.push(`  and ${more} more`);
  return lines;
}

/** Text that can neither end its table cell nor start markup, a mention, a link or an HTML element. */
function markdownText(text: string): string {
  return oneLine(text)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\\`*_[\]{}|~!#@]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function shortened(text: string): string {
  return text.length <= LONGEST_SENTENCE ? text : `${text.slice(0, LONGEST_SENTENCE)}…`;
}

/** A relative link would lead nowhere from the page of a run. */
function markdownLink({ title, path, url }: Runbook): string {
  return url === undefined ? `${title}, \`${path}\`` : `[${title}](${url})`;
}

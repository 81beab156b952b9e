/** The text of a terminal: the last state of each line, without colours. */
export function shownByTerminal(typescript: string): string[] {
  return typescript
    .replace(/\r\n/g, "\n")
    .split("\n")
    .map((line) => line.split(/\r|\u001b\[2K|\u001b\[1G/).findLast((part) => part !== "") ?? "")
    .map((line) => line.replace(/\u001b\[[\d;?]*[A-Za-z]/g, "").trimEnd());
}

/** Lines of a log record are left out, and "…" replaces them. */
export function withoutLogFields(lines: readonly string[]): string[] {
  return lines.flatMap((line, index) => {
    if (!line.startsWith("    ")) return [line];
    return lines[index - 1]?.startsWith("    ") ? [] : ["    …"];
  });
}

export function terminalPage(lines: readonly string[]): string {
  return page(
    `body { background: #0d1117; color: #e6edf3; padding: 18px 22px; }
    pre { margin: 0; font: 14px/18px "DejaVu Sans Mono", monospace; }`,
    `<pre>${lines.map(escaped).join("\n")}</pre>`,
  );
}

/** A step summary with the looks that GitHub gives to it. */
export function summaryPage(markdown: string): string {
  return page(
    `body { color: #1f2328; padding: 20px 26px; font: 14px/21px "DejaVu Sans", sans-serif; }
    h2 { font-size: 21px; border-bottom: 1px solid #d1d9e0; padding-bottom: 8px; margin: 4px 0 14px; }
    h3 { font-size: 17px; margin: 20px 0 10px; }
    p { margin: 0 0 12px; }
    table { border-collapse: collapse; margin-bottom: 14px; }
    th, td { border: 1px solid #d1d9e0; padding: 5px 12px; text-align: left; }
    tr:nth-child(odd) td { background: #f6f8fa; }
    code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; font: 12px "DejaVu Sans Mono", monospace; }`,
    htmlOf(markdown),
  );
}

/** The Markdown that a summary uses: headings, paragraphs, tables, bold text, code and links. */
export function htmlOf(markdown: string): string {
  return markdown
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== "")
    .map((block) => {
      const [, marks, title = ""] = /^(#{2,3}) (.+)$/.exec(block) ?? [];
      if (marks !== undefined) return `<h${marks.length}>${inline(title)}</h${marks.length}>`;
      return block.startsWith("|") ? tableOf(block) : `<p>${inline(block)}</p>`;
    })
    .join("\n");
}

function tableOf(block: string): string {
  const [head = "", , ...rows] = block.split("\n");
  const row = (line: string, cell: "th" | "td"): string => {
    const cells = line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((text) => text.trim());
    return `<tr>${cells.map((text) => `<${cell}>${inline(text)}</${cell}>`).join("")}</tr>`;
  };
  return `<table>${row(head, "th")}${rows.map((line) => row(line, "td")).join("")}</table>`;
}

/** A summary already writes Markdown's own marks as entities. */
function inline(text: string): string {
  return text
    .replace(/&(?!#?\w+;)/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/\\([|\\])/g, "$1")
    .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\[([^[\]]+)\]\([^()]+\)/g, "$1");
}

function page(style: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><style>
    body { margin: 0; }
    ${style}
    </style><body>${body}<script>
    document.documentElement.dataset.height = Math.ceil(document.body.getBoundingClientRect().height);
    </script></body></html>`;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

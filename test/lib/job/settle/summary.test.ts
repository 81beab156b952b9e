import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  renderMarkdown,
  renderPlain,
  type SummaryInput,
} from "../../../../lib/job/settle/summary.ts";
import { sampleOf, share } from "../../../support/share.ts";

function input(overrides: Partial<SummaryInput> = {}): SummaryInput {
  return {
    job: "tests/count-things",
    dryRun: false,
    runId: "00000000-0000-4000-8000-000000000001",
    outcome: "partial",
    reason: "items-failed",
    message: "2 of 3 are done.",
    remedy: "Run it again.",
    runbook: undefined,
    tables: [{ title: "Counted", columns: ["payee", "amount"], rows: [["one", "₹10.00"]] }],
    ...overrides,
  };
}
const withCell = (cell: string) =>
  input({ tables: [{ title: "Counted", columns: ["payee", "amount"], rows: [[cell, "₹10.00"]] }] });
const withRows = (count: number, cell: (row: number) => string = (row) => `row ${row}`) =>
  input({
    tables: [
      {
        title: "Counted",
        columns: ["payee"],
        rows: Array.from({ length: count }, (_, row) => [cell(row)]),
      },
    ],
  });

/** Text that tries to leave its cell, by characters that mean something to Markdown, HTML or the runner. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "|",
        "\\|",
        "\\",
        "\n",
        "\r\n",
        "\r",
        "\u2028",
        "\u0085",
        "\v",
        "\f",
        "\u0000",
        "<br>",
        "</td>",
        "\u202e",
        "\u2067",
        "\u200f",
        "%0A",
        "%0A::error::",
        "<script>",
        "<!--",
        "-->",
        "`",
        "```",
        "::error::",
        "::",
        "##[error]",
        "##[",
        "| --- |",
        "# ",
        "@admin",
        "![x](https://evil.example)",
        "[x](y)",
        "&lt;",
        "&#124;",
        "<details>",
        "~~",
        "**",
        "$$",
        "\t",
        " ",
      ),
      fc.string({ unit: "grapheme", maxLength: 5 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("the step summary", () => {
  it("says what ran, how it ended, why and what to do, and shows the tables", () => {
    expect(renderMarkdown(input())).toBe(
      [
        "## tests/count-things",
        "",
        "**partial**: items-failed. 2 of 3 are done.",
        "",
        "What to do: Run it again.",
        "",
        "### Counted",
        "",
        "| payee | amount |",
        "| --- | --- |",
        "| one | ₹10.00 |",
        "",
        "Run `00000000-0000-4000-8000-000000000001`",
        "",
      ].join("\n"),
    );
  });

  it("says that a dry run was one, and leaves out what there is nothing of", () => {
    const markdown = renderMarkdown(
      input({
        dryRun: true,
        outcome: "completed",
        reason: "",
        remedy: undefined,
        tables: [{ title: "Failed", columns: ["payee"], rows: [] }],
      }),
    );
    expect(markdown).toContain(
      "## tests/count-things (dry run)\n\n**completed**. 2 of 3 are done.\n",
    );
    expect(markdown).not.toContain("What to do");
    expect(markdown).not.toContain("Failed");
  });

  it.each([
    ["a|b", "a&#124;b"],
    ["a\\|b", "a&#92;&#124;b"],
    ["a\nb\r\nc", "a b c"],
    ["<b>&amp;</b>", "&lt;b&gt;&amp;amp;&lt;/b&gt;"],
    ["`code`", "&#96;code&#96;"],
    ["@admin", "&#64;admin"],
    ["![x](y)", "&#33;&#91;x&#93;(y)"],
  ])("writes the cell %j as %s", (cell, written) => {
    expect(renderMarkdown(withCell(cell))).toContain(`| ${written} | ₹10.00 |\n`);
  });

  it("has the same lines and cells whatever the text of a cell is", () => {
    fc.assert(
      fc.property(hostile, (cell) => {
        const [plain, evil] = [renderMarkdown(withCell("x")), renderMarkdown(withCell(cell))];
        const shape = (text: string) => text.split("\n").map((line) => line.split("|").length);
        expect(shape(evil)).toEqual(shape(plain));
        const row = evil.split("\n").find((line) => line.endsWith("| ₹10.00 |")) ?? "";
        expect(row).toMatch(
          /^\| [^|<>`\\@[\]*_~!\p{Cc}\u2028-\u202e\u2066-\u2069\u200e\u200f]* \| ₹10\.00 \|$/u,
        );
      }),
      { numRuns: share(1000) },
    );
  });

  it("keeps titles, columns, messages and remedies on their lines as well", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const build = (value: string) =>
          renderMarkdown(
            input({
              reason: value === "" ? "x" : value,
              message: value,
              remedy: value,
              tables: [{ title: value, columns: [value, value], rows: [["1", "2"]] }],
            }),
          ).split("\n");
        expect(build(text)).toHaveLength(build("x").length);
        for (const line of build(text)) expect(line).not.toMatch(/<[a-z!/]/i);
      }),
      { numRuns: share(500) },
    );
  });

  it("links to the runbook where the page is known, and names it where it is not", () => {
    const path = "docs/runbooks.md#a-refund-failed";
    const runbook = { title: "runbook: a refund failed", path, url: undefined };
    const url = "https://github.example/acme/afterhours/blob/0000/docs/runbooks.md#a-refund-failed";
    expect(renderMarkdown(input({ runbook: { ...runbook, url } }))).toContain(
      `\nNext: [runbook: a refund failed](${url})\n`,
    );
    expect(renderMarkdown(input({ runbook }))).toContain(
      `\nNext: runbook: a refund failed, \`${path}\`\n`,
    );
    expect(renderPlain(input({ runbook }))).toContain(`\n  Next: ${path}\n`);
  });

  it("stays below 900 KiB and keeps its tables, however long a message or a remedy is", () => {
    const size = fc.integer({ min: 0, max: 1_500_000 });
    fc.assert(
      fc.property(hostile, size, (text, length) => {
        const long = text.repeat(Math.ceil(length / Math.max(1, text.length))).slice(0, length);
        const markdown = renderMarkdown(input({ message: long, remedy: long, reason: "x" }));
        expect(Buffer.byteLength(markdown)).toBeLessThan(900 * 1024);
        expect(markdown).toContain("| one | ₹10.00 |");
      }),
      { numRuns: 30 },
    );
  });

  it("stays below 900 KiB with far more rows than fit, and says how many it leaves out", () => {
    const rows = share(1_000_000);
    const markdown = renderMarkdown(withRows(rows));
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(900 * 1024);
    const shown = markdown.match(/^\| row /gm)?.length ?? 0;
    const leftOut = Number(/^(\d+) more rows do not fit here/m.exec(markdown)?.[1]);
    expect(shown).toBeGreaterThan(10_000);
    expect(shown + leftOut).toBe(rows);
    expect(markdown).toContain("Run `00000000");
  });

  it("counts bytes and not characters", () => {
    const markdown = renderMarkdown(withRows(50_000, () => "₹₹₹₹₹₹₹₹₹₹₹₹₹₹₹₹"));
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(900 * 1024);
    expect(markdown).toContain("more rows do not fit here");
  });

  it("shows no row of a table whose heading does not fit any more", () => {
    const small = {
      title: "Small",
      columns: ["a long name of a column ".repeat(4)],
      rows: [["1"]],
    };
    const rooms = Array.from({ length: 40 }, (_, step) => 300 + 10 * step);
    for (const room of sampleOf(rooms)) {
      const big = { title: "Big", columns: ["text"], rows: [["x".repeat(900 * 1024 - room)]] };
      const lines = renderMarkdown(input({ tables: [big, small] })).split("\n");
      const row = lines.indexOf("| 1 |");
      if (row >= 0) expect(lines[row - 2]).toMatch(/^\| a long name/);
      else expect(lines.join("\n")).toMatch(/[12] more rows do not fit here/);
    }
  });
});

describe("the summary in a terminal or a plain log", () => {
  it("says the same in aligned columns", () => {
    const tables = [
      {
        title: "Counted",
        columns: ["payee", "amount"],
        rows: [
          ["one", "₹10.00"],
          ["thirteen", "₹5.00"],
        ],
      },
    ];
    expect(renderPlain(input({ tables, message: "First.\nSecond." }))).toBe(
      [
        "tests/count-things: partial (items-failed)",
        "  First.",
        "  Second.",
        "  What to do: Run it again.",
        "",
        "Counted",
        "  payee     amount",
        "  one       ₹10.00",
        "  thirteen  ₹5.00",
        "",
      ].join("\n"),
    );
  });

  it("shows every row, however many there are", () => {
    const rows = share(100_000);
    expect(renderPlain(withRows(rows)).match(/^ {2}row /gm)).toHaveLength(rows);
  });

  it("holds no line that is a command to the Actions runner, whatever its text is", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const printed = renderPlain(
          input({
            message: text,
            remedy: text,
            tables: [
              {
                title: text,
                columns: [text, "x"],
                rows: [
                  [text, text],
                  ["", text],
                  ["::error::x", ""],
                ],
              },
            ],
          }),
        );
        for (const line of printed.split(/\r\n|\n|\r|\u2028|\u2029|\u0085|\v|\f/)) {
          expect(line.trimStart()).not.toMatch(/^::/);
          expect(line).not.toContain("##[");
        }
      }),
      { numRuns: share(1000) },
    );
  });

  it("has the same number of lines whatever the text of a cell is", () => {
    fc.assert(
      fc.property(hostile, (cell) => {
        expect(renderPlain(withCell(cell)).split("\n")).toHaveLength(
          renderPlain(withCell("x")).split("\n").length,
        );
      }),
    );
  });
});

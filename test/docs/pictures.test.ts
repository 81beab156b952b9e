import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  htmlOf,
  shownByTerminal,
  terminalPage,
  withoutLogFields,
} from "../../scripts/dev/docs/picture-pages.ts";
import { ROOT } from "./commands/blocks.ts";

describe("the picture of a terminal", () => {
  it("shows each line as it was last, without colours", () => {
    expect(
      shownByTerminal("░░ 0/2\u001b[2K░█ 1/2\u001b[2K\u001b[31mred\u001b[39m\r\nnext  \r\n"),
    ).toEqual(["red", "next", ""]);
  });

  it("leaves out the fields of a log record", () => {
    expect(withoutLogFields(["ERROR: x", "    a: 1", "    b: 2", "• next"])).toEqual([
      "ERROR: x",
      "    …",
      "• next",
    ]);
  });

  it("shows text as text", () => {
    expect(terminalPage(["<b> & c"])).toContain("&lt;b&gt; &amp; c");
  });
});

it("the picture of a summary has its headings, paragraphs and tables", () => {
  const summary = [
    "## payouts/process-payouts",
    "**partial**: 1 < 2, see `docs/runbooks.md`",
    "| Reason | Count |\n| --- | --- |\n| a&#95;b | 4 |\n|  | 1 |",
  ].join("\n\n");
  expect(htmlOf(summary).split("\n")).toEqual([
    "<h2>payouts/process-payouts</h2>",
    "<p><strong>partial</strong>: 1 &lt; 2, see <code>docs/runbooks.md</code></p>",
    "<table><tr><th>Reason</th><th>Count</th></tr><tr><td>a&#95;b</td><td>4</td></tr><tr><td></td><td>1</td></tr></table>",
  ]);
});

it("each picture of the README has words for those who cannot see it, and is a PNG", () => {
  const pictures = [
    ...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g),
  ];
  expect(pictures.map(([, , file]) => file)).toEqual([
    "docs/images/demo.png",
    "docs/images/step-summary.png",
  ]);
  for (const [, words = "", file = ""] of pictures) {
    expect(words.length).toBeGreaterThan(30);
    expect(readFileSync(join(ROOT, file)).subarray(1, 4).toString()).toBe("PNG");
  }
});

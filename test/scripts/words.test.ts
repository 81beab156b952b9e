import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commentsOf } from "../../scripts/dev/words/comments.ts";
import { averageOf, measurePages, measureRooms, problemsOf } from "../../scripts/dev/words/measure.ts";
import { countWords, freePronouns, sentencesOf } from "../../scripts/dev/words/prose.ts";

describe("comments", () => {
  it("are found in each place, with their line", () => {
    const source = [
      "/** One. */",
      "export function f(/* two */ a: number) { // three",
      "  /* four",
      "   * five */",
      "  return a; // six",
      "}",
      "// seven",
    ].join("\n");
    expect(commentsOf(source).map(({ text, line }) => [line, text.trim()])).toEqual([
      [1, "One."],
      [2, "two"],
      [2, "three"],
      [3, "four\n five"],
      [5, "six"],
      [7, "seven"],
    ]);
  });

  it("are not found in texts and patterns", () => {
    const source =
      'const a = "// what"; const b = `/* who */ ${a /* real */} // whom`; const c = /[/]\\/* what/;';
    expect(commentsOf(source).map(({ text }) => text.trim())).toEqual(["real"]);
  });

  it("of a script keep none of their markers", () => {
    expect(commentsOf("#!/usr/bin/env node\n/**\n * Works.\n */\nrun();", "run.mjs")).toEqual([
      { text: "\n Works.\n ", line: 2 },
    ]);
  });
});

describe("free pronouns", () => {
  it("are counted with the line of the text", () => {
    expect(freePronouns("Does what\nWho asked? Whatever,\nwhoever, to whom.")).toEqual([
      { word: "what", line: 0 },
      { word: "Who", line: 1 },
      { word: "Whatever", line: 1 },
      { word: "whoever", line: 2 },
      { word: "whom", line: 2 },
    ]);
  });

  it.each([
    "The payee, whose account is held.",
    "Column `who` and `what\nelse`.",
    "Somewhat whole.",
  ])("are not in: %s", (text) => {
    expect(freePronouns(text)).toEqual([]);
  });
});

describe("sentences of a page", () => {
  it("leave out headings, code, tables and addresses", () => {
    const page = [
      "# A heading",
      "",
      "One sentence over",
      "two lines. See [the page](https://example.com/a.b). ![A picture](a.png)",
      "",
      "- an item with `a.b.c`",
      "- another",
      "",
      "```sh",
      "npm run what. Ever.",
      "```",
      "",
      "| a | table. |",
      "| - | ------ |",
    ].join("\n");
    expect(sentencesOf(page)).toEqual([
      "One sentence over two lines.",
      "See the page.",
      "an item with code",
      "another",
    ]);
  });

  it("count words, not marks", () => {
    expect(countWords("2,000 rows — the batch-size, and no more.")).toBe(7);
  });
});

describe("the limits", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "afterhours-words-"));
    for (const folder of ["lib/db/pool", "jobs", "scripts", "test/support", "docs"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    for (const page of ["README.md", "CHANGELOG.md"]) writeFileSync(join(root, page), "Short.\n");
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("are kept by plain comments and short sentences", () => {
    writeFileSync(join(root, "lib/db/pool/a.ts"), "// Opens a connection.\n");
    writeFileSync(join(root, "test/support/b.ts"), "// What tests count for is not the limit.\n");
    const rooms = measureRooms(root);
    expect(rooms.map(({ name, words }) => [name, words])).toEqual([
      ["lib/db", 3],
      ["test/support", 8],
    ]);
    expect(problemsOf(rooms, measurePages(root))).toEqual([]);
  });

  it("are named with the room and the page that exceed them", () => {
    writeFileSync(join(root, "lib/db/pool/a.ts"), "\n// Opens\n// what it was told.\n");
    writeFileSync(join(root, "docs/long.md"), `${"word ".repeat(21)}\n`);
    const [room] = measureRooms(root);
    expect(room?.hits).toEqual([{ file: "lib/db/pool/a.ts", line: 3, word: "what" }]);
    const pages = measurePages(root);
    expect(pages.map((page) => [page.name, averageOf(page)])).toContainEqual(["docs/long.md", 21]);
    expect(problemsOf(measureRooms(root), pages)).toEqual([
      "Comments of the shipped code have 200.00 free pronouns per 1,000 words; " +
        "the limit is below 1.0. Above it: lib/db.",
      "docs/long.md: 21.0 words per sentence; the limit is 20.",
    ]);
  });
});

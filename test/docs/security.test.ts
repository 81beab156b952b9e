import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { workflowFiles } from "../workflows/files.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PROOF = /`(test\/[\w./-]+\.ts): "([^"]+)"`/g;
const IS_PROVEN = new RegExp(PROOF.source);

const textOf = (page: string): string => readFileSync(join(ROOT, page), "utf8");

describe.each(["docs/security.md", "docs/threat-model.md"])("%s", (page) => {
  it("names tests, each of which is there", () => {
    const proofs = [...textOf(page).matchAll(PROOF)];
    expect(proofs.length).toBeGreaterThan(15);
    const missing = proofs.filter(([, file = "", name = ""]) => {
      const path = join(ROOT, file);
      return !existsSync(path) || !readFileSync(path, "utf8").includes(name);
    });
    expect(missing.map(([proof]) => proof)).toEqual([]);
  });

  it("names one in each row of a table that is about proofs", () => {
    const withProof = blocksOf(textOf(page)).filter(
      ({ kind, text }) => kind === "table" && text.split("\n")[0]?.includes("proven by"),
    );
    expect(withProof.length).toBeGreaterThan(1);
    expect(withProof.flatMap(unproven)).toEqual([]);
  });
});

describe("the security model", () => {
  it("claims nothing without a test", () => {
    const blocks = blocksOf(textOf("docs/security.md"));
    const claims = blocks.filter((block, index) => !isLedBy(block, blocks[index + 1]));
    expect(claims.length).toBeGreaterThan(30);
    expect(claims.flatMap(unproven)).toEqual([]);
  });

  it.each([
    ["a claim", "Nobody reads it.", ["Nobody reads it."]],
    ["a claim beside an instruction", "Give it a login. It is safe.", ["It is safe."]],
    ["an item", "- Run it.\n- It runs by itself.", ["It runs by itself."]],
    ["a row", '| a | b |\n| - | - |\n| c | `test/x.ts: "y"` |\n| d | e |', ["| d | e |"]],
    ["a lead without its table", "These hold:", ["These hold:"]],
    ["instructions", "Read it, and\nrun it. Make [a login](x.md) of `x`.", []],
    ["a claim with its test", 'It is safe (`test/x.ts: "y"`).', []],
    ["what is no prose", "# It is safe\n\n```sh\nit is safe\n```", []],
  ])("is searched for %s", (_, text, found) => {
    expect(blocksOf(text).flatMap(unproven)).toEqual(found);
  });

  it("names each secret of the workflows, and how many jobs have it", () => {
    const rows = textOf("docs/security.md")
      .split("\n")
      .filter((line) => /^\| `[A-Z_…`, ]+`[^|]* \| (all|none|the \d)/.test(line));
    const said = rows.flatMap((row) => {
      const [, names = "", jobs = ""] = row.split("|");
      const count = /^ (all|none|the \d+)/.exec(jobs)?.[1] ?? "";
      return [...names.matchAll(/`([A-Z_…]+)`/g)].map(([, name = ""]) => [name, count] as const);
    });
    const jobFiles = workflowFiles().filter(({ text }) =>
      text.includes("uses: ./.github/actions/run-job"),
    );
    const named = workflowFiles().flatMap(({ text }) =>
      [...text.matchAll(/secrets\.(\w+)/g)].map(([, name = ""]) => kindOf(name)),
    );
    const counted = [...new Set(named)].map((name): [string, string] => {
      const having = jobFiles.filter(({ text }) =>
        [...text.matchAll(/secrets\.(\w+)/g)].some(([, each = ""]) => kindOf(each) === name),
      ).length;
      const most = having === jobFiles.length ? "all" : `the ${having}`;
      return [name, having === 0 ? "none" : most];
    });
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(counted));
  });
});

/** A job may have a monitor of its own, by a secret with its name. */
const kindOf = (secret: string): string => secret.replace(/^(HEARTBEAT_URL_).*/, "$1…");

interface Block {
  kind: "table" | "text";
  text: string;
}

/** Tables, paragraphs and items of a page; headings and commands claim nothing. */
function blocksOf(page: string): Block[] {
  return page
    .replace(/^```[\s\S]*?^```$/gm, "")
    .replace(/^#.*$/gm, "")
    .split(/\n\s*\n|\n(?=- )/)
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map((text) => ({ kind: text.startsWith("|") ? "table" : "text", text }));
}

/** What is claimed of a table, and proven row by row. */
function isLedBy({ kind, text }: Block, next: Block | undefined): boolean {
  return kind === "text" && text.endsWith(":") && next?.kind === "table";
}

/** Verbs by which a sentence tells its reader to do something; it claims nothing of the product. */
const INSTRUCTION = /^(Encrypt|End|Give|Keep|Make|Put|Read|Run|See|Set|Stop|Take|Trust|Try)\b/;

/** Rows without a test, and sentences of a text that names none and that are no instruction. */
function unproven({ kind, text }: Block): string[] {
  if (kind === "table") {
    const [, , ...rows] = text.split("\n");
    return rows.filter((row) => !IS_PROVEN.test(row) && !row.includes("| the same test"));
  }
  if (IS_PROVEN.test(text)) return [];
  return text
    .replace(/^- /, "")
    .replace(/\s+/g, " ")
    .split(/(?<=[.:!?]) (?=[^a-z])/)
    .filter((sentence) => !INSTRUCTION.test(sentence));
}

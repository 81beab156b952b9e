import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** A fenced block of a page. */
export interface Block {
  page: string;
  /** Of its first fence, from 1. */
  line: number;
  /** What stands behind the fence. */
  language: string;
  text: string;
}

const SHELL = new Set(["sh", "bash", "shell", "console"]);

/** README.md, CONTRIBUTING.md and every page below docs and lib, by their paths. */
export function pages(): string[] {
  const below = (folder: string): string[] =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => `${folder}/${name}`);
  return ["README.md", "CONTRIBUTING.md", ...below("docs"), ...below("lib")].sort();
}

export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), "utf8");
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: (Block & { fence: string; indent: string; lines: string[] }) | undefined;
  for (const [index, line] of readPage(page).split("\n").entries()) {
    const fence = /^(\s*)(`{3,}|~{3,})(.*)$/.exec(line);
    if (open === undefined && fence) {
      const [, indent = "", marks = "", language = ""] = fence;
      const at = { page, line: index + 1, language: language.trim(), text: "" };
      open = { ...at, fence: marks, indent, lines: [] };
    } else if (open !== undefined && line.trim() === open.fence) {
      const { lines, indent, page: of, line: at, language } = open;
      const text = lines.map((each) => each.replace(indent, "")).join("\n");
      blocks.push({ page: of, line: at, language, text });
      open = undefined;
    } else open?.lines.push(line);
  }
  if (open !== undefined) throw new Error(`${page}:${open.line}: the block has no end`);
  return blocks;
}

export function isShell({ language }: Block): boolean {
  return SHELL.has(language.split(/\s/)[0] ?? "");
}

/** Each command of a block: continued lines joined, comments and prompts gone. A quoted text may have several lines. */
export function commandsOf({ text }: Block): string[] {
  const commands: string[] = [];
  let quoted = "";
  for (const line of text.replace(/\\\n\s*/g, "").split("\n")) {
    const plain = quoted === "" ? line.replace(/^\$ /, "").replace(/(^|\s)#.*$/, "") : line;
    quoted = quoted === "" ? plain : `${quoted}\n${plain}`;
    if ((quoted.match(/'/g)?.length ?? 0) % 2 === 1) continue;
    if (quoted.trim() !== "") commands.push(quoted.trim());
    quoted = "";
  }
  return commands;
}

/** Commands that stand in a sentence: code that begins with a program which a reader would start. */
export function inlineCommandsOf(page: string): string[] {
  const prose = readPage(page).replace(/^(\s*)(`{3,})[\s\S]*?^\s*\2\s*$/gm, "");
  return [...prose.matchAll(/(?<!`)`([^`]+)`(?!`)/g)]
    .map(([, code = ""]) => code.replace(/\s+/g, " ").trim())
    .filter((code) => /^([A-Z_]+=\S+ )*(npm|npx|gh|git|node) /.test(code));
}

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("has a file behind each link of a page, and a heading behind each anchor", async () => {
  const broken: string[] = [];
  let links = 0;
  for (const page of await pages()) {
    const text = await readFile(join(root, page), "utf8");
    for (const [, target = "", anchor] of text.matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links++;
      const file = target === "" ? join(root, page) : join(root, dirname(page), target);
      if (!existsSync(file)) broken.push(`${page}: ${target}`);
      else if (anchor !== undefined && file.endsWith(".md")) {
        if (!anchorsOf(await readFile(file, "utf8")).has(anchor)) {
          broken.push(`${page}: ${target}#${anchor}`);
        }
      }
    }
  }
  expect(broken).toEqual([]);
  expect(links).toBeGreaterThan(20);
});

/** The anchors that GitHub makes of the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, title = ""]) =>
      title
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

async function pages(): Promise<string[]> {
  const inFolder = async (folder: string): Promise<string[]> =>
    (await readdir(join(root, folder), { recursive: true }))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  const own = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
  return [...own, ...(await inFolder("docs")), ...(await inFolder("lib"))].sort();
}

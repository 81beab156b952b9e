import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("has a file behind each link of README and docs", async () => {
  const broken: string[] = [];
  let links = 0;
  for (const page of await pages()) {
    const text = await readFile(join(root, page), "utf8");
    for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      links++;
      if (!existsSync(join(root, dirname(page), target))) broken.push(`${page}: ${target}`);
    }
  }
  expect(broken).toEqual([]);
  expect(links).toBeGreaterThan(20);
});

async function pages(): Promise<string[]> {
  const inFolder = async (folder: string): Promise<string[]> =>
    (await readdir(join(root, folder), { recursive: true }))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  return ["README.md", ...(await inFolder("docs")), ...(await inFolder("lib"))].sort();
}

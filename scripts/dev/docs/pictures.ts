/**
 * Makes the pictures of the README again: `npx tsx scripts/dev/docs/pictures.ts`. Runs the demo in its own terminal
 * (`script` of util-linux), and lets a real browser (`chromium`) draw the terminal and the step summary of the
 * run. Neither program is a dependency: only this script needs them.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { shownByTerminal, summaryPage, terminalPage, withoutLogFields } from "./picture-pages.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const COMMAND = "npm run --silent demo";
const COLUMNS = 104;

const folder = mkdtempSync(join(tmpdir(), "afterhours-pictures-"));
try {
  const typescript = join(folder, "typescript");
  execFileSync("script", ["-qec", `stty cols ${COLUMNS} rows 60; ${COMMAND}`, typescript], {
    cwd: ROOT,
    stdio: "ignore",
  });
  // The first and last line are about the recording.
  const lines = shownByTerminal(readFileSync(typescript, "utf8")).slice(1);
  const last = lines.findLastIndex((line) => line.startsWith("{"));
  const summaryFile = lines.map((line) => /shows it: (\S+)$/.exec(line)?.[1]).find(Boolean);
  if (last < 0 || summaryFile === undefined) throw new Error("the demo did not come to its end");

  const shown = withoutLogFields(lines.slice(0, last)).map((line) =>
    line.replace(summaryFile, "/tmp/afterhours-demo/summary.md"),
  );
  const images = join(ROOT, "docs/images");
  mkdirSync(images, { recursive: true });
  draw(terminalPage([`$ ${COMMAND}`, ...shown]), join(images, "demo.png"), 900);
  draw(summaryPage(readFileSync(summaryFile, "utf8")), join(images, "step-summary.png"), 1180);
  console.log("docs/images/demo.png and docs/images/step-summary.png are taken.");
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function draw(html: string, image: string, width: number): void {
  const file = join(folder, "page.html");
  writeFileSync(file, html);
  const address = pathToFileURL(file).href;
  const [, height = ""] =
    /data-height="(\d+)"/.exec(browse(["--dump-dom"], width, 900, address)) ?? [];
  browse([`--screenshot=${image}`], width, Number(height), address);
}

function browse(what: readonly string[], width: number, height: number, address: string): string {
  return execFileSync(
    "chromium",
    [
      "--headless",
      // A browser that root starts has no sandbox; it opens the page written above, and no other.
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      `--user-data-dir=${join(folder, "browser")}`,
      "--hide-scrollbars",
      "--force-device-scale-factor=1.5",
      `--window-size=${width},${height}`,
      ...what,
      address,
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withSourcePositions } from "../../../lib/support/source-position.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "afterhours-positions-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A bundle of one file; what it throws has a trace as a job's error has one. */
const stackOf = async ({ sourcemap }: { sourcemap: boolean }): Promise<string> => {
  writeFileSync(
    join(folder, "source.ts"),
    `interface Nothing { much: string }\n\nexport const fail = (): Nothing => {\n  throw new Error("as meant");\n};\n`,
  );
  const outfile = join(folder, "bundle.js");
  await build({
    entryPoints: [join(folder, "source.ts")],
    outfile,
    bundle: true,
    format: "esm",
    sourcemap,
    sourcesContent: false,
  });
  // As Node names the place of the `throw`.
  const column = readFileSync(outfile, "utf8").split("\n")[2]?.indexOf("new Error") ?? -1;
  const place = `${pathToFileURL(outfile).href}:3:${column + 1}`;
  return `Error: as meant\n    at fail (${place})\n    at async file:///nowhere/at-all.js:1:1`;
};

describe("the places in a stack trace", () => {
  it("are those of the source where the bundle has a map beside it", async () => {
    const stack = withSourcePositions(await stackOf({ sourcemap: true }));
    expect(stack).toContain(`at fail (${join(folder, "source.ts")}:4:9)`);
  });

  it.each<[string, object]>([
    ["a source that is no file", { version: 3, sources: ["job:some/job.ts"], mappings: "AAAA" }],
    ["a source that is no address", { version: 3, sources: ["http://[/x.ts"], mappings: "AAAA" }],
    ["no mappings", { version: 3, sources: [] }],
    ["nothing", {}],
  ])("stay as they are where the map has %s", (_what, map) => {
    const url = pathToFileURL(join(folder, "odd.js")).href;
    writeFileSync(join(folder, "odd.js.map"), JSON.stringify(map));
    const stack = `Error: as meant\n    at async ${url}:1:1`;
    expect(withSourcePositions(stack)).toBe(stack);
  });

  it("stay as they are without a map, and where there is no such file", async () => {
    const stack = await stackOf({ sourcemap: false });
    expect(withSourcePositions(stack)).toBe(stack);
  });
});

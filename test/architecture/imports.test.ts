import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT, runNode } from "../lib/job/child.ts";
import type { ImportReport } from "./import-all.ts";

/** Every module below a folder, as paths from the root of the repository. */
function modulesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .map((file) => `${folder}/${file}`)
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"))
    .sort();
}

async function importAll(files: readonly string[]): Promise<ImportReport> {
  const { code, stdout, stderr } = await runNode(["test/architecture/import-all.ts", ...files], {
    // Values that would be used at once by code that reads them.
    DATABASE_URL: "postgres://app@127.0.0.1:9/afterhours",
    REDIS_URL: "redis://127.0.0.1:9",
    DRY_RUN: "1",
  });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return JSON.parse(stdout) as ImportReport;
}

describe("importing", () => {
  // One process for all of them: the report names the file of each thing that is done.
  it.each(["jobs", "lib"])("anything in %s does nothing at all", async (folder) => {
    const files = modulesOf(folder);
    expect(await importAll(files)).toEqual({
      imported: files.length,
      environmentReads: [],
      timers: [],
      connections: [],
      signalHandlers: [],
      resources: [],
    });
  });

  it("is watched in a way that notices each of these", async () => {
    const folder = mkdtempSync(join(tmpdir(), "afterhours-import-"));
    const file = join(folder, "lib", "busy.mjs");
    const packageFile = join(folder, "node_modules", "busy", "index.mjs");
    const busy = `
      import { connect } from "node:net";
      export const url = process.env.DATABASE_URL;
      export const has = "REDIS_URL" in process.env;
      export const all = Object.keys(process.env).length;
      setInterval(() => undefined, 1000).unref();
      setTimeout(() => undefined, 1000);
      connect({ host: "127.0.0.1", port: 9 }).on("error", () => undefined);
      process.on("SIGUSR2", () => undefined);
      setTimeout(() => process.exit(), 50);
    `;
    try {
      for (const path of [file, packageFile]) {
        mkdirSync(join(path, ".."), { recursive: true });
        writeFileSync(path, busy);
      }
      const report = await importAll([file]);
      expect(report.environmentReads.map((read) => read.split(": ").at(-1))).toEqual([
        "DATABASE_URL",
        "REDIS_URL",
        "(all)",
      ]);
      expect(report.timers).toHaveLength(3);
      expect(report.connections).toHaveLength(1);
      expect(report.signalHandlers).toEqual(["SIGUSR2"]);
      expect(report.resources).toContain("Timeout");
      const ofPackage = await importAll([packageFile]);
      expect(ofPackage.environmentReads).toEqual([]);
      expect(ofPackage.timers).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

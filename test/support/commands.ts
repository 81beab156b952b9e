import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { inject } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Bundles the commands of `scripts/` for one test run: a bundle starts in a third of the time that `tsx` needs.
 * test/scripts/command-line.test.ts starts each command from its source, as people do.
 */
export async function bundleCommands(): Promise<{ folder: string; remove: () => Promise<void> }> {
  mkdirSync(join(ROOT, ".cache"), { recursive: true });
  // Inside the repository, so that packages are found.
  const folder = mkdtempSync(join(ROOT, ".cache/commands-"));
  await build({
    absWorkingDir: ROOT,
    entryPoints: commandFiles(),
    outdir: folder,
    outbase: ROOT,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    sourcemap: true,
    logLevel: "warning",
    plugins: [ownAddresses],
  });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Every file of `scripts/` that is started as a program: those that lie in a room itself, and each `main.ts`. */
export function commandFiles(): string[] {
  return (
    readdirSync(join(ROOT, "scripts"), { recursive: true, encoding: "utf8" })
      .map((file) => `scripts/${file.replaceAll("\\", "/")}`)
      .filter((file) => /^scripts\/(?:(?:cli|dev)\/[^/]+\.ts|.+\/main\.ts)$/.test(file))
      // The mutation check loads its settings, which are TypeScript.
      .filter((file) => !file.startsWith("scripts/dev/mutation/"))
      .toSorted()
  );
}

/** A module finds files beside itself, so it keeps the address of its source. */
const ownAddresses: Plugin = {
  name: "addresses of the sources",
  setup: (bundle) => {
    bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replaceAll(
        "import.meta.url",
        JSON.stringify(pathToFileURL(path).href),
      ),
      loader: "ts",
    }));
  },
};

/** How Node is started on a file of this repository: on a command's bundle, else on the source. */
export function nodeArgumentsOf(file: string): string[] {
  const bundle = join(inject("commands"), file.replace(/\.ts$/, ".mjs"));
  return file.endsWith(".ts") && existsSync(bundle)
    ? ["--enable-source-maps", bundle]
    : ["--import", "tsx", file];
}

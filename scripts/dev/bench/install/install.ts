import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sideBySide } from "../alternate.ts";
import type { Bench } from "../figure.ts";
import { Recorder } from "../spread.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const PRODUCTION = ["--omit=dev"];

/** The steps between a runner's clone and a job, with npm's cache filled. */
export const installBench: Bench = {
  name: "install",
  title: "Cost of a CI run",
  run: async ({ rounds, quick, say }) => {
    // This fills the cache, so that the network is not measured.
    install([]);
    const recorder = new Recorder();
    for (let round = 0; round < (quick ? 1 : rounds); round++) {
      const { subject, reference } = await sideBySide(round, {
        subject: () => install(PRODUCTION),
        reference: () => install([]),
      });
      recorder.add("npm ci --omit=dev", "s", subject.seconds);
      recorder.add("npm ci", "s", reference.seconds);
      recorder.add("node_modules of production", "MB", subject.megabytes);
      recorder.add("node_modules of development", "MB", reference.megabytes);
      recorder.add("development tools in production", "", subject.developmentTools);
      recorder.add("development tools in development", "", reference.developmentTools);
      recorder.add("all bundles", "MB", sizeOf(join(ROOT, "dist")) / 1e6);
      say(`round ${round + 1} of ${rounds}`);
    }
    const of = (name: string) => recorder.measurement(name);
    return [
      {
        heading: "Installation",
        rows: [
          { measured: of("npm ci --omit=dev"), against: of("npm ci") },
          {
            measured: of("node_modules of production"),
            against: of("node_modules of development"),
            target: { of: "value", atMost: 60 },
          },
          {
            measured: of("development tools in production"),
            against: of("development tools in development"),
            target: { of: "value", atMost: 0 },
          },
          { measured: of("all bundles"), against: of("node_modules of production") },
        ],
      },
    ];
  },
};

interface Installation {
  seconds: number;
  megabytes: number;
  /** Packages there that package.json names as development dependencies. */
  developmentTools: number;
}

/** @throws with npm's output, where it fails */
function install(flags: readonly string[]): Installation {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-install-"));
  try {
    for (const file of ["package.json", "package-lock.json"]) {
      cpSync(join(ROOT, file), join(folder, file));
    }
    const startedAtMs = performance.now();
    const { status, stderr } = spawnSync(
      "npm",
      ["ci", ...flags, "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
      { cwd: folder, encoding: "utf8" },
    );
    const seconds = (performance.now() - startedAtMs) / 1000;
    if (status !== 0) throw new Error(`npm ci failed:\n${stderr}`);
    const { devDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
      devDependencies: Record<string, string>;
    };
    const modules = join(folder, "node_modules");
    const tools = Object.keys(devDependencies).filter((name) => existsSync(join(modules, name)));
    return { seconds, megabytes: sizeOf(modules) / 1e6, developmentTools: tools.length };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Bytes of all files. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + lstatSync(join(entry.parentPath, entry.name)).size, 0);
}

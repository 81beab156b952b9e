import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Runs the job's own file as its schedule does; returns the exit status. Passes stop signals on. */
export async function runJobFile(name: string, flags: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, ["--import", "tsx", `jobs/${name}.ts`, ...flags], {
    cwd: ROOT,
    stdio: "inherit",
  });
  const handOn = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", handOn).on("SIGTERM", handOn);
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  process.off("SIGINT", handOn).off("SIGTERM", handOn);
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

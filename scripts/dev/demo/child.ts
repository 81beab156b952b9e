import { spawn } from "node:child_process";

/**
 * Runs one of our TypeScript files as a process of its own. The signal passes on as SIGINT, and the
 * promise waits for the process to end, so that nothing is left behind.
 *
 * @returns its exit code
 */
export function runChild(
  root: string,
  args: readonly string[],
  { env, signal, show }: { env: NodeJS.ProcessEnv; signal: AbortSignal; show: "all" | "stderr" },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["--import", "tsx", ...args], {
      cwd: root,
      env,
      // A group of its own: Ctrl-C reaches it once, through us.
      detached: true,
      stdio: ["ignore", show === "all" ? "inherit" : "ignore", "inherit"],
    });
    const pass = (): void => void child.kill("SIGINT");
    signal.addEventListener("abort", pass, { once: true });
    child.on("error", reject);
    child.on("close", (code) => {
      signal.removeEventListener("abort", pass);
      resolve(code ?? 1);
    });
  });
}

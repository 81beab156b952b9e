import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { AfterhoursError } from "../../lib/support/errors.ts";

export interface RedisBinary {
  command: string;
  /** Where its shared libraries lie, when they are not the system's own. */
  libraryPath: string | undefined;
}

const CACHE = fileURLToPath(new URL("../../.cache/", import.meta.url));
const REMEDY =
  "Install it (Debian, Ubuntu: apt-get install redis-server; macOS: brew install redis), " +
  "or set REDIS_URL to a server that may be used for tests.";

/** `redis-server` from the PATH, or the copy that was fetched before. */
export function findRedis(): RedisBinary | undefined {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const command = join(folder, "redis-server");
    if (folder !== "" && isExecutable(command)) return { command, libraryPath: undefined };
  }
  return fetchedRedis(join(CACHE, "redis"));
}

/**
 * Fetches Debian's redis-server with the libraries that it lacks here, and unpacks it below
 * `.cache/`. Nothing is installed: no service starts, nothing in the system changes, and deleting
 * the folder undoes it.
 *
 * @throws AfterhoursError where there is no apt-get or the packages cannot be had
 */
export function fetchRedis(options: { say?: (line: string) => void } = {}): RedisBinary {
  if (!isOnPath("apt-get") || !isOnPath("dpkg")) {
    throw new AfterhoursError("REDIS_NOT_FOUND", "There is no redis-server on the PATH.", {
      remedy: REMEDY,
    });
  }
  options.say?.("Fetching Debian's redis-server into .cache/redis (once).");
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, "redis-"));
  try {
    download(folder);
    const root = join(folder, "root");
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      run("dpkg", ["-x", file, root], folder);
    }
    return publish(root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Downloads; root may refresh apt's lists first when they are missing or too old. */
function download(folder: string): void {
  try {
    run("apt-get", ["download", ...neededPackages(folder)], folder);
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    run("apt-get", ["update"], folder);
    run("apt-get", ["download", ...neededPackages(folder)], folder);
  }
}

/** What `apt-get install` would add to this system, in the form `Inst <package> (...)`. */
function neededPackages(folder: string): string[] {
  const plan = run(
    "apt-get",
    ["install", "--simulate", "--no-install-recommends", "redis-server"],
    folder,
  );
  return [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => String(match[1]));
}

/** Renaming is atomic: of two that fetch at once, one wins and both use its copy. */
function publish(root: string): RedisBinary {
  const target = join(CACHE, "redis");
  const fetched = fetchedRedis(root);
  if (!fetched) {
    throw new AfterhoursError(
      "REDIS_NOT_FOUND",
      "Debian's package holds no redis-server that runs.",
      {
        remedy: REMEDY,
      },
    );
  }
  try {
    renameSync(root, target);
  } catch (error) {
    if (!fetchedRedis(target)) throw error;
  }
  return fetchedRedis(target) ?? fetched;
}

function fetchedRedis(root: string): RedisBinary | undefined {
  const command = join(root, "usr/bin/redis-server");
  if (!isExecutable(command)) return undefined;
  const libraries = join(root, "usr/lib");
  const folders = existsSync(libraries)
    ? readdirSync(libraries).filter((name) => name.includes("-linux-"))
    : [];
  return { command, libraryPath: folders.map((name) => join(libraries, name)).join(delimiter) };
}

function run(command: string, args: string[], cwd: string): string {
  const options = ["-o", "APT::Sandbox::User=root", "-o", "DPkg::Lock::Timeout=60"];
  const full = command === "apt-get" ? [...options, ...args] : args;
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync(command, full, { cwd, env, encoding: "utf8" });
  if (result.status === 0) return result.stdout;
  const reason = result.error?.message ?? result.stderr.trim().split("\n").slice(-3).join(" ");
  throw new AfterhoursError(
    "REDIS_NOT_FOUND",
    `There is no redis-server on the PATH, and fetching Debian's failed (${command} ${args.join(" ")}): ${reason}`,
    { remedy: REMEDY },
  );
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .some((folder) => folder !== "" && isExecutable(join(folder, program)));
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

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
import { AfterhoursError } from "../../../lib/support/errors.ts";

/** A server program of Debian, and its names. */
export interface DebianProgram {
  /** The executable, and the package that has it. */
  name: string;
  /** The folder of the package that it lies in, such as `usr/bin`. */
  folder: string;
  /** The code of the error when it cannot be had. */
  notFound: string;
  remedy: string;
}

/** A program that can be run. */
export interface ProgramBinary {
  command: string;
  /** Where its shared libraries lie, when they are not the system's own. */
  libraryPath: string | undefined;
}

const CACHE = fileURLToPath(new URL("../../../.cache/", import.meta.url));
/** The program from the PATH or from where Debian installs it, or the copy that was fetched before. */
export function findProgram(program: DebianProgram): ProgramBinary | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), `/${program.folder}`];
  for (const folder of folders) {
    const command = join(folder, program.name);
    if (folder !== "" && isExecutable(command)) return { command, libraryPath: undefined };
  }
  return fetchedProgram(program, cacheOf(program));
}

/**
 * Fetches Debian's package with the libraries that it lacks here, and unpacks it below
 * `.cache/`. Nothing is installed: no service starts, nothing in the system changes, and deleting
 * the folder undoes it.
 *
 * @throws AfterhoursError where there is no apt-get or the packages cannot be had
 */
export function fetchProgram(
  program: DebianProgram,
  options: { say?: (line: string) => void } = {},
): ProgramBinary {
  const { name, notFound, remedy } = program;
  if (!isOnPath("apt-get") || !isOnPath("dpkg")) {
    throw new AfterhoursError(notFound, `There is no ${name} on the PATH.`, { remedy });
  }
  options.say?.(`Fetching Debian's ${name} into .cache/${name} (once).`);
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, `${name}-`));
  try {
    download(program, folder);
    const root = join(folder, "root");
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      run(program, { command: "dpkg", args: ["-x", file, root], cwd: folder });
    }
    return publish(program, root);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Downloads; root may refresh apt's lists first when they are missing or too old. */
function download(program: DebianProgram, cwd: string): void {
  const fetch = (): void => {
    const args = ["download", ...neededPackages(program, cwd)];
    run(program, { command: "apt-get", args, cwd });
  };
  try {
    fetch();
  } catch (error) {
    if (process.getuid?.() !== 0) throw error;
    run(program, { command: "apt-get", args: ["update"], cwd });
    fetch();
  }
}

/** The packages that `apt-get install` would add to this system, in the form `Inst <package> (...)`. */
function neededPackages(program: DebianProgram, cwd: string): string[] {
  const args = ["install", "--simulate", "--no-install-recommends", program.name];
  const plan = run(program, { command: "apt-get", args, cwd });
  return [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => String(match[1]));
}

/** Renaming is atomic: of two that fetch at once, one wins and both use its copy. */
function publish(program: DebianProgram, root: string): ProgramBinary {
  const { name, notFound, remedy } = program;
  const target = cacheOf(program);
  const fetched = fetchedProgram(program, root);
  if (!fetched) {
    throw new AfterhoursError(notFound, `Debian's package holds no ${name} that runs.`, { remedy });
  }
  try {
    renameSync(root, target);
  } catch (error) {
    if (!fetchedProgram(program, target)) throw error;
  }
  return fetchedProgram(program, target) ?? fetched;
}

function cacheOf({ name }: DebianProgram): string {
  return join(CACHE, name);
}

function fetchedProgram({ name, folder }: DebianProgram, root: string): ProgramBinary | undefined {
  const command = join(root, folder, name);
  if (!isExecutable(command)) return undefined;
  const libraries = join(root, "usr/lib");
  const folders = existsSync(libraries)
    ? readdirSync(libraries).filter((entry) => entry.includes("-linux-"))
    : [];
  return { command, libraryPath: folders.map((entry) => join(libraries, entry)).join(delimiter) };
}

/** The environment of a program that brought its own libraries. */
export function environmentOf({ libraryPath }: ProgramBinary): Record<string, string> {
  const libraries = [libraryPath, process.env["LD_LIBRARY_PATH"]].filter(Boolean);
  return {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    LC_ALL: "C",
    ...(libraries.length > 0 && { LD_LIBRARY_PATH: libraries.join(delimiter) }),
  };
}

function run(
  { name, notFound, remedy }: DebianProgram,
  { command, args, cwd }: { command: string; args: string[]; cwd: string },
): string {
  const options = ["-o", "APT::Sandbox::User=root", "-o", "DPkg::Lock::Timeout=60"];
  const full = command === "apt-get" ? [...options, ...args] : args;
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  const result = spawnSync(command, full, { cwd, env, encoding: "utf8" });
  if (result.status === 0) return result.stdout;
  const reason = result.error?.message ?? result.stderr.trim().split("\n").slice(-3).join(" ");
  throw new AfterhoursError(
    notFound,
    `There is no ${name} on the PATH, and fetching Debian's failed (${command} ${args.join(" ")}): ${reason}`,
    { remedy },
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

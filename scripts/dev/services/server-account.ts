import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AfterhoursError } from "../../../lib/support/errors.ts";

/** The account of a server; empty: our own. Fits into the options of `spawn`. */
export type ServerAccount = { uid: number; gid: number } | { uid?: never; gid?: never };

/**
 * PostgreSQL refuses to run as root, so root runs it as `postgres` where that account exists and as
 * `nobody` where it does not: that is for made-up data which goes at the end. No account is ever made. Anybody else runs it as themselves.
 */
export function serverAccount(): ServerAccount {
  const account = isRoot() ? (accountOf("postgres") ?? accountOf("nobody")) : {};
  if (account !== undefined) return account;
  throw new AfterhoursError(
    "NO_SERVER_ACCOUNT",
    "PostgreSQL does not run as root, and this system has neither a `postgres` nor a `nobody` account.",
    { remedy: "Run as an ordinary user, or make an account: useradd --system postgres" },
  );
}

/** Whether a server would run as `nobody`, whose files every other process of nobody can read. */
export function runsAsNobody(
  passwd: string = readFileSync("/etc/passwd", "utf8"),
  { root = isRoot() }: { root?: boolean } = {},
): boolean {
  return root && accountOf("postgres", passwd) === undefined;
}

/**
 * For data that stays when the server has ended.
 *
 * @throws AfterhoursError where it would belong to `nobody`
 */
export function refuseNobody(...given: Parameters<typeof runsAsNobody>): void {
  if (!runsAsNobody(...given)) return;
  throw new AfterhoursError(
    "NO_SERVER_ACCOUNT",
    "PostgreSQL does not run as root, and this system has no `postgres` account. Data that is kept would belong to `nobody`, and whatever else runs as nobody could read it.",
    { remedy: "Run as an ordinary user, or make an account: useradd --system postgres" },
  );
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function accountOf(
  name: string,
  passwd: string = readFileSync("/etc/passwd", "utf8"),
): ServerAccount | undefined {
  const entry = passwd
    .split("\n")
    .find((line) => line.startsWith(`${name}:`))
    ?.split(":");
  return entry?.[2] && entry[3] ? { uid: Number(entry[2]), gid: Number(entry[3]) } : undefined;
}

/**
 * A new private directory that the account owns and can reach: the system's own temporary
 * directory may lie below a home that only its owner can enter.
 *
 * @param options.inMemory where the system has room for that: making and removing a database is some hundred
 *   files, which takes up to twenty times as long on a disk
 */
export function makeServerDirectory(
  prefix: string,
  account: ServerAccount,
  { inMemory = false }: { inMemory?: boolean } = {},
): string {
  const refusals: string[] = [];
  const memory = inMemory ? roomInMemory() : [];
  for (const parent of new Set([...memory, tmpdir(), "/tmp", "/var/tmp"])) {
    try {
      const directory = mkdtempSync(join(parent, prefix));
      chmodSync(directory, 0o700);
      if (account.uid === undefined) return directory;
      chownSync(directory, account.uid, account.gid);
      if (canWrite(directory, account)) return directory;
      rmSync(directory, { recursive: true });
      refusals.push(`${parent}: not reachable for user ${account.uid}`);
    } catch (error) {
      refusals.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new AfterhoursError(
    "NO_TEMPORARY_DIRECTORY",
    `No temporary directory that the database server can write in: ${refusals.join("; ")}`,
    { remedy: "Set TMPDIR to a directory with some free space." },
  );
}

/** Where Linux keeps files in memory. A container often has 64 MB of it, which are none to a database. */
const MEMORY = "/dev/shm";
const TMPFS = 0x01021994;
const ENOUGH_BYTES = 2 * 2 ** 30;

function roomInMemory(): string[] {
  try {
    const { type, bavail, bsize } = statfsSync(MEMORY);
    return type === TMPFS && bavail * bsize >= ENOUGH_BYTES ? [MEMORY] : [];
  } catch {
    return [];
  }
}

/** Whether the account can enter the directory and write there. */
export function canWrite(directory: string, account: ServerAccount): boolean {
  if (account.uid === undefined) {
    try {
      accessSync(directory, constants.W_OK | constants.X_OK);
      return true;
    } catch {
      return false;
    }
  }
  const options = { ...account, cwd: "/", stdio: "ignore" } as const;
  return (
    spawnSync("/bin/sh", ["-c", 'cd "$1" && test -w .', "sh", directory], options).status === 0
  );
}

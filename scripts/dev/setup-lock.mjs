/** A lock between processes on one machine: a directory that names its holder. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 200;
/** No setup takes that long: its holder is gone, or its id now belongs to another process. */
const STALE_AFTER_MS = 30 * 60_000;
/** Clearing a stale lock away takes milliseconds. */
const CLEARING_STALE_AFTER_MS = 10_000;

/** Runs the work alone; waits for the process that holds the lock. */
export async function withLock(directory, work) {
  mkdirSync(dirname(directory), { recursive: true });
  let told = false;
  while (!tryTake(directory)) {
    const holder = readHolder(directory);
    if (holder && isStale(holder)) clearStale(directory, holder);
    else if (holder && !told) {
      console.log(`Waiting for another setup (process ${holder.pid}).`);
      told = true;
    }
    await sleep(POLL_MS);
  }
  try {
    return await work();
  } finally {
    remove(directory);
  }
}

/** The directory appears with its content in one step: renaming onto a full one fails. */
function tryTake(directory) {
  const prepared = mkdtempSync(`${directory}.`);
  const holder = { pid: process.pid, host: hostname(), since: Date.now() };
  writeFileSync(join(prepared, "holder.json"), JSON.stringify(holder));
  try {
    renameSync(prepared, directory);
    return true;
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes(error.code)) return false;
    throw error;
  }
}

function readHolder(directory) {
  try {
    return JSON.parse(readFileSync(join(directory, "holder.json"), "utf8"));
  } catch {
    return undefined;
  }
}

function isStale({ pid, host, since }) {
  if (Date.now() - since > STALE_AFTER_MS) return true;
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/**
 * One at a time, and only the holder that was seen to be gone: otherwise the second of two would
 * clear away the lock that the first has taken meanwhile.
 */
function clearStale(directory, gone) {
  const clearing = `${directory}.clearing`;
  try {
    mkdirSync(clearing);
  } catch {
    if (ageMs(clearing) > CLEARING_STALE_AFTER_MS)
      rmSync(clearing, { recursive: true, force: true });
    return;
  }
  try {
    const now = readHolder(directory);
    if (now && now.pid === gone.pid && now.since === gone.since) {
      remove(directory);
    }
  } finally {
    rmSync(clearing, { recursive: true, force: true });
  }
}

/** Out of the way in one step: while it is emptied, somebody else could already take the name. */
function remove(directory) {
  const aside = `${directory}.${process.pid}.released`;
  renameSync(directory, aside);
  rmSync(aside, { recursive: true, force: true });
}

function ageMs(path) {
  try {
    return Date.now() - statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}

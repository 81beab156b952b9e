import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const LOCK_MODULE = new URL("../../scripts/dev/setup-lock.mjs", import.meta.url).href;
const PROCESSES = 6;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "afterhours-setup-lock-"));
  writeFileSync(join(folder, "count"), "0");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Reads the count, lets everybody else run, and writes one more: right only when alone. */
const INCREMENT = `
  import { readFileSync, writeFileSync } from "node:fs";
  import { setTimeout as sleep } from "node:timers/promises";
  import { withLock } from ${JSON.stringify(LOCK_MODULE)};
  await withLock("lock", async () => {
    const count = Number(readFileSync("count", "utf8"));
    await sleep(20);
    writeFileSync("count", String(count + 1));
  });`;

async function incrementInManyProcesses(): Promise<void> {
  const exits = Array.from({ length: PROCESSES }, async () => {
    const args = ["--input-type=module", "--eval", INCREMENT];
    const child = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
    return (await once(child, "exit"))[0] as number;
  });
  expect(await Promise.all(exits)).toEqual(Array(PROCESSES).fill(0));
}

function leaveLock(holder: { pid: number; since: number }): void {
  mkdirSync(join(folder, "lock"));
  const text = JSON.stringify({ host: hostname(), ...holder });
  writeFileSync(join(folder, "lock/holder.json"), text);
}

/** The id of a process that has ended. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "exit");
  return child.pid ?? 0;
}

describe("the lock of setup", () => {
  it("lets one process in at a time and leaves nothing behind", async () => {
    await incrementInManyProcesses();
    expect(readFileSync(join(folder, "count"), "utf8")).toBe(String(PROCESSES));
    expect(readdirSync(folder)).toEqual(["count"]);
  });

  it("is taken over from a process that has ended, by one of many", async () => {
    leaveLock({ pid: await deadProcess(), since: Date.now() });
    await incrementInManyProcesses();
    expect(readFileSync(join(folder, "count"), "utf8")).toBe(String(PROCESSES));
    expect(existsSync(join(folder, "lock"))).toBe(false);
  });

  it("is taken over when it is older than any setup, though its process id lives", async () => {
    leaveLock({ pid: process.pid, since: Date.now() - 60 * 60_000 });
    await incrementInManyProcesses();
    expect(readFileSync(join(folder, "count"), "utf8")).toBe(String(PROCESSES));
  });
});

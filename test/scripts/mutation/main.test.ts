import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { runScript, type ScriptResult } from "../../support/run-script.ts";

const FIXTURE = "test/scripts/mutation/fixture";

/** The check of a fixture: one statement with two conditions. */
function check(fixture: string, ...args: string[]): Promise<ScriptResult> {
  return runScript("scripts/dev/mutation/main.ts", {
    args: ["--claims", `${FIXTURE}/${fixture}.ts`, ...args],
  });
}

it("names the condition that no test misses, is red, and leaves the source as it was", async () => {
  const source = await readFile(`${FIXTURE}/lib/claims.ts`, "utf8");
  const { exitCode, stdout } = await check("survivor");
  expect(exitCode).toBe(1);
  expect(stdout).toContain("SURVIVED  lib/claims.ts claim: owner IS NULL (lib/claims.ts:9)");
  expect(stdout).toMatch(
    /killed {4}lib\/claims\.ts claim: status = 'FREE'.*\n.*by claims\.check\.ts > a claim is of a seat that is free/,
  );
  expect(stdout).toMatch(
    /1 statements, 2 conditions\. 2 tried .*: 1 killed, 1 survived, 0 invalid/,
  );
  expect(await readFile(`${FIXTURE}/lib/claims.ts`, "utf8")).toBe(source);
});

it("is green when each condition is missed or exempt, and prints why it is exempt", async () => {
  const { exitCode, stdout, stderr } = await check("exempt");
  expect([exitCode, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("exempt    lib/claims.ts claim: owner IS NULL");
  expect(stdout).toContain("a seat has no owner while it is free");
});

it("does not count a statement that PostgreSQL can't read as a condition that is missed", async () => {
  const { exitCode, stdout } = await check("misunderstood");
  expect(exitCode).toBe(1);
  expect(stdout).toContain("INVALID   lib/claims.ts claim: status = 'FREE'");
  expect(stdout).toContain("PostgreSQL did not understand it (42601)");
  expect(stdout).toContain("0 killed, 0 survived, 2 invalid");
});

it("is red before anything is tried when the source and the lists differ", async () => {
  const { exitCode, stderr } = await check("drifted");
  expect(exitCode).toBe(1);
  expect(stderr).toBe(
    [
      "DRIFT     lib/claims.ts claims rows, and no test file is named for it",
      "DRIFT     tests are named for lib/seats.ts, which has no claiming statement",
      "DRIFT     an exemption is for no condition of the source: lib/claims.ts claim: paid = 0",
      "",
    ].join("\n"),
  );
});

it("lists every condition without trying one", async () => {
  const { exitCode, stdout } = await check("survivor", "--list");
  expect(exitCode).toBe(0);
  expect(stdout).toBe(
    [
      "lib/claims.ts claim: status = 'FREE' (lib/claims.ts:9)",
      "lib/claims.ts claim: owner IS NULL (lib/claims.ts:9)",
      "1 statements, 2 conditions.",
      "",
    ].join("\n"),
  );
});

it("tries only what is asked for, and says when that is nothing", async () => {
  const { exitCode, stdout } = await check("survivor", "--only", "'FREE'");
  expect(exitCode).toBe(0);
  expect(stdout).toContain("1 tried");
  const nothing = await check("survivor", "--only", "no such");
  expect(nothing.exitCode).toBe(2);
  expect(nothing.stderr).toContain('No condition has "no such" in its name');
});

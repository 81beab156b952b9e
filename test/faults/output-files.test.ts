import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { runJob, startJob } from "../support/job-process.ts";
import { expectAllPaidOnceMended, openFaultWorld, PAYOUTS, type FaultWorld } from "./world.ts";

/** A place where nothing can be written, whoever runs the job, and how the system says so. */
interface Place {
  title: string;
  path: (folder: string) => string;
  says: Record<"GITHUB_OUTPUT" | "GITHUB_STEP_SUMMARY", RegExp>;
}

const PLACES: readonly Place[] = [
  {
    title: "on a disk that is full",
    path: () => "/dev/full",
    says: { GITHUB_OUTPUT: /ENOSPC/, GITHUB_STEP_SUMMARY: /ENOSPC/ },
  },
  {
    title: "a folder",
    path: (folder) => folder,
    says: { GITHUB_OUTPUT: /EISDIR/, GITHUB_STEP_SUMMARY: /EISDIR/ },
  },
  {
    title: "in a folder that does not exist",
    path: (folder) => join(folder, "missing", "output"),
    says: {
      GITHUB_OUTPUT: /Missing file at path/,
      GITHUB_STEP_SUMMARY: /Unable to access summary file/,
    },
  },
  {
    title: "read-only",
    path: () => "/proc/version",
    // Root is refused when it writes, anybody else when the file is opened.
    says: { GITHUB_OUTPUT: /EACCES|EIO/, GITHUB_STEP_SUMMARY: /Unable to access|EACCES|EIO/ },
  },
];

describe.each(PLACES)("output files $title", ({ path, says }) => {
  it("change nothing about a run, and are named in the log", async () => {
    const world = await openFaultWorld();
    const place = path(emptyFolder());
    const files = { GITHUB_OUTPUT: place, GITHUB_STEP_SUMMARY: place };
    const end = await runJob({ env: { ...world.env, ...files } });
    expect(end.exitCode, end.stderr).toBe(0);
    expect(end.stdout).toContain("Everything that was due is done.");
    for (const [file, reason] of Object.entries(says)) {
      const failure = end.stderr
        .split("\n")
        .find((line) => line.includes(`${file} could not be written`));
      expect(failure, end.stderr).toMatch(reason);
    }
    expect(await recordOf(world)).toEqual([{ outcome: "completed", reason: null, code: 0 }]);
    await expectAllPaidOnceMended(world);
  });
});

describe("with output files that can't be written", () => {
  it("a run that failed says why it failed, and its exit code is its own", async () => {
    const world = await openFaultWorld();
    world.sandbox.addFaults({ on: "*", status: 401, times: -1 });
    const files = { GITHUB_OUTPUT: "/dev/full", GITHUB_STEP_SUMMARY: "/dev/full" };
    const end = await runJob({ env: { ...world.env, ...files } });
    expect(end.exitCode, end.stderr).toBe(1);
    expect(end.stdout).toContain("failed (credentials)");
    expect(end.stdout).toContain("does not accept our credentials");
    expect(await recordOf(world)).toEqual([{ outcome: "failed", reason: "credentials", code: 1 }]);
    world.sandbox.clearFaults();
    await expectAllPaidOnceMended(world);
  });
});

describe("standard output and standard error", () => {
  it("on a disk that is full: payouts are made and recorded, outputs and exit code are right", async () => {
    const world = await openFaultWorld();
    const end = await runJob({ env: world.env, terminal: "/dev/full" });
    expect(end).toMatchObject({
      exitCode: 0,
      outputs: { outcome: "completed", processed: String(PAYOUTS), failed: "0" },
    });
    expect(end.summary).toContain("completed");
    expect(await recordOf(world)).toEqual([{ outcome: "completed", reason: null, code: 0 }]);
    await expectAllPaidOnceMended(world);
  });

  it("that nobody reads any more: the same", async () => {
    const world = await openFaultWorld();
    const job = startJob({ env: world.env });
    await world.lines.sandbox.when({ text: "POST /v1/payouts " }, () => job.stopReading());
    const end = await job.ended;
    expect(end).toMatchObject({
      exitCode: 0,
      outputs: { outcome: "completed", processed: String(PAYOUTS) },
    });
    expect(await recordOf(world)).toEqual([{ outcome: "completed", reason: null, code: 0 }]);
    await expectAllPaidOnceMended(world);
  });
});

function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "afterhours-outputs-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function recordOf({ database }: FaultWorld): Promise<Record<string, unknown>[]> {
  return database.query("SELECT outcome, reason, exit_code AS code FROM job_runs");
}

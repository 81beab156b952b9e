import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { lostWebhook } from "../../scripts/dev/demo/scenes/bookings.ts";
import { openWorld } from "../../scripts/dev/demo/scenes/world.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

let database: TestDatabase;
let opened: Awaited<ReturnType<typeof openWorld>>;
let home: string;
let printed: string[];

beforeEach(async () => {
  database = await createTestDatabase();
  home = await mkdtemp(join(tmpdir(), "scenes-"));
  printed = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => void printed.push(line));
  opened = await openWorld({
    root: ROOT,
    home,
    databaseUrl: database.url,
    env: { ...process.env, GITHUB_STEP_SUMMARY: "", GITHUB_OUTPUT: "", REDIS_URL: "" },
    signal: new AbortController().signal,
    say: (what) => void printed.push(what),
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await opened.close();
  await rm(home, { recursive: true, force: true });
  await database.drop();
});

it("plays a scene with the real job, and shows what the database says", async () => {
  await lostWebhook(opened.world);
  expect(printed).toEqual([
    "Running jobs/payments/reconcile-late-captures.ts",
    "  The booking is CONFIRMED, and its payment PAID.",
  ]);
  expect(opened.world.isAsExpected()).toBe(true);
});

it("says so, and fails the demo, where a sentence is another one", async () => {
  await opened.world.shows("paid", "SELECT 'not paid' AS sentence");
  expect(printed).toEqual(["  NOT AS EXPECTED: not paid (and not: paid)"]);
  expect(opened.world.isAsExpected()).toBe(false);
});

it("says so where a run is green that should be red", async () => {
  await opened.world.job("payments/reconcile-payments", { red: true });
  expect(printed.at(-1)).toBe("  NOT AS EXPECTED: it ended with exit code 0");
  expect(opened.world.isAsExpected()).toBe(false);
});

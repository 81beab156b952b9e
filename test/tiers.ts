import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** `unit` needs no server, `normal` is what everybody runs, `deep` is everything. See docs/testing.md. */
export type Tier = "unit" | "normal" | "deep";
export const TIERS: readonly Tier[] = ["unit", "normal", "deep"];

const TEST = fileURLToPath(new URL(".", import.meta.url));

/**
 * Files that play a share of their seeds or steps, in every tier but `unit`. The longest come first: a file that
 * begins last would run alone while the other processors idle.
 */
export const SHARED: readonly string[] = [
  "crash/matrix-after.test.ts",
  "crash/matrix-before.test.ts",
  "simulation/simulation-1.test.ts",
  "simulation/simulation-2.test.ts",
  "simulation/simulation-3.test.ts",
  "simulation/simulation-4.test.ts",
  "simulation/market/market-1.test.ts",
  "simulation/market/market-2.test.ts",
];

/**
 * Files of the deep tier alone: those that take longer than a minute, and those beside which another file of the normal
 * tier shows the main path. The longest come first, in an order that makes the parts about equally long.
 */
export const DEEP: readonly string[] = [
  "scale/whole-tables.test.ts",
  "docs/commands-pages.test.ts",
  "scripts/command-line.test.ts",
  "scripts/new-job.test.ts",
  "race/waitlist.test.ts",
  "scripts/mutation/main.test.ts",
  "crash/refunds.test.ts",
  "faults/lines.test.ts",
  "prisma/groups.test.ts",
  "crash/waitlist.test.ts",
  "crash/checkouts.test.ts",
  "crash/payment-events.test.ts",
  "race/checkouts.test.ts",
  "workflows/cancel.test.ts",
  "scripts/jobs.test.ts",
  "simulation/market/replay.test.ts",
  "docs/commands-jobs.test.ts",
  "crash/kill-and-rerun.test.ts",
  "faults/jobs.test.ts",
  "simulation/replay.test.ts",
  "race/process-refunds.test.ts",
  "scripts/services/postgres.test.ts",
  "scripts/payouts.test.ts",
  "workflows/run-lines.test.ts",
  "jobs/under-roles.test.ts",
  "docs/adapting.test.ts",
  "scripts/build.test.ts",
  "jobs/cancel.test.ts",
  "jobs/hostile-provider.test.ts",
  "prisma/locks.test.ts",
  "lib/job/processes.test.ts",
  "crash/recoveries.test.ts",
  "faults/restart.test.ts",
  "jobs/failures.test.ts",
  "jobs/database-session.test.ts",
  "lib/payouts/pay/unrecorded.test.ts",
  "race/woken-too-late.test.ts",
  "lib/payouts/pay/gateway-faults.test.ts",
  "race/deliver-outbox.test.ts",
  "race/two-runs.test.ts",
  "faults/output-files.test.ts",
  "lib/payouts/pay/stopping.test.ts",
  "scripts/migrate/blocked.test.ts",
  "architecture/lint.test.ts",
  "scripts/tds-returns.test.ts",
  "scripts/services/main.test.ts",
  "crash/payout-batches.test.ts",
  "lib/payouts/pay/organizations.test.ts",
  "scripts/import-earnings.test.ts",
  "lib/payouts/pay/refused-by-database.test.ts",
  "scripts/migrate/history.test.ts",
  "crash/outbox.test.ts",
  "docs/inline-commands.test.ts",
  "lib/payouts/pay/properties.test.ts",
  "lib/refunds/recoveries.test.ts",
  "lib/refunds/answers.test.ts",
  "scripts/migrate/drift.test.ts",
  "lib/waitlist/properties.test.ts",
  "lib/db/tls.test.ts",
  "lib/job/run-job-settle.test.ts",
  "lib/refunds/earnings.test.ts",
  "jobs/redaction.test.ts",
  "jobs/silent-proxy.test.ts",
  "lib/job/run-job-not-started.test.ts",
  "scripts/mails.test.ts",
  "scripts/migrate/apply.test.ts",
  "lib/notifications/later.test.ts",
  "lib/job/lock/redis-answers.test.ts",
  "jobs/dry-run.test.ts",
  "lib/payouts/pay/provider-words.test.ts",
  "lib/payouts/state/abandoned-claims.test.ts",
  "lib/db/busy.test.ts",
  "lib/payouts/reconcile/money-back-late.test.ts",
  "lib/refunds/wallets.test.ts",
  "race/create-payout-batch.test.ts",
  "support/database.test.ts",
  "lib/payouts/reconcile/account-kinds.test.ts",
  "scripts/migrate/upgrade-amounts.test.ts",
  "lib/payouts/state/account-holds.test.ts",
  "lib/refunds/refuses-all.test.ts",
  "lib/payouts/pay/destination.test.ts",
  "scripts/check-role.test.ts",
  "lib/payouts/state/cycle-properties.test.ts",
  "lib/db/pooled-session.test.ts",
  "scripts/services/redis.test.ts",
  "scripts/sandbox/main.test.ts",
  "lib/payouts/pay/reasons.test.ts",
  "lib/earnings/approve-free.test.ts",
  "scripts/bench.test.ts",
  "lib/payouts/operate/changed-meanwhile.test.ts",
  "lib/payouts/pay/provider-reasons.test.ts",
  "lib/db/thrown.test.ts",
  "lib/db/socket.test.ts",
];

/** The seeds that the deep tier plays, from 1 on: of the payout cycle, and of the marketplace. */
export const SEEDS = { cycle: 300, market: 50 };

/** What `.ci/run` plays of the deep tier is one of so many parts. */
export const PARTS = 4;

/** The test files of a tier, or of one part of the deep tier, by their paths below `test/`; the longest first. */
export function filesOf(tier: Tier, part?: number): string[] {
  const all = testFiles();
  const gone = [...SHARED, ...DEEP].filter((file) => !all.includes(file));
  if (gone.length > 0) throw new Error(`test/tiers.ts names ${gone.join(", ")}`);
  if (part !== undefined)
    return [...SHARED, ...DEEP.filter((_, index) => index % PARTS === part - 1)];
  const others = all.filter((file) => !SHARED.includes(file) && !DEEP.includes(file));
  if (tier === "unit") return others.filter(needsNoServer);
  return tier === "normal" ? [...SHARED, ...others] : [...SHARED, ...DEEP, ...others];
}

export function testFiles(): string[] {
  return readdirSync(TEST, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => file.replaceAll("\\", "/"))
    .toSorted();
}

/** Modules that a test replaces, and the client of GitHub's step, which keeps the first file that it was given. */
const KEEPS_STATE = /\bvi\.mock\(|\buseGithubStep\b|\bGITHUB_STEP_SUMMARY\b/;

/**
 * Whether a file gets a process of its own. Most of a short file is starting a process and loading modules, so the
 * files of the unit and the normal tier share processes; those that play for long, race or crash do not.
 */
export function needsOwnProcess(file: string): boolean {
  if (SHARED.includes(file) || DEEP.includes(file)) return true;
  return KEEPS_STATE.test(readFileSync(join(TEST, file), "utf8"));
}

/** Starting a server or a process, or asking for one that the run has started. */
const NEEDS_A_SERVER = /\binject\(|"node:(?:child_process|worker_threads|net|http)"/;
const SERVERS = /\/scripts\/(?:sandbox|dev\/services)\//;
const known = new Map<string, boolean>();

/** Whether neither a test file nor a helper that it imports needs a server. */
export function needsNoServer(file: string): boolean {
  return !reachesServer(join(TEST, file));
}

function reachesServer(path: string): boolean {
  const answer = known.get(path);
  if (answer !== undefined) return answer;
  known.set(path, false);
  const text = readFileSync(path, "utf8");
  const imported = [...text.matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+\.ts)"/g)].map(
    ([, target]) => join(dirname(path), target ?? ""),
  );
  const reaches =
    NEEDS_A_SERVER.test(text) ||
    imported.some((next) => SERVERS.test(next) || (next.startsWith(TEST) && reachesServer(next)));
  known.set(path, reaches);
  return reaches;
}

import { randomUUID } from "node:crypto";
import type { Db } from "../../lib/db/client.ts";
import { prune, type PrunePorts } from "../../lib/ops/prune/prune.ts";
import { watchJobs, type WatchPorts } from "../../lib/ops/watch/watch.ts";
import { noLease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import { DEFAULT_REFUND_BASE, defaultTaxPolicy } from "../../lib/tds/index.ts";
import type { TestDatabase } from "./database.ts";

export interface RunSeed {
  job?: string;
  /** Null: it has no end. */
  outcome?: string | null;
  reason?: string | null;
  hoursAgo?: number;
  owner?: string;
  report?: unknown;
  commit?: string;
  runUrl?: string;
}

/** The record of a run that took a minute. */
export async function seedRun(database: TestDatabase, seed: RunSeed = {}): Promise<string> {
  const { job = "tests/count-things", outcome = "completed", hoursAgo = 1, reason = null } = seed;
  const id = randomUUID();
  await database.query(
    `INSERT INTO job_runs (id, job, owner, outcome, reason, exit_code, report, commit, run_url,
                           started_at, finished_at)
     SELECT $1, $2, $3, $4, $5, CASE WHEN $4::text IN ('completed', 'skipped') THEN 0 ELSE 1 END, $6, $7, $8,
            begun.at, CASE WHEN $4::text IS NOT NULL THEN begun.at + interval '1 minute' END
     FROM (SELECT now() - $9::float8 * interval '1 hour' AS at) AS begun`,
    [
      id,
      job,
      seed.owner ?? `2026-11-25T00:00:00.000Z@runner:${id}`,
      outcome,
      reason,
      seed.report === undefined ? null : JSON.stringify(seed.report),
      seed.commit ?? null,
      seed.runUrl ?? null,
      hoursAgo,
    ],
  );
  return id;
}

export interface MailSeedOfAge {
  key: string;
  userId: string;
  template?: string;
  status: "QUEUED" | "SENT" | "GAVE_UP" | "LAPSED";
  daysAgo: number;
}

/** A mail that was settled, or queued, so long ago. */
export async function seedOldMail(database: TestDatabase, mail: MailSeedOfAge): Promise<void> {
  const { key, userId, template = "waitlist-expired", status, daysAgo } = mail;
  await database.query(
    `INSERT INTO outbox_mails (key, user_id, template, data, status, created_at, settled_at)
     SELECT $1, $2, $3, '{}', $4::mail_status, at, CASE WHEN $4 <> 'QUEUED' THEN at END
     FROM (SELECT now() - $5::float8 * interval '1 day' AS at) AS old`,
    [key, userId, template, status, daysAgo],
  );
}

export interface FindingSeed {
  subjectId: string;
  resolvedDaysAgo?: number;
  seenDaysAgo: number;
}

/** Triggers are off for it: a finding begins open, and is resolved now. */
export async function seedFinding(database: TestDatabase, finding: FindingSeed): Promise<void> {
  const { subjectId, resolvedDaysAgo, seenDaysAgo } = finding;
  const isOpen = resolvedDaysAgo === undefined;
  await database.query(
    `INSERT INTO findings (kind, severity, subject_type, subject_id, details, first_seen_at, last_seen_at,
                           resolved_at, resolved_by, resolution)
     SELECT 'amount-differs', 'critical', 'payout', $1, '{"oursPaise": "1"}',
            now() - $2::float8 * interval '1 day', now() - $2::float8 * interval '1 day',
            now() - $3::float8 * interval '1 day', $4, $5
     FROM set_config('session_replication_role', 'replica', true)`,
    [
      subjectId,
      seenDaysAgo,
      resolvedDaysAgo ?? null,
      isOpen ? null : "Asha",
      isOpen ? null : "mended",
    ],
  );
}

export const RETENTION = { runsDays: 400, mailsDays: 90, findingsDays: 400 };

/** One run of prune in this process. */
export function runPrune(db: Db, options: Partial<PrunePorts> = {}): ReturnType<typeof prune> {
  return prune({
    dryRun: false,
    limit: undefined,
    settings: RETENTION,
    db,
    lease: noLease,
    progress: noProgress,
    signal: new AbortController().signal,
    ...options,
  });
}

/** One run of the watchdog in this process. */
export function runWatch(
  db: Db,
  options: Partial<WatchPorts> & Pick<WatchPorts, "jobs">,
): ReturnType<typeof watchJobs> {
  return watchJobs({
    dryRun: false,
    db,
    log: silentLog(),
    signal: new AbortController().signal,
    name: "ops/watchdog",
    settings: { tax: defaultTaxPolicy, refundBase: DEFAULT_REFUND_BASE, depositWarningDays: 5 },
    holderOf: () => Promise.resolve(undefined),
    ...options,
  });
}

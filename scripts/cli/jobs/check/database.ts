import type { AnyJob } from "../../../../lib/job/index.ts";
import {
  describeAddress,
  DatabasePermissionError,
  DatabaseUnreachableError,
  isConnectionError,
  isMissingSchema,
  isPermissionDenied,
} from "../../../../lib/db/connection.ts";
import { DatabaseSessionError } from "../../../../lib/db/session-errors.ts";
import { openDatabase, type Db } from "../../../../lib/db/client.ts";
import { newSession } from "../../../../lib/db/session.ts";
import { readUnfinished } from "../../../../lib/ops/watch/unfinished.ts";
import { judgeAll } from "../../../../lib/ops/watch/watch.ts";
import { systemClock } from "../../../../lib/support/clock.ts";
import { AfterhoursError } from "../../../../lib/support/errors.ts";
import { present, type Env } from "../../../../lib/support/environment.ts";
import { OUR_FOLDERS, readMigrations } from "../../schema/migration-files.ts";
import { requireDatabaseUrl } from "../../frame/database-url.ts";
import { told } from "../../frame/command.ts";
import { notChecked, ok, overChannel, wrong, type CheckFinding } from "./finding.ts";
import { checkRole } from "./role.ts";

/** A session that may not be worked with is told in its own words. */
function toldOf(error: unknown): string {
  if (error instanceof DatabaseSessionError) return error.problem;
  // Holds nothing of the address, and shows an example that looks like one with a password.
  const isAddress = error instanceof AfterhoursError && error.code === "MISCONFIGURED";
  return isAddress ? error.message : told(error);
}

/** Beyond this the times in the log and those of the run records no longer tell one story. */
const MOST_SKEW_MS = 5_000;
const PARTS = ["database", "connection", "role", "clocks", "runs"] as const;

/**
 * Checks that the database is reachable and migrated, the rights of the login, the clock, and the watchdog's
 * verdict on the runs. Reads only.
 */
export async function checkDatabase(
  env: Env,
  { jobs, watchdog }: { jobs: readonly AnyJob[]; watchdog: string },
): Promise<CheckFinding[]> {
  if (present(env, "DATABASE_URL") === undefined) {
    return PARTS.map((part) => notChecked(part, "DATABASE_URL is not set"));
  }
  let db: Db | undefined;
  try {
    const url = requireDatabaseUrl(env);
    db = openDatabase({
      url,
      applicationName: "afterhours jobs check",
      readOnly: true,
      connections: 1,
    });
    const connection = await checkConnection(url);
    const clocks = await checkClocks(db);
    const migrated = await checkMigrations(db, describeAddress(url));
    if (migrated.state === "wrong") {
      return [
        migrated,
        connection,
        await checkRole(db),
        clocks,
        notChecked("runs", "the database is not migrated"),
      ];
    }
    const runs = await checkRuns(db, { jobs, watchdog });
    return [migrated, connection, await checkRole(db), clocks, ...runs];
  } catch (error) {
    const [first, ...others] = PARTS;
    return [
      wrong(first, toldOf(recognise(error, env["DATABASE_URL"] ?? ""))),
      ...others.map((part) => notChecked(part, "the database can not be asked")),
    ];
  } finally {
    await db?.close();
  }
}

function recognise(error: unknown, url: string): unknown {
  if (isConnectionError(error)) return new DatabaseUnreachableError(url, error);
  return isPermissionDenied(error) ? new DatabasePermissionError(url, error) : error;
}

/** The server's end of the connection, and ours: a pooler may be between them. */
async function checkConnection(url: string): Promise<CheckFinding> {
  const session = newSession({ url, applicationName: "afterhours jobs check", readOnly: true });
  session.on("error", () => undefined);
  try {
    await session.connect();
    const { rows } = await session.query<{ ssl: boolean; version: string; cipher: string }>(
      "SELECT ssl, version, cipher FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    const [there] = rows;
    const theirs = there?.ssl ? `${there.version} ${there.cipher}` : "plain text";
    return overChannel("connection", `the server says ${theirs}`, session.channel);
  } finally {
    await session.end().catch(() => undefined);
  }
}

async function checkMigrations(db: Db, address: string): Promise<CheckFinding> {
  const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);
  let applied: string[];
  try {
    const rows = await db.query<{ name: string }[]>`
      SELECT migration_name AS name FROM _prisma_migrations
      WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`;
    applied = rows.map(({ name }) => name);
  } catch (error) {
    if (!isMissingSchema(error)) throw error;
    applied = [];
  }
  const missing = ours.filter((name) => !applied.includes(name));
  const newer = applied.filter((name) => !ours.includes(name));
  if (missing.length > 0) {
    return wrong("database", `${address} lacks ${missing.join(", ")}: npm run db:migrate`);
  }
  if (newer.length > 0) {
    return wrong("database", `${address} is newer than this version: it has ${newer.join(", ")}`);
  }
  const [server] = await db.query<{ version: string }[]>`
    SELECT current_setting('server_version') AS version`;
  return ok(
    "database",
    `${address} is PostgreSQL ${server?.version ?? "?"}, has all ${ours.length} migrations, and the session is as a job needs it`,
  );
}

/** By the middle of the question, so that a slow network is no skew. */
async function checkClocks(db: Db): Promise<CheckFinding> {
  await db.query`SELECT 1`;
  const asked = systemClock.now().getTime();
  const [row] = await db.query<{ at: Date }[]>`SELECT clock_timestamp() AS at`;
  const answered = systemClock.now().getTime();
  const skewMs = Math.round((row?.at.getTime() ?? NaN) - (asked + answered) / 2);
  const detail = `the database is ${skewMs} ms ahead of this machine`;
  return Math.abs(skewMs) <= MOST_SKEW_MS ? ok("clocks", detail) : wrong("clocks", detail);
}

async function checkRuns(
  db: Db,
  { jobs, watchdog }: { jobs: readonly AnyJob[]; watchdog: string },
): Promise<CheckFinding[]> {
  const names = new Set(jobs.map(({ name }) => name));
  const unfinished = (await readUnfinished(db, jobs)).filter(({ job }) => names.has(job));
  const faults = [
    ...unfinished.map(({ id, job, startedAt }) => {
      const detail = `run ${id} has gone on for longer than it may; ops/watchdog says whether it is lost`;
      return { job, kind: "without an end", since: startedAt, detail };
    }),
    ...(await judgeAll(db, { jobs, watchdog })),
  ];
  if (faults.length === 0) return [ok("runs", "every job has run when it was due")];
  return faults.map(({ job, kind, since, detail }) =>
    wrong("runs", `${job} ${kind} since ${since?.toISOString() ?? "ever"}: ${detail}`),
  );
}

import type pg from "pg";
import { sleep } from "../../lib/support/clock.ts";
import { AfterhoursError, errorCode, toError } from "../../lib/support/errors.ts";
import { connectAdmin, describeServer } from "./database-url.ts";
import type { SchemaFolders } from "./migration-files.ts";
import { OUR_FOLDERS, readMigrations, readSchema } from "./migration-files.ts";
import { openSchemaEngine } from "./schema-engine.ts";

export interface MigrateOptions {
  url: string;
  /** Default: this repository's. */
  folders?: SchemaFolders;
  /** A migration that failed and may be tried again. */
  rolledBack?: string;
  /** Is told when somebody else is migrating and this one waits. */
  say?: (line: string) => void;
}

/**
 * The lock that one migrating process holds, in the database itself. It is not the key that
 * Prisma's engine takes for itself (72707369): the engine would wait for us.
 */
const LOCK_KEY = 4_113_572_026n;
const LOCK_POLL_MS = 200;
const LOCK_WITHIN_MS = 5 * 60_000;

/**
 * Applies the migrations that the database lacks, as `prisma migrate deploy` does and into the same
 * table. Each is one transaction. Two at once are safe: the second waits and finds nothing to do.
 *
 * @returns the names of what was applied, in order
 * @throws AfterhoursError DATABASE_UNREACHABLE, MIGRATION_FAILED, MIGRATION_LOCKED
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const folders = options.folders ?? OUR_FOLDERS;
  const migrations = readMigrations(folders);
  const admin = await connectAdmin(options.url);
  try {
    await takeLock(admin, options);
    const engine = await openSchemaEngine({
      url: options.url,
      schema: readSchema(folders),
      isScratch: false,
    });
    try {
      if (options.rolledBack !== undefined) await engine.markRolledBack(options.rolledBack);
      return await engine.applyMigrations(migrations);
    } catch (error) {
      throw explain(error, await engine.failedMigrations(migrations).catch(() => []));
    } finally {
      await engine.close();
    }
  } finally {
    // The lock goes with the session.
    await admin.end();
  }
}

/**
 * Asks again and again instead of waiting in the server: a waiting statement blocks
 * `CREATE INDEX CONCURRENTLY` in the migration that it waits for.
 */
async function takeLock(admin: pg.Client, { url, say }: MigrateOptions): Promise<void> {
  const deadline = performance.now() + LOCK_WITHIN_MS;
  for (let attempt = 1; ; attempt += 1) {
    const sql = "SELECT pg_try_advisory_lock($1) AS taken";
    const { rows } = await admin.query<{ taken: boolean }>(sql, [LOCK_KEY.toString()]);
    if (rows[0]?.taken) return;
    if (attempt === 1) say?.("Another process is migrating this database; waiting for it.");
    if (performance.now() > deadline) {
      throw new AfterhoursError(
        "MIGRATION_LOCKED",
        `Another process has been migrating ${describeServer(url)} for five minutes.`,
        { remedy: "Look for it in pg_stat_activity, then run this again." },
      );
    }
    await sleep(LOCK_POLL_MS);
  }
}

function explain(error: unknown, failed: string[]): AfterhoursError {
  const name = failed.at(-1);
  const reason = toError(error).message;
  if (name === undefined) return new AfterhoursError("MIGRATION_FAILED", reason, { cause: error });
  const before = errorCode(error) === "P3009";
  return new AfterhoursError(
    "MIGRATION_FAILED",
    before
      ? `The migration ${name} failed in an earlier run; nothing was applied now.`
      : `The migration ${name} failed and left nothing behind: ${reason}`,
    {
      remedy: `Correct its SQL, then run: npm run db:migrate -- --rolled-back ${name}`,
      cause: error,
    },
  );
}

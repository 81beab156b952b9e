import { findLockHolders } from "../../lib/db/lock-holders.ts";
import type { DatabaseSession } from "../../lib/db/session.ts";
import { sleep } from "../../lib/support/clock.ts";
import { AfterhoursError, errorCode, toError } from "../../lib/support/errors.ts";
import { connectAdmin, describeServer } from "./database-url.ts";
import { forgetEmptyHistory, readHistory } from "./history.ts";
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
 * @throws AfterhoursError DATABASE_UNREACHABLE, DATABASE_NOT_OURS, MIGRATION_FAILED, MIGRATION_LOCKED; MISCONFIGURED
 * where the server is too old or the session is not one that may be worked with
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const folders = options.folders ?? OUR_FOLDERS;
  const migrations = readMigrations(folders);
  const admin = await connectAdmin(options.url);
  try {
    await takeLock(admin, options);
    const history = await readHistory(admin, { url: options.url, migrations });
    if (history.missing.length === 0 && options.rolledBack === undefined) return [];
    const engine = await openSchemaEngine({
      url: options.url,
      schema: readSchema(folders),
      isScratch: false,
    });
    try {
      if (options.rolledBack !== undefined) await engine.markRolledBack(options.rolledBack);
      return history.missing.length === 0 ? [] : await engine.applyMigrations(migrations);
    } catch (error) {
      const failed = await engine.failedMigrations(migrations).catch(() => []);
      throw explain(error, { failed, isForgotten: await forgetEmptyHistory(admin, history) });
    } finally {
      await engine.close();
    }
  } finally {
    // The lock goes with the session, and behind a pooler with the transaction.
    if (admin.isPooled) await admin.query("ROLLBACK").catch(() => undefined);
    await admin.end();
  }
}

/**
 * Asks again and again instead of waiting in the server: a waiting statement blocks
 * `CREATE INDEX CONCURRENTLY` in the migration that it waits for.
 */
async function takeLock(admin: DatabaseSession, { url, say }: MigrateOptions): Promise<void> {
  const deadline = performance.now() + LOCK_WITHIN_MS;
  // A pooler gives the session away at the end of the transaction, with what it locked; a transaction that
  // only waits holds nothing else, and stays with us until it ends.
  if (admin.isPooled) await admin.query("BEGIN");
  const scope = admin.isPooled ? "pg_try_advisory_xact_lock" : "pg_try_advisory_lock";
  for (let attempt = 1; ; attempt += 1) {
    const sql = `SELECT ${scope}($1) AS taken`;
    const { rows } = await admin.query<{ taken: boolean }>(sql, [LOCK_KEY.toString()]);
    if (rows[0]?.taken) return;
    if (attempt === 1) {
      const { names } = await findLockHolders(admin, { advisory: LOCK_KEY });
      say?.(
        `Another process is migrating this database; waiting for it${names === "" ? "" : `: ${names}`}.`,
      );
    }
    if (performance.now() > deadline) {
      const { names, command } = await findLockHolders(admin, { advisory: LOCK_KEY });
      throw new AfterhoursError(
        "MIGRATION_LOCKED",
        `Another process has been migrating ${describeServer(url)} for five minutes, or holds its lock${names === "" ? "" : `: ${names}`}. Nothing was applied.`,
        {
          remedy: `Let it finish${command === "" ? "" : `, or end it with: ${command}`} Then run this again.`,
        },
      );
    }
    await sleep(LOCK_POLL_MS);
  }
}

function explain(
  error: unknown,
  { failed, isForgotten }: { failed: string[]; isForgotten: boolean },
): AfterhoursError {
  const name = failed.at(-1);
  const reason = toError(error).message;
  if (isForgotten) {
    return new AfterhoursError(
      "MIGRATION_FAILED",
      `The first migration failed and left nothing behind: ${reason}`,
      { remedy: "Remove the cause, then run npm run db:migrate again.", cause: error },
    );
  }
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

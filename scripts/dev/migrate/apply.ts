import type { MigrationList } from "@prisma/schema-engine-wasm";
import { findLockHolders } from "../../../lib/db/lock-holders.ts";
import type { DatabaseSession } from "../../../lib/db/session.ts";
import { sleep } from "../../../lib/support/clock.ts";
import { AfterhoursError, errorCode, toError } from "../../../lib/support/errors.ts";
import { connectAdmin, describeServer } from "../../cli/frame/database-url.ts";
import { forgetEmptyHistory, readHistory } from "./history.ts";
import type { SchemaFolders } from "../../cli/schema/migration-files.ts";
import { OUR_FOLDERS, readMigrations, readSchema } from "../../cli/schema/migration-files.ts";
import { openSchemaEngine, type OpenEngine } from "./schema-engine.ts";
import { watchBlockers, type SeenBlockers } from "./watch-blockers.ts";

interface MigrateOptions {
  url: string;
  /** Default: this repository's. */
  folders?: SchemaFolders;
  /** A migration that failed and may be tried again. */
  rolledBack?: string;
  /** Is told when somebody else is migrating, or holds a table, and this one waits. */
  say?: (line: string) => void;
  /** How often a migration is tried that does not get a lock within a second. Default: for half a minute. */
  lockTries?: number;
}

/**
 * The lock that one migrating process holds, in the database itself. It is not the key that
 * Prisma's engine takes for itself (72707369): the engine would wait for us.
 */
const LOCK_KEY = 4_113_572_026n;
const LOCK_POLL_MS = 200;
const LOCK_WITHIN_MS = 5 * 60_000;
/** A migration's own locks, of tables: each try waits for a second at most, and others get their turn in between. */
const LOCK_TRIES = 10;
const PAUSE_BETWEEN_TRIES_MS = 2_000;

/**
 * Applies the migrations that the database lacks, as `prisma migrate deploy` does and into the same table. Each
 * is one transaction. Two at once are safe: the second waits and finds nothing to do. A migration that waits for
 * a table is retried in short tries, so that no session waits behind it for long.
 *
 * @returns the names of the applied migrations, in order
 * @throws AfterhoursError DATABASE_UNREACHABLE, DATABASE_NOT_OURS, MIGRATION_FAILED, MIGRATION_LOCKED,
 * MIGRATION_BLOCKED; MISCONFIGURED where the server is too old or the session's settings are not allowed
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
      if (history.missing.length === 0) return [];
      await applyInTries(engine, { admin, migrations, ...options });
      return history.missing;
    } catch (error) {
      if (error instanceof BlockedError) {
        await forgetEmptyHistory(admin, history);
        throw error;
      }
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
  // A pooler takes the session back at the end of the transaction, with its locks. A transaction that only waits
  // holds nothing else, and stays with us until it ends.
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

/** @throws {BlockedError} where another session held a needed lock at each try */
async function applyInTries(
  engine: OpenEngine,
  {
    admin,
    migrations,
    say,
    lockTries = LOCK_TRIES,
  }: Pick<MigrateOptions, "say" | "lockTries"> & {
    admin: DatabaseSession;
    migrations: MigrationList;
  },
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const stopWatching = watchBlockers(admin);
    try {
      await engine.applyMigrations(migrations);
      return;
    } catch (error) {
      if (errorCode(error) !== "LOCK_NOT_TAKEN") throw error;
      const seen = await stopWatching();
      const name = (await engine.failedMigrations(migrations)).at(-1);
      // It was one transaction, and is as if it had never begun.
      if (name !== undefined) await engine.markRolledBack(name);
      if (tries === lockTries) throw new BlockedError({ name, tries, seen, cause: error });
      if (tries === 1) {
        say?.(
          `${name === undefined ? "It" : `The migration ${name}`} waits for ${heldBy(seen)}; trying again.`,
        );
      }
      await sleep(PAUSE_BETWEEN_TRIES_MS);
    } finally {
      await stopWatching();
    }
  }
}

function heldBy(seen: SeenBlockers): string {
  if (seen === undefined) return "a lock, and its holder is unknown";
  return `${seen.tables === "" ? "a lock" : seen.tables}, held by ${seen.names}`;
}

/** Another session holds a lock that a migration needs. */
class BlockedError extends AfterhoursError {
  override readonly name = "BlockedError";

  constructor({
    name,
    tries,
    seen,
    cause,
  }: {
    name: string | undefined;
    tries: number;
    seen: SeenBlockers;
    cause: unknown;
  }) {
    const not =
      name === undefined
        ? "No migration was applied"
        : `The migration ${name} was not applied, and left nothing behind`;
    const ending =
      seen === undefined
        ? "Look for sessions with a long transaction (pg_stat_activity, pg_prepared_xacts), and let them end."
        : `Let that session end, or end it with: ${seen.command}`;
    super(
      "MIGRATION_BLOCKED",
      `${not}: it waited ${tries === 1 ? "once" : `${tries} times`} for 1 s for ${heldBy(seen)}.`,
      { remedy: `${ending} Then run npm run db:migrate again.`, cause },
    );
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

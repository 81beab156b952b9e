import pg from "pg";
import { afterEach, beforeEach, expect, inject, it } from "vitest";
import { migrate } from "../../../scripts/dev/migrate/apply.ts";
import { OUR_FOLDERS, readMigrations } from "../../../scripts/cli/schema/migration-files.ts";
import { withScratchDatabase } from "../../../scripts/dev/migrate/scratch-database.ts";
import { startPgBouncer } from "../../support/pgbouncer.ts";
import { copyOfOurFolders, writeMigration } from "./folders.ts";

const ours = readMigrations(OUR_FOLDERS).migrationDirectories.map(({ path }) => path);
const FIRST = "29990101000000_first";
const BLOCKED = "29990102000000_blocked";

let folders: ReturnType<typeof copyOfOurFolders>;
beforeEach(() => {
  folders = copyOfOurFolders();
});
afterEach(() => folders.remove());

interface World {
  url: string;
  /** A report of somebody who has read all payouts and has not ended the transaction. */
  report: pg.Client & { pid: number };
}

/** Two migrations are missing, and the second one needs a table that another session reads. */
function beside(test: (world: World) => Promise<void>): () => Promise<void> {
  return () =>
    withScratchDatabase(inject("postgresUrl"), async (url) => {
      expect(await migrate({ url, folders })).toEqual(ours);
      writeMigration(folders, FIRST, "CREATE TABLE first (id int);");
      writeMigration(
        folders,
        BLOCKED,
        "CREATE TABLE half (id int); ALTER TABLE payouts ADD COLUMN note text;",
      );
      const client = new pg.Client({ connectionString: url, application_name: "monthly report" });
      await client.connect();
      try {
        await client.query("BEGIN");
        await client.query("SELECT count(*) FROM payouts");
        const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
        await test({ url, report: Object.assign(client, { pid: rows[0]?.pid ?? 0 }) });
      } finally {
        await client.end();
      }
    });
}

async function tablesOf(client: pg.Client): Promise<unknown> {
  const { rows } = await client.query(
    "SELECT to_regclass('first')::text AS first, to_regclass('half')::text AS half",
  );
  return rows[0];
}

it(
  "a migration that a session blocks ends, names the session, leaves nothing, and can be run again",
  beside(async ({ url, report }) => {
    await expect(migrate({ url, folders, lockTries: 2 })).rejects.toMatchObject({
      code: "MIGRATION_BLOCKED",
      message: expect.stringMatching(
        new RegExp(
          String.raw`^The migration ${BLOCKED} was not applied, and left nothing behind: it waited 2 times ` +
            String.raw`for 1 s for payouts, held by session ${report.pid} \(login \w+, program "monthly report"\)\.$`,
        ),
      ) as string,
      remedy: `Let that session end, or end it with: SELECT pg_terminate_backend(${report.pid}); Then run npm run db:migrate again.`,
    });
    expect(await tablesOf(report)).toEqual({ first: "first", half: null });
    await report.query("COMMIT");
    expect(await migrate({ url, folders })).toEqual([BLOCKED]);
    expect(await tablesOf(report)).toEqual({ first: "first", half: "half" });
  }),
);

it(
  "a migration is tried again until the session has ended",
  beside(async ({ url, report }) => {
    const said: string[] = [];
    const ends: Promise<unknown>[] = [];
    const say = (line: string): void => {
      said.push(line);
      ends.push(report.query("COMMIT"));
    };
    expect(await migrate({ url, folders, say })).toEqual([FIRST, BLOCKED]);
    await Promise.all(ends);
    expect(said).toEqual([
      expect.stringMatching(
        new RegExp(
          `^The migration ${BLOCKED} waits for payouts, held by session ${report.pid} .*trying again`,
        ),
      ),
    ]);
  }),
);

it(
  "no job gives up behind a migration that waits",
  beside(async ({ url }) => {
    const job = new pg.Client({ connectionString: url, options: "-c lock_timeout=2s" });
    await job.connect();
    try {
      const ended = { migration: false };
      const blocked = migrate({ url, folders, lockTries: 3 }).finally(() => {
        ended.migration = true;
      });
      const outcome = expect(blocked).rejects.toMatchObject({ code: "MIGRATION_BLOCKED" });
      while (!ended.migration) await job.query("UPDATE payouts SET tries = tries WHERE false");
      await outcome;
    } finally {
      await job.end();
    }
  }),
);

it(
  "behind a pooler too",
  beside(async ({ url, report }) => {
    const pooler = await startPgBouncer(url, { mode: "transaction" });
    try {
      const blocked = migrate({ url: pooler.url, folders, lockTries: 1 });
      await expect(blocked).rejects.toMatchObject({
        code: "MIGRATION_BLOCKED",
        message: expect.stringContaining(`held by session ${report.pid} `) as string,
      });
      await report.query("COMMIT");
      expect(await migrate({ url: pooler.url, folders })).toEqual([BLOCKED]);
    } finally {
      await pooler.stop();
    }
  }),
);

it(
  "the lock of Prisma's own engine is waited for in the same way",
  beside(async ({ url, report }) => {
    await report.query("COMMIT");
    await report.query("SELECT pg_advisory_lock(72707369)");
    await expect(migrate({ url, folders, lockTries: 1 })).rejects.toMatchObject({
      code: "MIGRATION_BLOCKED",
      message: expect.stringMatching(
        new RegExp(`^No migration was applied: .*, held by session ${report.pid} `),
      ) as string,
    });
    await report.query("SELECT pg_advisory_unlock(72707369)");
    expect(await migrate({ url, folders })).toEqual([FIRST, BLOCKED]);
  }),
);

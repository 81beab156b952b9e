import type pg from "pg";
import { readBlockers, type Blocker } from "../../../lib/db/blockers.ts";
import { describeHolders, type LockHolders } from "../../../lib/db/lock-holders.ts";
import { sleep } from "../../../lib/support/clock.ts";
import { MIGRATION_SESSION } from "./engine-adapter.ts";

const LOOK_EVERY_MS = 100;

/** For whom a migration waited last, and at which tables; undefined where it never had to wait. */
export type SeenBlockers = (LockHolders & { tables: string }) | undefined;

/**
 * Looks, while a migration runs, for whom it waits: once it has given up, its session waits for nobody.
 *
 * @returns stops looking, and says what was seen
 */
export function watchBlockers(admin: Pick<pg.ClientBase, "query">): () => Promise<SeenBlockers> {
  const stopped = new AbortController();
  let seen: Blocker[] = [];
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      const blockers = await readBlockers(admin, MIGRATION_SESSION);
      if (blockers.length > 0) seen = blockers;
      await sleep(LOOK_EVERY_MS, stopped.signal);
    }
    // What can not be seen is not told; the migration's own error says the rest.
  })().catch(() => undefined);
  return async () => {
    stopped.abort();
    await looking;
    if (seen.length === 0) return undefined;
    const tables = [...new Set(seen.map((blocker) => blocker.tables))].filter((name) => name);
    return { ...describeHolders(seen), tables: tables.join(", ") };
  };
}

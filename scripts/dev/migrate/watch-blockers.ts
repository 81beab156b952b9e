import type pg from "pg";
import { readBlockers, type Blocker } from "../../../lib/db/blockers.ts";
import { describeHolders, type LockHolders } from "../../../lib/db/lock-holders.ts";
import { sleep } from "../../../lib/support/clock.ts";
import { MIGRATION_SESSION } from "./engine-adapter.ts";

const LOOK_EVERY_MS = 100;

/** The latest sessions that blocked a migration, and the tables; undefined without a wait. */
export type SeenBlockers = (LockHolders & { tables: string }) | undefined;

/**
 * Looks for the sessions that block a migration while it runs: once it has given up, it waits for none.
 *
 * @returns a function that stops the search and returns its result
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
    // Unreadable blockers are not reported; the migration's own error reports the rest.
  })().catch(() => undefined);
  return async () => {
    stopped.abort();
    await looking;
    if (seen.length === 0) return undefined;
    const tables = [...new Set(seen.map((blocker) => blocker.tables))].filter((name) => name);
    return { ...describeHolders(seen), tables: tables.join(", ") };
  };
}

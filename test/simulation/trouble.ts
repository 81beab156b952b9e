import { inSession } from "../lib/payouts/sessions.ts";
import { changesAfter } from "./history.ts";
import type { CallKind, SimulatedProcess, Trouble } from "./process.ts";
import type { World } from "./world.ts";

/** How long the lock of a job lives, in the simulation as in the job files. */
export const LEASE_MS = 35 * 60_000;

/** What a call of a run meets. */
export interface Incident {
  /** Before the call is made. */
  before: () => Promise<void>;
  /** Before each statement of a transaction, counted from 1. */
  within: (statement: number) => Promise<void>;
  /** After it was carried out, or has failed. */
  after: () => Promise<void>;
}

const none = (): Promise<void> => Promise.resolve();
const NOTHING: Incident = { before: none, within: none, after: none };

/** Counts the call, and says what befalls it. */
export function incidentOf(world: World, process: SimulatedProcess, call: CallKind): Incident {
  process.calls[call]++;
  process.calls.any++;
  const { trouble } = process;
  if (trouble === undefined || process.isTroubled) return NOTHING;
  if (trouble.of !== "any" && trouble.of !== call) return NOTHING;
  if (process.calls[trouble.of] < trouble.at) return NOTHING;
  process.isTroubled = true;
  world.story.push(`  ${process.name}: ${trouble.kind}`);
  return befall(world, process, { ...trouble, call });
}

function done(act: () => void): () => Promise<void> {
  return () => {
    act();
    return Promise.resolve();
  };
}

function befall(
  world: World,
  process: SimulatedProcess,
  { kind, statement, call }: Trouble & { call: CallKind },
): Incident {
  const { arena, scheduler } = world;
  const kill = done(() => scheduler.kill(process));
  const at = (act: () => Promise<void>) => async (number: number) => {
    if (number === statement) await act();
  };
  switch (kind) {
    case "killed before":
      return { ...NOTHING, before: kill };
    case "killed after":
      return { ...NOTHING, after: kill };
    case "killed inside": {
      const end = async (): Promise<void> => {
        await arena.endSessions(process.slot);
      };
      return { ...NOTHING, within: at(end), after: kill };
    }
    case "told to stop":
      return { ...NOTHING, before: done(() => process.stop.abort()) };
    case "lease lost":
      return { ...NOTHING, before: () => loseLease(world, process) };
    case "database restarts": {
      const restart = (): Promise<void> => arena.endSessions("everybody");
      if (call === "transaction") return { ...NOTHING, within: at(restart) };
      return { ...NOTHING, before: () => restartBetweenCalls(world) };
    }
    case "commit unanswered":
      arena.line.loseNextAnswerTo("COMMIT");
      return { ...NOTHING, after: () => commitNothing(world) };
    case "database away": {
      arena.line.cut();
      return { ...NOTHING, after: done(() => arena.line.restore()) };
    }
  }
}

/** A transaction that was rolled back had no commit to lose: nobody else's shall be lost for it. */
async function commitNothing({ arena }: World): Promise<void> {
  await inSession({ url: arena.line.through(arena.database.url) }, (client) =>
    client.query("BEGIN; COMMIT"),
  ).catch(() => undefined);
}

/** The clock has gone on for longer than the lock lives, and another run may have it by now. */
async function loseLease(world: World, process: SimulatedProcess): Promise<void> {
  const { arena, scheduler } = world;
  process.skipAhead(LEASE_MS);
  // A run without a lock has nothing to lose.
  if (!process.hasLease) return;
  await arena.database.query(
    "UPDATE job_leases SET expires_at = now() - interval '1 second' WHERE owner LIKE '%' || $1",
    [process.runId],
  );
  const changes = await changesAfter(arena.database, 0n);
  process.leaseLost = {
    afterChange: changes.at(-1)?.id ?? 0n,
    inHand: 1 + scheduler.waitingOf(process),
  };
}

/** Nobody is in a transaction: sessions are made anew, and nobody should notice. */
async function restartBetweenCalls({ arena }: World): Promise<void> {
  await arena.endSessions("everybody");
  for (const db of Object.values(arena.sessions)) {
    for (let isBack = false; !isBack;) {
      isBack = await db.query`SELECT 1`.then(
        () => true,
        () => false,
      );
    }
  }
}

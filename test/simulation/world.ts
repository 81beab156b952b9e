import { createHash } from "node:crypto";
import type { Arena } from "./arena.ts";
import { chanceOf, type Chance } from "./chance.ts";
import { earn, populate, type Person } from "./population.ts";
import type { SimulatedProcess } from "./process.ts";
import { Scheduler } from "./scheduler.ts";

/** A request that left and was not answered, and that may still arrive. */
export interface RequestUnderWay {
  /** Of a payout or of a refund. */
  path: string;
  header: "X-Payout-Idempotency" | "X-Refund-Idempotency";
  body: string;
  idempotencyKey: string;
  /** What it asks for, as the story calls it. */
  what: string;
}

/** One seed's world, from its first day to the end of its story. */
export interface World {
  readonly arena: Arena;
  readonly chance: Chance;
  readonly scheduler: Scheduler;
  readonly people: readonly Person[];
  /** What happened, in words that hold no id and no time: equal for equal seeds. */
  readonly story: string[];
  /** What broke an invariant at the moment at which it was broken. */
  readonly violations: string[];
  readonly underWay: RequestUnderWay[];
  /** Every run of a job so far. */
  readonly processes: SimulatedProcess[];
  /** How often a call to the provider goes wrong. */
  faultRate: number;
  /** How long attempts have been aged in all. */
  agedMinutes: number;
  /** For so many steps more reconcile-payout-status does not run. */
  reconcileAwaySteps: number;
  /** How much time had passed when each payout at the provider was first seen, by its id there. */
  readonly seenAtProvider: Map<string, number>;
}

export async function openWorld(arena: Arena, seed: number): Promise<World> {
  await arena.reset();
  const chance = chanceOf(seed);
  const people = await populate(arena.database, chance);
  const faultRate = chance.pick([0, 0.2, 0.4, 0.6]);
  const story = [
    `${people.map(({ name, flaw, isOrganization }) => [name, flaw, isOrganization ? "organization" : undefined].filter(Boolean).join(" ")).join(", ")}; faults ${faultRate}`,
  ];
  return {
    arena,
    chance,
    scheduler: new Scheduler(chance),
    people,
    story,
    violations: [],
    underWay: [],
    processes: [],
    faultRate,
    agedMinutes: 0,
    reconcileAwaySteps: 0,
    seenAtProvider: new Map(),
  };
}

export async function moreEarnings(world: World): Promise<void> {
  const { arena, chance, people, story } = world;
  const person = chance.pick(people);
  const count = chance.between(1, 2);
  await earn(arena.database, chance, { person, count });
  story.push(`${person.name} earns ${count} times`);
}

/** Steps of minutes and days: attempts stay within the days that each comparison with the provider goes back. */
const MOST_AGED_MINUTES = 12 * 24 * 60;
/** Weeks and months, of which the provider's list shows only what is asked for. */
export const MOST_AGED_IN_ALL_MINUTES = 300 * 24 * 60;

/**
 * So many minutes pass: every time in the database is so much longer ago. What is under way to the provider
 * arrives before that, since no request is under way for long.
 */
export async function letTimePass(
  world: World,
  wanted: number,
  { most = MOST_AGED_MINUTES }: { most?: number } = {},
): Promise<void> {
  const { arena, story } = world;
  await deliverUnderWay(world);
  const minutes = Math.min(wanted, most - world.agedMinutes);
  if (minutes <= 0) return;
  for (const { id } of arena.sandbox.payouts())
    if (!world.seenAtProvider.has(id)) world.seenAtProvider.set(id, world.agedMinutes);
  world.agedMinutes += minutes;
  const past = `- make_interval(mins => ${minutes})`;
  const days = Math.floor(minutes / (24 * 60));
  // What is settled can not change; that time goes by is no change of it.
  await arena.database.query(`
    ALTER TABLE payout_attempts DISABLE TRIGGER payout_attempts_settled_once;
    UPDATE payout_attempts SET created_at = created_at ${past}, settled_at = settled_at ${past};
    ALTER TABLE payout_attempts ENABLE TRIGGER payout_attempts_settled_once;
    UPDATE payouts SET claimed_at = claimed_at ${past}, approved_at = approved_at ${past},
                       created_at = created_at ${past};
    SET session_replication_role = replica;
    UPDATE provider_days SET day = day - 100000;
    UPDATE provider_days SET day = day + 100000 - ${days};
    SET session_replication_role = DEFAULT;
    UPDATE job_leases SET expires_at = expires_at ${past};
    UPDATE earnings SET hold_until = hold_until - ${days} WHERE hold_until IS NOT NULL`);
  story.push(`${minutes} minutes pass`);
}

/** Requests that their sender has given up arrive at the provider all the same. */
export async function deliverUnderWay({ arena, underWay, story }: World): Promise<void> {
  const { keyId, keySecret, baseUrl } = arena.razorpayX;
  for (const { path, header, body, idempotencyKey, what } of underWay.splice(0)) {
    const response = await fetch(`${baseUrl}${path}`, {
      method: "POST",
      headers: {
        Authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString("base64")}`,
        "Content-Type": "application/json",
        [header]: idempotencyKey,
      },
      body,
    });
    await response.text();
    story.push(`the late request for ${what} arrives: ${response.status}`);
  }
}

/**
 * One digest for each table, equal exactly when nothing was written. With `settled`, who holds a payout is
 * left out, and when the provider was asked: a look-up is no change of what is owed or paid.
 */
export async function digests(
  { arena }: World,
  { settled = false }: { settled?: boolean } = {},
): Promise<Record<string, string>> {
  const tables = await arena.database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'
     AND tablename NOT IN ('_prisma_migrations', 'job_leases') ORDER BY 1`,
  );
  const leftOut = settled
    ? "ARRAY['last_seen_at', 'seen_at', 'read_until', 'claimed_by', 'claim_fence', 'claimed_at', 'asked_at', 'updated_at']"
    : "ARRAY[]::text[]";
  const parts = tables.map(
    ({ name }) =>
      `SELECT '${name}' AS name, COALESCE(string_agg((to_jsonb(t) - ${leftOut})::text, E'\\n' ORDER BY (to_jsonb(t) - ${leftOut})::text), '') AS rows FROM "${name}" AS t`,
  );
  const rows = await arena.database.query<{ name: string; rows: string }>(
    parts.join(" UNION ALL "),
  );
  return Object.fromEntries(
    rows.map((table) => [table.name, createHash("sha256").update(table.rows).digest("hex")]),
  );
}

/** `C1#2`: somebody's second payout. */
export async function payoutName(
  { arena }: Pick<World, "arena">,
  payoutId: string,
): Promise<string> {
  const [row] = await arena.database.query<{ name: string }>(
    `SELECT owner.external_ref || '#' || (SELECT count(*) FROM payouts AS other
       WHERE other.consultant_id = payout.consultant_id AND (other.created_at, other.id) <= (payout.created_at, payout.id)) AS name
     FROM payouts AS payout JOIN consultants AS owner ON owner.id = payout.consultant_id WHERE payout.id = $1`,
    [payoutId],
  );
  return row?.name ?? "an unknown payout";
}

import { sql, type DbSession, type SqlPart } from "../../db/client.ts";
import type { Prunable } from "./report.ts";
import type { RetentionSettings } from "./settings.ts";

/** How many rows of a kind are past their limit. */
export async function countPrunable(
  db: DbSession,
  { what, settings }: { what: Prunable; settings: RetentionSettings },
): Promise<number> {
  const { table, isPast } = rule(what, settings);
  const [row] = await db.query<{ count: number }[]>`
    SELECT count(*)::int AS count FROM ${table} AS item WHERE ${isPast}`;
  return row?.count ?? 0;
}

/**
 * Deletes at most so many of them, and says how many. Rows that another session holds are left to a later
 * run, so that of two runs at once none waits for the other; the condition is looked at again under the lock.
 * Materialized, since a plan may otherwise ask the query with the limit more than once.
 */
export async function deletePrunable(
  db: DbSession,
  { what, settings, count }: { what: Prunable; settings: RetentionSettings; count: number },
): Promise<number> {
  const { table, isPast } = rule(what, settings);
  return db.execute`
    WITH past AS MATERIALIZED (
      SELECT item.id FROM ${table} AS item WHERE ${isPast}
      LIMIT ${count} FOR UPDATE OF item SKIP LOCKED
    )
    DELETE FROM ${table} WHERE id IN (SELECT id FROM past)`;
}

function rule(
  what: Prunable,
  { runsDays, mailsDays, findingsDays }: RetentionSettings,
): { table: SqlPart; isPast: SqlPart } {
  switch (what) {
    case "runs":
      return { table: sql`job_runs`, isPast: isRunPast(runsDays) };
    case "mails":
      return { table: sql`outbox_mails`, isPast: isMailPast(mailsDays) };
    case "findings":
      return { table: sql`findings`, isPast: isFindingPast(findingsDays) };
  }
}

/** A run that has ended. The last success of each job stays: without it the job would seem never to have succeeded. */
function isRunPast(days: number): SqlPart {
  return sql`
    item.outcome IS NOT NULL AND item.started_at < now() - ${days}::int * interval '1 day'
    AND NOT (item.outcome = 'completed' AND NOT EXISTS (
      SELECT 1 FROM job_runs AS later
      WHERE later.job = item.job AND later.outcome = 'completed'
        AND (later.started_at, later.id) > (item.started_at, item.id)))`;
}

/**
 * A mail that was sent or lapsed. Mail that was given up waits for a person. Every mail but the reminder is
 * written in the transaction of an event that happens once. Only its own row proves that a reminder was written,
 * so the row stays while its offer is open and could be due again. An ended offer never opens again. The same is
 * true of a mail to a payee, which is written by a later scan of the last 14 days, or again after 30 days at most.
 */
function isMailPast(days: number): SqlPart {
  return sql`
    item.status IN ('SENT', 'LAPSED') AND item.settled_at < now() - ${days}::int * interval '1 day'
    AND NOT (item.template = 'waitlist-reminder' AND EXISTS (
      SELECT 1 FROM waitlist_entries AS entry
      WHERE entry.status = 'NOTIFIED' AND 'waitlist-reminder:' || entry.id = item.key))
    AND NOT (item.consultant_id IS NOT NULL AND item.created_at > now() - interval '35 days')`;
}

/**
 * A finding that a person has resolved, and whose difference no job has seen since: the finding cannot open
 * again.
 */
function isFindingPast(days: number): SqlPart {
  return sql`
    item.resolved_at IS NOT NULL
    AND GREATEST(item.resolved_at, item.last_seen_at) < now() - ${days}::int * interval '1 day'`;
}

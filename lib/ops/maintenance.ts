import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../db/client.ts";

export type Phase = "off" | "degraded" | "offline";

/** The phase that is in force, by the database's clock. */
export interface Maintenance {
  phase: Phase;
  reason: string | null;
  /** The automatic end of the phase; null: a person ends it. */
  until: Date | null;
  /** The author and the time of the last change; null on a database without any change. */
  changedBy: string | null;
  changedAt: Date | null;
}

/** When a phase ends: at an instant, or so long after now. */
export type Until = { at: Date } | { afterMs: number };

interface MaintenanceRequest {
  phase: Phase;
  reason: string | null;
  until: Until | undefined;
  by: string;
  /** Also over another phase that is in force. */
  replace: boolean;
}

export type MaintenanceChange =
  | { outcome: "changed"; before: Maintenance; now: Maintenance }
  /** It is off already; nothing was changed. */
  | { outcome: "already-off"; now: Maintenance }
  /** Somebody's phase is in force; nothing was changed. */
  | { outcome: "in-force"; now: Maintenance }
  /** The end given lies in the past; nothing was changed. */
  | { outcome: "past" };

/** The current phase. A phase past its end is over. */
export async function readPhase(db: DbSession): Promise<Maintenance> {
  const [row] = await db.query<Maintenance[]>`
    SELECT CASE WHEN ended THEN 'off' ELSE phase::text END AS phase,
           CASE WHEN NOT ended THEN reason END AS reason,
           CASE WHEN NOT ended THEN "until" END AS "until",
           updated_by AS "changedBy", updated_at AS "changedAt"
    FROM maintenance, LATERAL (SELECT COALESCE("until" <= now(), false)) AS by_itself (ended)
    WHERE id = 1`;
  return row ?? { phase: "off", reason: null, until: null, changedBy: null, changedAt: null };
}

/**
 * Changes the phase, one change at a time. Of two people at once the second sees the first one's change, and
 * replaces it only if asked to. Ending a phase is always possible. Audited.
 */
export async function changePhase(
  db: Db,
  { phase, reason, until, by, replace }: MaintenanceRequest,
): Promise<MaintenanceChange> {
  return inTransaction(db, async (tx): Promise<MaintenanceChange> => {
    await lockPhase(tx);
    const before = await readPhase(tx);
    if (phase === "off" && before.phase === "off") return { outcome: "already-off", now: before };
    if (phase !== "off" && before.phase !== "off" && !replace) {
      return { outcome: "in-force", now: before };
    }
    const written = await writePhase(tx, { phase, reason, until, by });
    if (written === 0) return { outcome: "past" };
    const now = await readPhase(tx);
    await recordAudit(tx, {
      actor: by,
      category: "maintenance",
      action: phase,
      subjectType: "maintenance",
      subjectId: "phase",
      reason,
      detail: {
        until: now.until?.toISOString() ?? null,
        before: { ...before, until: before.until?.toISOString() ?? null, changedAt: undefined },
      },
    });
    return { outcome: "changed", before, now };
  });
}

/** Waits for a change in progress. */
async function lockPhase(tx: DbSession): Promise<void> {
  await tx.execute`
    INSERT INTO maintenance (id, phase, updated_at) VALUES (1, 'off', now()) ON CONFLICT (id) DO NOTHING`;
  await tx.query`SELECT 1 FROM maintenance WHERE id = 1 FOR UPDATE`;
}

/** Writes nothing where the end has passed already. */
async function writePhase(
  tx: DbSession,
  { phase, reason, until, by }: Omit<MaintenanceRequest, "replace">,
): Promise<number> {
  const at = until !== undefined && "at" in until ? until.at : null;
  const afterMs = until !== undefined && "afterMs" in until ? until.afterMs : null;
  return tx.execute`
    UPDATE maintenance
    SET phase = ${phase}::maintenance_phase, reason = ${reason}, "until" = ends.at, updated_at = now(),
        updated_by = ${by}
    FROM (SELECT COALESCE(${at}::timestamptz, now() + ${afterMs}::bigint * interval '1 millisecond') AS at) AS ends
    WHERE id = 1 AND (ends.at IS NULL OR ends.at > now())`;
}

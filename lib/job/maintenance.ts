import type pg from "pg";

/** `off`: all jobs run. `degraded`: those that move money or send mail pause. `offline`: none run. */
export type MaintenancePhase = "off" | "degraded" | "offline";

const SEVERITY = { off: 0, degraded: 1, offline: 2 } as const satisfies Record<
  MaintenancePhase,
  number
>;

export function isPaused(phase: MaintenancePhase, pausedBy: "degraded" | "offline"): boolean {
  return SEVERITY[phase] >= SEVERITY[pausedBy];
}

/** The present phase and its reason. A phase past its `until` is over. */
export async function readMaintenance(
  pool: pg.Pool,
): Promise<{ phase: MaintenancePhase; reason: string | null }> {
  const { rows } = await pool.query<{ phase: MaintenancePhase; reason: string | null }>(
    `SELECT phase, reason FROM maintenance WHERE id = 1 AND ("until" IS NULL OR "until" > now())`,
  );
  return rows[0] ?? { phase: "off", reason: null };
}

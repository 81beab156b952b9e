import pg from "pg";

const BATCH = 100;
const SESSIONS = 4;

/**
 * The upper limit of any pipeline on these tables: claim and settle in batches with plain `pg`, and nothing
 * else. No tax, no attempt, no request, no books. Returns the number of settled payouts.
 */
export async function runBare(url: string, { most }: { most: number }): Promise<number> {
  const runId = "00000000-0000-4000-8000-00000000ba5e";
  const pool = new pg.Pool({
    connectionString: url,
    max: SESSIONS,
    application_name: "bench bare",
    // Triggers off: they refuse a payout that is completed without an attempt.
    options: "-c session_replication_role=replica",
  });
  let settled = 0;
  let taken = 0;
  const work = async (): Promise<void> => {
    for (;;) {
      const count = Math.min(BATCH, most - taken);
      if (count <= 0) return;
      taken += count;
      const { rows } = await pool.query<{ id: string }>(CLAIM, [runId, count]);
      if (rows.length === 0) return;
      const { rowCount } = await pool.query(SETTLE, [runId, rows.map(({ id }) => id)]);
      settled += rowCount ?? 0;
    }
  };
  try {
    await Promise.all(Array.from({ length: SESSIONS }, work));
  } finally {
    await pool.end();
  }
  return settled;
}

const CLAIM = `
  UPDATE payouts SET status = 'PROCESSING', claimed_by = $1, claimed_at = now(), updated_at = now()
  WHERE id IN (
    SELECT id FROM payouts WHERE status = 'APPROVED' AND organization_id IS NULL AND tries < 3
    ORDER BY approved_at, id LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING id`;

const SETTLE = `
  UPDATE payouts SET status = 'COMPLETED', tax_paise = 0, net_paise = amount_paise, completed_at = now(),
         updated_at = now()
  WHERE id = ANY ($2::uuid[]) AND status = 'PROCESSING' AND claimed_by = $1`;

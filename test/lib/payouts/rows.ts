import type { TestDatabase } from "../../support/database.ts";

type Database = Pick<TestDatabase, "query">;

/** A payout with all that hangs on it, in words that a test can compare. */
export interface PayoutView {
  status: string;
  tries: number;
  /** One for each attempt: its state, and the code of the failure where there is one. */
  attempts: string[];
  /** Status of each earning, also of those that were released. */
  earnings: string[];
  /** Whether the earnings are still tied to it. */
  held: boolean;
  /** `RESERVED`, `FINAL`, and `reversed` for a row that takes one back. */
  deductions: string[];
  booked: boolean;
}

export async function viewOf(database: Database, payoutId: string): Promise<PayoutView> {
  const [row] = await database.query<PayoutView & Record<string, unknown>>(
    `SELECT status::text AS status, tries,
       ARRAY(SELECT concat_ws(' ', state, failure_code) FROM payout_attempts
             WHERE payout_id = $1 ORDER BY attempt_no) AS attempts,
       ARRAY(SELECT earning.status::text FROM payout_items JOIN earnings AS earning ON earning.id = earning_id
             WHERE payout_id = $1 ORDER BY earning_id) AS earnings,
       EXISTS (SELECT 1 FROM payout_items WHERE payout_id = $1 AND released_at IS NULL) AS held,
       ARRAY(SELECT CASE WHEN reverses_id IS NULL THEN status::text ELSE 'reversed' END
             FROM tax_deductions WHERE payout_id = $1 ORDER BY sequence) AS deductions,
       EXISTS (SELECT 1 FROM ledger_transactions WHERE payout_id = $1) AS booked
     FROM payouts WHERE id = $1`,
    [payoutId],
  );
  if (!row) throw new Error(`there is no payout ${payoutId}`);
  return row;
}

/** What each possible end of a payout of one earning looks like. */
export const untouched: PayoutView = {
  status: "APPROVED",
  tries: 0,
  attempts: [],
  earnings: ["LINKED"],
  held: true,
  deductions: [],
  booked: false,
};
export const paid: PayoutView = {
  ...untouched,
  status: "COMPLETED",
  attempts: ["PROCESSED"],
  earnings: ["PAID"],
  deductions: ["FINAL"],
  booked: true,
};
export const inFlight: PayoutView = {
  ...untouched,
  status: "PROCESSING",
  attempts: ["ACCEPTED"],
  deductions: ["RESERVED"],
};
export const unknown = (cause: string): PayoutView => ({
  ...inFlight,
  attempts: [`UNKNOWN ${cause}`],
});
/** Refused for certain by the provider, before or after it had accepted. */
export const failed = (attempt: string): PayoutView => ({
  ...untouched,
  status: "FAILED",
  tries: 1,
  attempts: [attempt],
  earnings: ["READY"],
  held: false,
  deductions: ["RESERVED", "reversed"],
});
/** Refused for a reason that is not the payout's. */
export const turnedAway = (fault: string): PayoutView => ({
  ...untouched,
  attempts: [`REFUSED ${fault}`],
  deductions: ["RESERVED", "reversed"],
});

/** Claimed and given back before anything was sent. */
export const givenBack: PayoutView = { ...untouched, deductions: ["RESERVED", "reversed"] };

/** How many payouts stand in each status. */
export async function countByStatus(database: Database): Promise<Record<string, number>> {
  const rows = await database.query<{ status: string; count: bigint }>(
    "SELECT status::text AS status, count(*) AS count FROM payouts GROUP BY status ORDER BY status",
  );
  return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
}

/** A digest of every row of every table: equal exactly when nothing was written. */
export async function digestOf(database: Database): Promise<Record<string, string>> {
  const tables = await database.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  const digests: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await database.query<{ digest: string | null }>(
      `SELECT md5(string_agg(t::text, E'\\n' ORDER BY t::text)) AS digest FROM "${name}" AS t`,
    );
    digests[name] = row?.digest ?? "empty";
  }
  return digests;
}

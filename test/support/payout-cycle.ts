import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import { openDatabase, type Db } from "../../lib/db/client.ts";
import { createPayoutBatch, type BatchPorts } from "../../lib/payouts/batch/create-batch.ts";
import { noLease } from "../../lib/support/lease.ts";
import { silentLog } from "../../lib/support/log.ts";
import { noProgress } from "../../lib/support/progress.ts";
import type { CoreResult } from "../../lib/support/verdict.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import type { BatchReport } from "../../lib/payouts/batch/index.ts";

export interface EarningSpec {
  gross?: bigint;
  fee?: bigint;
  /** SQL of a date, such as `india_today() + 1`; null: payable at once. */
  holdUntil?: string;
  currency?: string;
}

/** A database with consultants, their earnings and a posting for each, for one test. */
export interface PayoutCycle extends TestDatabase {
  /** A client of its own, as another process would have one. Disconnected when the test ends. */
  client(options?: { readOnly?: boolean }): Db;
  /** Returns the consultant's id. */
  consultant(ref: string): Promise<string>;
  /** Returns the earning's id; it is READY and posted. Gross ₹1,000.00 and fee ₹150.00 unless told. */
  earning(consultantId: string, spec?: EarningSpec): Promise<string>;
  /** A batch with a minimum of ₹500 and automatic approval up to ₹5,000. */
  batch(ports?: Partial<BatchPorts>): Promise<CoreResult<BatchReport>>;
  /** Takes a payout from APPROVED through one attempt to FAILED, as the payout job does. */
  fail(payoutId: string, attempt?: { code?: string }): Promise<void>;
  /** Claims a payout and commits an attempt, then leaves it in the state. */
  attempt(
    payoutId: string,
    state: "PREPARED" | "UNKNOWN" | "ACCEPTED" | "PROCESSED",
  ): Promise<void>;
  /** The rules that always hold; every breach is a line. */
  breaches(): Promise<string[]>;
}

/** Dropped when the test ends. */
export async function createPayoutCycle(): Promise<PayoutCycle> {
  const database = await createTestDatabase();
  const clients: Db[] = [];
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await database.drop();
  });
  const query: TestDatabase["query"] = (sql, parameters) => database.query(sql, parameters);
  const client = ({ readOnly = false } = {}): Db => {
    const made = openDatabase({
      url: database.url,
      applicationName: "payout cycle test",
      readOnly,
      connections: 1,
    });
    clients.push(made);
    return made;
  };
  const main = client();
  let consultants = 0;

  const claim = async (payoutId: string): Promise<string> => {
    const runId = randomUUID();
    await query(
      `UPDATE payouts SET status = 'PROCESSING', claimed_by = $2, claimed_at = now(), tax_paise = 0,
              net_paise = amount_paise WHERE id = $1 AND status = 'APPROVED'`,
      [payoutId, runId],
    );
    await query(
      `INSERT INTO payout_attempts
         (payout_id, attempt_no, payout_account_id, run_id, idempotency_key, reference_id, mode, amount_paise,
          request_hash, request_body)
       SELECT p.id, 1 + (SELECT count(*) FROM payout_attempts WHERE payout_id = p.id), a.id, $2,
              gen_random_uuid(), gen_random_uuid(), 'IMPS', p.net_paise, repeat('0', 64), '{}'
       FROM payouts p JOIN payout_accounts a ON a.consultant_id = p.consultant_id AND a.active
       WHERE p.id = $1`,
      [payoutId, runId],
    );
    return runId;
  };

  return {
    ...database,
    client,
    consultant: async (ref) => {
      const [row] = await query<{ id: string }>(
        "INSERT INTO consultants (external_ref, name) VALUES ($1, 'Asha Example') RETURNING id",
        [ref],
      );
      const id = row?.id ?? "";
      await query(
        `INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number)
         VALUES ($1, 'bank_account', 'HDFC0001220', '912345678901')`,
        [id],
      );
      await query(
        `INSERT INTO tax_profiles (consultant_id, category, resident, pan_status, pan)
         VALUES ($1, 'individual', true, 'valid', $2)`,
        [id, `ZZZPE${String(++consultants).padStart(4, "0")}A`],
      );
      return id;
    },
    earning: async (consultantId, spec = {}) => {
      const { gross = 100_000n, fee = 15_000n, holdUntil = "NULL", currency = "INR" } = spec;
      const [row] = await query<{ id: string }>(
        `WITH earning AS (
           INSERT INTO earnings (consultant_id, booking_reference, currency, credited_on, gross_paise,
                                 platform_fee_paise, amount_paise, hold_until)
           VALUES ($1, $2, $3, '2026-11-16', $4, $5, $6, ${holdUntil}) RETURNING id, amount_paise
         ), accounts AS (
           INSERT INTO ledger_accounts (code, consultant_id)
           VALUES ('PLATFORM_CLEARING', NULL), ('CONSULTANT_PAYABLE', $1)
           ON CONFLICT DO NOTHING
         )
         SELECT id FROM earning`,
        [consultantId, `BK-${randomUUID()}`, currency, gross, fee, gross - fee],
      );
      const id = row?.id ?? "";
      await query(
        `WITH posted AS (
           INSERT INTO ledger_transactions (key, kind, earning_id)
           VALUES ('earning-released:' || $1::uuid, 'earning-released', $1::uuid) RETURNING id
         )
         INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
         SELECT posted.id, account.id,
                CASE account.code WHEN 'PLATFORM_CLEARING' THEN $2::bigint ELSE -$2::bigint END
         FROM posted, ledger_accounts account
         WHERE account.consultant_id IS NULL OR account.consultant_id = $3`,
        [id, gross - fee, consultantId],
      );
      return id;
    },
    batch: (ports = {}) =>
      createPayoutBatch({
        runId: randomUUID(),
        dryRun: false,
        limit: undefined,
        settings: {
          minimumPaise: 50_000n,
          smallAfterDays: 0,
          autoApprovePaise: 500_000n,
          settlementDays: 4,
        },
        db: main,
        lease: noLease,
        log: silentLog(),
        progress: noProgress,
        signal: new AbortController().signal,
        ...ports,
      }),
    fail: async (payoutId, { code = "bank_account_invalid" } = {}) => {
      const runId = await claim(payoutId);
      await query(
        `UPDATE payout_attempts SET state = 'REFUSED', failure_code = $2, http_status = 400, settled_at = now()
         WHERE payout_id = $1 AND run_id = $3`,
        [payoutId, code, runId],
      );
      await query(
        `UPDATE payouts SET status = 'FAILED', tries = tries + 1, failure_code = $2,
                failure_message = 'account 912345678901 is not valid' WHERE id = $1`,
        [payoutId, code],
      );
      await query(
        `UPDATE earnings SET status = 'READY' WHERE id IN
           (SELECT earning_id FROM payout_items WHERE payout_id = $1 AND released_at IS NULL)`,
        [payoutId],
      );
      await query(
        "UPDATE payout_items SET released_at = now() WHERE payout_id = $1 AND released_at IS NULL",
        [payoutId],
      );
    },
    attempt: async (payoutId, state) => {
      await claim(payoutId);
      if (state === "PREPARED") return;
      await query(
        `UPDATE payout_attempts SET state = $2::attempt_state, provider_payout_id = 'pout_' || left(id::text, 8)
         WHERE payout_id = $1 AND state = 'PREPARED'`,
        [payoutId, state],
      );
    },
    breaches: async () => {
      const rows = await query<{ breach: string }>(BREACHES);
      return rows.map(({ breach }) => breach);
    },
  };
}

/** Payouts that hold their earnings: everything but FAILED, REJECTED and REVERSED. */
const LIVE = "('PENDING', 'APPROVED', 'PROCESSING', 'COMPLETED')";

const BREACHES = `
  SELECT 'earning in several payouts: ' || earning_id AS breach
  FROM payout_items WHERE released_at IS NULL GROUP BY earning_id HAVING count(*) > 1
  UNION ALL
  SELECT 'live payout and its items disagree: ' || p.id
  FROM payouts p LEFT JOIN payout_items i ON i.payout_id = p.id AND i.released_at IS NULL
  WHERE p.status IN ${LIVE}
  GROUP BY p.id
  HAVING COALESCE(sum(i.amount_paise), 0) <> p.amount_paise OR COALESCE(sum(i.gross_paise), 0) <> p.gross_paise
  UNION ALL
  SELECT 'payout that is over holds earnings: ' || p.id
  FROM payouts p JOIN payout_items i ON i.payout_id = p.id AND i.released_at IS NULL
  WHERE p.status NOT IN ${LIVE}
  UNION ALL
  SELECT 'status of earning ' || e.id || ' is ' || e.status
  FROM earnings e
  LEFT JOIN payout_items i ON i.earning_id = e.id AND i.released_at IS NULL
  WHERE (e.status = 'READY') <> (i.earning_id IS NULL)
  UNION ALL
  SELECT 'item and earning disagree: ' || i.earning_id
  FROM payout_items i JOIN earnings_net n ON n.earning_id = i.earning_id
  WHERE i.released_at IS NULL AND (i.amount_paise <> n.amount_paise OR i.gross_paise <> n.gross_paise)
  UNION ALL
  SELECT 'books and earnings disagree: ' || booked || ' booked, ' || owed || ' owed'
  FROM (SELECT COALESCE((SELECT -sum(x.amount_paise) FROM ledger_entries x JOIN ledger_accounts a
                         ON a.id = x.account_id WHERE a.code = 'CONSULTANT_PAYABLE'), 0) AS booked,
               COALESCE((SELECT sum(amount_paise) FROM earnings_net WHERE status <> 'PAID'), 0) AS owed) AS sums
  WHERE booked <> owed`;

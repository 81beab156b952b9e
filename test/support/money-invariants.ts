import { expect } from "vitest";
import type { PayoutRecord } from "../../scripts/sandbox/razorpay/index.ts";
import type { TestDatabase } from "./database.ts";

/** The provider's own list, of a sandbox in this process or of one that is asked over HTTP. */
export interface ProviderList {
  payouts(): readonly PayoutRecord[] | Promise<readonly PayoutRecord[]>;
}

/**
 * Asserts the rules that hold at any moment, wherever a run was stopped:
 *
 * - one obligation has at most one payout at the provider that is alive, and every payout there has exactly one
 *   attempt of ours with the same amount, reference, key and mode, and back;
 * - net + tax = amount, items make up their payout, attempts carry the net;
 * - status of payout, attempts, items, earnings and deductions fit together;
 * - the books balance, hold the owed amount of each consultant, and book each completed payout once.
 *
 * All violations are listed at once.
 */
export async function checkMoneyInvariants(
  database: Pick<TestDatabase, "query">,
  sandbox: ProviderList,
): Promise<void> {
  const violations = await violationsAtTheProvider(database, await sandbox.payouts());
  const broken = await database.query<{ rule: string; row: Record<string, unknown> }>(
    ALL_RULES,
    [],
    {
      prepared: true,
    },
  );
  violations.push(...broken.map(({ rule, row }) => `${rule}: ${describe(row)}`));
  expect(violations).toEqual([]);
}

interface AttemptRow {
  payoutId: string;
  state: string;
  amountPaise: bigint;
  referenceId: string;
  idempotencyKey: string;
  mode: string;
  providerPayoutId: string | null;
}

async function violationsAtTheProvider(
  database: Pick<TestDatabase, "query">,
  accepted: readonly PayoutRecord[],
): Promise<string[]> {
  const attempts = await database.query<AttemptRow & Record<string, unknown>>(
    `
    SELECT payout_id AS "payoutId", state::text AS state, amount_paise AS "amountPaise",
           reference_id AS "referenceId", idempotency_key AS "idempotencyKey", mode,
           provider_payout_id AS "providerPayoutId"
    FROM payout_attempts`,
    [],
    { prepared: true },
  );
  const byReference = new Map(attempts.map((attempt) => [attempt.referenceId, attempt]));
  const known = new Map<string, PayoutRecord>();
  const live = new Map<string, string[]>();
  const violations: string[] = [];

  for (const payout of accepted) {
    const attempt = byReference.get(payout.reference_id ?? "");
    if (!attempt) {
      violations.push(`${payout.id} at the provider has no attempt of ours`);
      continue;
    }
    const name = `${payout.id} of attempt ${attempt.referenceId}`;
    if (known.has(attempt.referenceId)) violations.push(`${name} is there twice`);
    known.set(attempt.referenceId, payout);
    if (BigInt(payout.amount) !== attempt.amountPaise) violations.push(`${name}: another amount`);
    if (payout.idempotency_key !== attempt.idempotencyKey) violations.push(`${name}: another key`);
    if (payout.mode !== attempt.mode) violations.push(`${name}: another mode`);
    if (attempt.providerPayoutId !== null && attempt.providerPayoutId !== payout.id)
      violations.push(`${name}: we know it as ${attempt.providerPayoutId}`);
    if (attempt.state === "REFUSED") violations.push(`${name}: we say it was refused`);
    if (attempt.state === "FAILED" && payout.live) violations.push(`${name}: we say it failed`);
    if (attempt.state === "PROCESSED" && payout.status !== "processed" && payout.live)
      violations.push(`${name}: we say it was paid, and it is ${payout.status}`);
    if (payout.live) live.set(attempt.payoutId, [...(live.get(attempt.payoutId) ?? []), payout.id]);
  }
  for (const [payoutId, ids] of live)
    if (ids.length > 1) violations.push(`payout ${payoutId} is paid ${ids.length} times`);
  for (const { referenceId, state } of attempts)
    if (["ACCEPTED", "PROCESSED", "FAILED"].includes(state) && !known.has(referenceId))
      violations.push(`attempt ${referenceId} is ${state}, and the provider has no such payout`);
  return violations;
}

/** Each query finds breaches of the rule in its name. */
const RULES: Record<string, string> = {
  "net + tax = amount": `
    SELECT id, status, amount_paise, tax_paise, net_paise FROM payouts
    WHERE (tax_paise IS NULL) <> (net_paise IS NULL)
       OR tax_paise + net_paise <> amount_paise OR tax_paise < 0 OR net_paise < 0
       OR (status IN ('PROCESSING', 'COMPLETED') AND tax_paise IS NULL)
       OR (status IN ('PENDING', 'APPROVED') AND tax_paise IS NOT NULL)`,

  "items make up the payout": `
    SELECT payout.id FROM payouts AS payout JOIN payout_items AS item ON item.payout_id = payout.id
    GROUP BY payout.id
    HAVING sum(item.amount_paise) <> payout.amount_paise OR sum(item.gross_paise) <> payout.gross_paise`,

  "an attempt carries the net, of a payout with at most one live attempt": `
    SELECT attempt.payout_id FROM payout_attempts AS attempt JOIN payouts ON payouts.id = attempt.payout_id
    GROUP BY attempt.payout_id
    HAVING count(*) FILTER (WHERE attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')) > 1
        OR bool_or(attempt.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')
                   AND attempt.amount_paise IS DISTINCT FROM payouts.net_paise)`,

  "payout and attempt agree": `
    SELECT payouts.id, payouts.status, live.state FROM payouts LEFT JOIN payout_attempts AS live
      ON live.payout_id = payouts.id AND live.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED', 'PROCESSED')
    WHERE (payouts.status IN ('PENDING', 'APPROVED', 'FAILED', 'REJECTED') AND live.state IS NOT NULL)
       OR (payouts.status = 'PROCESSING' AND live.state = 'PROCESSED')
       OR (payouts.status = 'COMPLETED' AND payouts.net_paise > 0 AND live.state IS DISTINCT FROM 'PROCESSED')
       OR (payouts.status = 'COMPLETED' AND payouts.net_paise = 0 AND live.state IS NOT NULL)`,

  "a live attempt was made by the run that holds the payout, or by one before it": `
    SELECT payouts.id FROM payouts JOIN payout_attempts AS live ON live.payout_id = payouts.id
    WHERE payouts.status = 'PROCESSING' AND live.state IN ('PREPARED', 'UNKNOWN', 'ACCEPTED')
      AND live.run_id IS DISTINCT FROM payouts.claimed_by AND live.created_at > payouts.claimed_at`,

  "earnings follow their payout": `
    SELECT payouts.id, payouts.status, earning.status AS earning, item.released_at
    FROM payouts JOIN payout_items AS item ON item.payout_id = payouts.id
    JOIN earnings AS earning ON earning.id = item.earning_id
    WHERE (payouts.status IN ('PENDING', 'APPROVED', 'PROCESSING')
           AND (item.released_at IS NOT NULL OR earning.status <> 'LINKED'))
       OR (payouts.status = 'COMPLETED' AND (item.released_at IS NOT NULL OR earning.status <> 'PAID'))
       OR (payouts.status IN ('FAILED', 'REJECTED', 'REVERSED') AND item.released_at IS NULL)`,

  "an earning that no payout holds is ready, and a ready one is held by none": `
    SELECT earning.id, earning.status FROM earnings AS earning
    WHERE (earning.status = 'READY') = EXISTS (
      SELECT 1 FROM payout_items WHERE earning_id = earning.id AND released_at IS NULL)`,

  "deductions of a payout sum to its tax while it counts, else to zero": `
    SELECT payouts.id, payouts.status, payouts.tax_paise, deducted.tax
    FROM payouts CROSS JOIN LATERAL (
      SELECT COALESCE(sum(tax_paise), 0) AS tax, COALESCE(sum(gross_paise), 0) AS gross,
             count(*) FILTER (WHERE reverses_id IS NULL) AS lines,
             count(*) FILTER (WHERE reverses_id IS NOT NULL) AS reversals,
             count(*) FILTER (WHERE status = 'RESERVED') AS reserved,
             count(*) FILTER (WHERE status = 'FINAL') AS final,
             bool_or(tax_paise < 0 AND reverses_id IS NULL) AS negative
      FROM tax_deductions WHERE payout_id = payouts.id) AS deducted
    WHERE deducted.negative
       OR (payouts.status IN ('PROCESSING', 'COMPLETED')
           AND (deducted.tax <> payouts.tax_paise OR deducted.gross <> payouts.gross_paise
                OR deducted.lines - deducted.reversals
                   <> (SELECT count(*) FROM payout_items WHERE payout_id = payouts.id)))
       OR (payouts.status = 'COMPLETED' AND deducted.reserved > 0)
       OR (payouts.status = 'PROCESSING' AND deducted.final > 0)
       OR (payouts.status NOT IN ('PROCESSING', 'COMPLETED')
           AND (deducted.tax <> 0 OR deducted.gross <> 0))`,

  "a ledger transaction balances": `
    SELECT transaction_id, sum(amount_paise) FROM ledger_entries
    GROUP BY transaction_id HAVING sum(amount_paise) <> 0 OR count(*) < 2`,

  "the books owe each consultant the unpaid earnings": `
    SELECT consultant.id, owed.paise AS owed, booked.paise AS booked
    FROM consultants AS consultant
    CROSS JOIN LATERAL (SELECT COALESCE(sum(amount_paise), 0) AS paise FROM earnings_net
      WHERE consultant_id = consultant.id AND status <> 'PAID') AS owed
    CROSS JOIN LATERAL (SELECT -COALESCE(sum(entry.amount_paise), 0) AS paise
      FROM ledger_accounts AS account JOIN ledger_entries AS entry ON entry.account_id = account.id
      WHERE account.consultant_id = consultant.id) AS booked
    WHERE owed.paise <> booked.paise`,

  "a completed payout is booked once, a reversed one there and back, any other never": `
    SELECT payouts.id, payouts.status, count(booking.id) FROM payouts
    LEFT JOIN ledger_transactions AS booking ON booking.payout_id = payouts.id
    GROUP BY payouts.id
    HAVING count(booking.id) FILTER (WHERE booking.kind = 'payout-completed')
             <> (payouts.status IN ('COMPLETED', 'REVERSED'))::int
        OR count(booking.id) FILTER (WHERE booking.kind = 'payout-reversed')
             <> (payouts.status = 'REVERSED')::int`,

  "a reversal is the exact inverse of what was booked": `
    SELECT booking.payout_id, entry.account_id, sum(entry.amount_paise)
    FROM ledger_transactions AS booking JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
    JOIN payouts ON payouts.id = booking.payout_id AND payouts.status = 'REVERSED'
    GROUP BY booking.payout_id, entry.account_id HAVING sum(entry.amount_paise) <> 0`,

  "a reversed payout was carried by an attempt whose money came back": `
    SELECT payouts.id FROM payouts WHERE payouts.status = 'REVERSED' AND NOT EXISTS (
      SELECT 1 FROM payout_attempts WHERE payout_id = payouts.id AND state = 'REVERSED')`,

  "bank, tax and fees are booked as they were paid": `
    SELECT account.code, sum(entry.amount_paise) AS booked, expected.paise AS expected
    FROM (
      SELECT COALESCE(sum(payouts.net_paise + COALESCE(paid.fees_paise, 0)), 0) AS bank,
             COALESCE(sum(payouts.tax_paise), 0) AS tax,
             COALESCE(sum(paid.fees_paise - paid.fees_tax_paise), 0) AS fees,
             COALESCE(sum(paid.fees_tax_paise), 0) AS fees_tax
      FROM payouts LEFT JOIN payout_attempts AS paid
        ON paid.payout_id = payouts.id AND paid.state = 'PROCESSED'
      WHERE payouts.status = 'COMPLETED') AS sums
    CROSS JOIN LATERAL (VALUES ('BANK', -sums.bank), ('TAX_PAYABLE', -sums.tax),
      ('PROVIDER_FEES', sums.fees), ('PROVIDER_FEES_TAX', sums.fees_tax)) AS expected (code, paise)
    LEFT JOIN ledger_accounts AS account ON account.code::text = expected.code
    LEFT JOIN LATERAL (
      SELECT posted.amount_paise FROM ledger_entries AS posted
      JOIN ledger_transactions AS booking ON booking.id = posted.transaction_id
      WHERE posted.account_id = account.id AND booking.kind IN ('payout-completed', 'payout-reversed')
    ) AS entry ON true
    GROUP BY account.code, expected.code, expected.paise
    HAVING COALESCE(sum(entry.amount_paise), 0) <> expected.paise`,
};

/** One statement: it is asked for after every step of thousands. */
const ALL_RULES = Object.entries(RULES)
  .map(
    ([rule, sql]) =>
      `(SELECT '${rule}' AS rule, to_jsonb(broken) AS row FROM (${sql} LIMIT 5) AS broken)`,
  )
  .join(" UNION ALL ");

function describe(row: Record<string, unknown>): string {
  return Object.entries(row)
    .map(([column, value]) => `${column} ${String(value)}`)
    .join(", ");
}

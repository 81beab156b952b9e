import type { MatrixWorld } from "./world.ts";

/** How a world has ended, as lines that name payees instead of ids: equal where the end is the same. */
export type WorldEnd = Readonly<Record<string, readonly string[]>>;

/** Attempts that never reached the provider, by payout: the runs that made them. */
export type NeverAccepted = ReadonlyMap<string, readonly string[]>;

/**
 * Everything of money that the world has come to. Left out is only what may differ: ids, times, the text
 * of answers, on which day a transaction fell, rows that cancel each other out (tax reserved and taken
 * back), and attempts that never reached the provider: see `readNeverAccepted`.
 */
export async function readEnd(world: MatrixWorld): Promise<WorldEnd> {
  const rename = await createRenaming(world);
  const end: Record<string, string[]> = {};
  for (const [part, sql] of Object.entries(PARTS)) {
    const rows = await world.database.query<{ line: string }>(sql);
    end[part] = rows.map(({ line }) => rename(line)).toSorted();
  }
  const { sandbox } = world;
  end["provider"] = sandbox
    .payouts()
    .map(({ reference_id, amount, mode, status, live }) =>
      rename(`${referencedPayout(reference_id)} ${amount} ${mode} ${status} ${live ? "live" : ""}`),
    )
    .toSorted();
  end["balance"] = [String(sandbox.account().balancePaise)];
  return end;
}

/**
 * The one thing that a stop may add: an attempt that was committed and not sent any more. The provider
 * never had it, handle-stuck closes it, and the payout is sent again under a new key.
 */
export async function readNeverAccepted(world: MatrixWorld): Promise<NeverAccepted> {
  const rename = await createRenaming(world);
  const rows = await world.database.query<{ payoutId: string; runId: string }>(`
    SELECT payout_id AS "payoutId", run_id AS "runId" FROM payout_attempts AS attempt
    WHERE ${NEVER_ACCEPTED} ORDER BY payout_id, attempt_no`);
  const runs = new Map<string, string[]>();
  for (const { payoutId, runId } of rows) {
    const payout = rename(payoutId);
    runs.set(payout, [...(runs.get(payout) ?? []), runId]);
  }
  return runs;
}

const NEVER_ACCEPTED = `attempt.state = 'REFUSED' AND attempt.failure_code = 'NEVER_ACCEPTED'
  AND attempt.provider_payout_id IS NULL`;

/** Each selects lines; concat_ws leaves nulls out, so that they are written as words. */
const PARTS: Readonly<Record<string, string>> = {
  payouts: `
    SELECT concat_ws(' ', id, currency, 'gross', gross_paise, 'amount', amount_paise, 'tax', tax_paise,
                     'net', net_paise, status, 'tries', tries, failure_code, failure_message) AS line
    FROM payouts`,
  attempts: `
    SELECT concat_ws(' ', payout_id, string_agg(concat_ws(' ', state, amount_paise, mode, provider_status,
                     'fees', fees_paise, fees_tax_paise, failure_code), ', ' ORDER BY attempt_no)) AS line
    FROM payout_attempts AS attempt WHERE NOT (${NEVER_ACCEPTED}) GROUP BY payout_id`,
  earnings: `
    SELECT concat_ws(' ', earning.id, earning.status, item.payout_id) AS line
    FROM earnings AS earning
    LEFT JOIN payout_items AS item ON item.earning_id = earning.id AND item.released_at IS NULL`,
  items: `
    SELECT concat_ws(' ', payout_id, earning_id, gross_paise, amount_paise,
                     CASE WHEN released_at IS NULL THEN 'held' ELSE 'released' END) AS line
    FROM payout_items`,
  deductions: `
    SELECT concat_ws(' ', payout_id, earning_id, status, section, code, reason, rate_bps,
                     'gross', sum(gross_paise), 'tax', sum(tax_paise)) AS line
    FROM tax_deductions
    GROUP BY payout_id, earning_id, status, section, code, reason, rate_bps
    HAVING sum(gross_paise) <> 0 OR sum(tax_paise) <> 0`,
  ledger: `
    SELECT concat_ws(' ', booking.key, booking.kind, string_agg(
             concat_ws(' ', account.code, account.consultant_id, entry.amount_paise), ', '
             ORDER BY account.code, entry.amount_paise)) AS line
    FROM ledger_transactions AS booking
    JOIN ledger_entries AS entry ON entry.transaction_id = booking.id
    JOIN ledger_accounts AS account ON account.id = entry.account_id
    GROUP BY booking.id`,
  statement: `
    SELECT concat_ws(' ', id, 'credit', credit_paise, 'debit', debit_paise) AS line
    FROM provider_transactions`,
  findings: `
    SELECT concat_ws(' ', kind, severity, subject_type, subject_id, details,
                     CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END) AS line
    FROM findings`,
  audit: `
    SELECT concat_ws(' ', subject_id, action, reason) AS line FROM audit_log
    WHERE action IN ('created-approved', 'created-pending', 'approved', 'completed', 'failed', 'reversed')
       OR category IN ('caps', 'hold')`,
  // Not who placed it: the job that is the first to hear of the failure.
  "account holds": `
    SELECT concat_ws(' ', account.consultant_id, hold.payout_id, hold.reason,
                     CASE WHEN hold.released_at IS NULL THEN 'open' ELSE 'released' END) AS line
    FROM payout_account_holds AS hold JOIN payout_accounts AS account ON account.id = hold.payout_account_id`,
  "runs that hold a payout": `
    SELECT concat_ws(' ', id, status) AS line FROM payouts WHERE status = 'PROCESSING'`,
};

/** Puts names of the script in the place of ids: `refused #2` is the second payout of that payee. */
async function createRenaming({ database }: MatrixWorld): Promise<(line: string) => string> {
  const named = await database.query<{ id: string; name: string }>(`
    WITH payout AS (
      SELECT payouts.id, consultant.external_ref || ' #' || row_number() OVER (
               PARTITION BY consultant_id ORDER BY payouts.created_at, payouts.id) AS name
      FROM payouts JOIN consultants AS consultant ON consultant.id = consultant_id
    )
    SELECT id::text AS id, name FROM payout
    UNION ALL
    SELECT id::text, external_ref FROM consultants
    UNION ALL
    SELECT attempt.provider_payout_id, 'provider payout of ' || payout.name
    FROM payout_attempts AS attempt JOIN payout ON payout.id = attempt.payout_id
    WHERE attempt.provider_payout_id IS NOT NULL
    UNION ALL
    SELECT stored.id, concat_ws(' ', 'transaction:', stored.source_entity, payout.name,
                                CASE WHEN payout.id IS NULL THEN stored.credit_paise - stored.debit_paise END)
    FROM provider_transactions AS stored
    LEFT JOIN payout_attempts AS attempt ON attempt.provider_payout_id = stored.provider_payout_id
    LEFT JOIN payout ON payout.id = attempt.payout_id`);
  const names = new Map(named.map(({ id, name }) => [id, name]));
  return (line) =>
    line.replace(ID, (id, reference?: string) => {
      const name = names.get(reference === undefined ? id : id.slice(0, -reference.length));
      return name ?? id;
    });
}

/** A uuid, or one with the number of an attempt as our reference has it; or an id of the provider. */
const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(-[0-9]+)?|(?:pout|txn)_[0-9a-z]+/g;

function referencedPayout(reference: string | null): string {
  return reference?.replace(/-[0-9]+$/, "") ?? "without a reference";
}

import pg from "pg";
import type { RegisteredPayee } from "./sandbox.ts";

/** Rows that are made at a time, so that no statement and no transaction grows with the size. */
const CHUNK = 10_000;

/**
 * `count` approved payouts of as many payees, each with one earning that is posted as owed, set by set. The
 * payees are known to the provider: a payee is new once, and paid every week. One in five has no PAN, so
 * that tax is withheld.
 */
export async function seedPayouts(
  url: string,
  { payees }: { payees: readonly RegisteredPayee[] },
): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: "bench seed" });
  await client.connect();
  try {
    await client.query(
      "INSERT INTO ledger_accounts (code) VALUES ('PLATFORM_CLEARING') ON CONFLICT DO NOTHING",
    );
    for (let from = 0; from < payees.length; from += CHUNK) {
      const part = payees.slice(from, from + CHUNK);
      await client.query("BEGIN");
      await client.query(PAYEES, [
        from,
        part.map(({ contactId }) => contactId),
        part.map(({ fundAccountId }) => fundAccountId),
        part.map(({ accountNumber }) => accountNumber),
      ]);
      for (const statement of OF_PAYEES) await client.query(statement);
      await client.query("DROP TABLE new_payee");
      await client.query("COMMIT");
    }
    await client.query("VACUUM ANALYZE");
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
}

const PAYEES = `
  CREATE TEMP TABLE new_payee AS
  SELECT ($1::int + number)::int AS number, gen_random_uuid() AS id, gen_random_uuid() AS earning_id,
         gen_random_uuid() AS payout_id, gen_random_uuid() AS posting_id, contact_id, fund_account_id,
         account_number, 100000 + 100 * (($1::int + number) % 5000) AS gross_paise
  FROM unnest($2::text[], $3::text[], $4::text[])
    WITH ORDINALITY AS payee (contact_id, fund_account_id, account_number, number)`;

const OF_PAYEES: readonly string[] = [
  `INSERT INTO consultants (id, external_ref, name, provider_contact_id)
   SELECT id, 'C-' || number, 'Example Payee ' || number, contact_id FROM new_payee`,
  `INSERT INTO tax_profiles (consultant_id, category, pan_status, pan)
   SELECT id, 'individual', CASE WHEN number % 5 = 0 THEN 'missing' ELSE 'valid' END::pan_status,
          CASE WHEN number % 5 = 0 THEN NULL
               ELSE 'ZZ' || chr(65 + number / 260000 % 26) || 'P' || chr(65 + number / 10000 % 26)
                    || lpad((number % 10000)::text, 4, '0') || 'Z' END
   FROM new_payee`,
  `INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number, provider_fund_account_id)
   SELECT id, 'bank_account', 'HDFC0001220', account_number, fund_account_id FROM new_payee`,
  `INSERT INTO earnings (id, consultant_id, booking_reference, credited_on, gross_paise,
     platform_fee_paise, amount_paise, status)
   SELECT earning_id, id, 'BK-' || number, '2026-06-15', gross_paise, gross_paise / 10,
          gross_paise - gross_paise / 10, 'LINKED'
   FROM new_payee`,
  `INSERT INTO ledger_accounts (code, consultant_id)
   SELECT 'CONSULTANT_PAYABLE', id FROM new_payee ORDER BY id`,
  `INSERT INTO ledger_transactions (id, key, kind, earning_id)
   SELECT posting_id, 'earning-released:' || earning_id, 'earning-released', earning_id FROM new_payee`,
  `INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
   SELECT posting_id, clearing.id, gross_paise - gross_paise / 10
   FROM new_payee JOIN ledger_accounts AS clearing ON clearing.code = 'PLATFORM_CLEARING'
   UNION ALL
   SELECT posting_id, payable.id, gross_paise / 10 - gross_paise
   FROM new_payee JOIN ledger_accounts AS payable
     ON payable.code = 'CONSULTANT_PAYABLE' AND payable.consultant_id = new_payee.id`,
  `INSERT INTO payouts (id, consultant_id, gross_paise, amount_paise, status, approved_at, created_at)
   SELECT payout_id, id, gross_paise, gross_paise - gross_paise / 10, 'APPROVED',
          timestamptz '2026-07-01 00:00Z' + number * interval '1 second', timestamptz '2026-07-01 00:00Z'
   FROM new_payee`,
  `INSERT INTO payout_items (payout_id, earning_id, gross_paise, amount_paise)
   SELECT payout_id, earning_id, gross_paise, gross_paise - gross_paise / 10 FROM new_payee`,
];

import type { ClientBase } from "pg";
import { postEarningsReleased } from "../ledger/post-earnings.ts";
import { AfterhoursError } from "../support/errors.ts";
import { batches } from "./batches.ts";
import type { ImportPlan, OfConsultant } from "./plan.ts";
import type { ConsultantDetails, EarningRow } from "./types.ts";

/** The result of a plan: the new consultants, and the id of each consultant of the file. */
export interface Written {
  added: readonly OfConsultant[];
  idByRef: ReadonlyMap<string, string>;
}

/** Writes a plan, inside the transaction in which it was made. */
export async function writePlan(client: ClientBase, plan: ImportPlan): Promise<Written> {
  const added = await insertConsultants(client, plan.newConsultants);
  await insertTaxProfiles(client, [...plan.newTaxProfiles, ...added]);
  await deactivateAccounts(client, plan.newAccounts);
  await insertAccounts(client, [...plan.newAccounts, ...added]);

  const idByRef = new Map(plan.knownConsultants.map(({ ref, id }) => [ref, id]));
  for (const { details, consultantId } of added) idByRef.set(details.ref, consultantId);
  for (const batch of batches(plan.newEarnings)) {
    const earningIds = await insertEarnings(client, batch, idByRef);
    await postEarningsReleased(client, earningIds);
  }
  return { added, idByRef };
}

async function insertConsultants(
  client: ClientBase,
  consultants: readonly ConsultantDetails[],
): Promise<OfConsultant[]> {
  const byRef = new Map(consultants.map((details) => [details.ref, details]));
  const added: OfConsultant[] = [];
  for (const batch of batches(consultants)) {
    const { rows } = await client.query<{ id: string; external_ref: string }>(
      `INSERT INTO consultants (external_ref, name)
       SELECT * FROM unnest($1::text[], $2::text[])
       ON CONFLICT (external_ref) DO NOTHING
       RETURNING id, external_ref`,
      [batch.map(({ ref }) => ref), batch.map(({ ref, name }) => name ?? ref)],
    );
    expectAll("consultants", batch.length, rows.length);
    for (const row of rows) {
      const details = byRef.get(row.external_ref);
      if (details) added.push({ consultantId: row.id, details });
    }
  }
  return added;
}

async function insertTaxProfiles(
  client: ClientBase,
  consultants: readonly OfConsultant[],
): Promise<void> {
  for (const batch of batches(consultants)) {
    const details = batch.map((item) => item.details);
    const { rowCount } = await client.query(
      `INSERT INTO tax_profiles (consultant_id, category, resident, pan_status, pan, aadhaar)
       SELECT t.id, t.category::payee_category, t.resident, t.pan_status::pan_status, t.pan, t.aadhaar
       FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[], $5::text[], $6::boolean[])
         AS t (id, category, resident, pan_status, pan, aadhaar)
       ON CONFLICT (consultant_id) DO NOTHING`,
      [
        batch.map(({ consultantId }) => consultantId),
        details.map(({ category }) => category),
        details.map(({ resident }) => resident ?? true),
        details.map(({ panStatus, pan }) => panStatus ?? (pan === null ? "missing" : "valid")),
        details.map(({ pan }) => pan),
        details.map(({ aadhaar }) => aadhaar ?? false),
      ],
    );
    expectAll("tax profiles", batch.length, rowCount);
  }
}

async function deactivateAccounts(
  client: ClientBase,
  consultants: readonly OfConsultant[],
): Promise<void> {
  for (const batch of batches(consultants)) {
    await client.query(
      `UPDATE payout_accounts SET active = false WHERE active AND consultant_id = ANY ($1::uuid[])`,
      [batch.map(({ consultantId }) => consultantId)],
    );
  }
}

async function insertAccounts(
  client: ClientBase,
  consultants: readonly OfConsultant[],
): Promise<void> {
  for (const batch of batches(consultants)) {
    const accounts = batch.map(({ details }) => details.account);
    await client.query(
      `INSERT INTO payout_accounts (consultant_id, kind, ifsc, account_number, vpa)
       SELECT t.id, t.kind::payout_account_kind, t.ifsc, t.account_number, t.vpa
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
         AS t (id, kind, ifsc, account_number, vpa)`,
      [
        batch.map(({ consultantId }) => consultantId),
        accounts.map(({ kind }) => kind),
        accounts.map((account) => (account.kind === "bank_account" ? account.ifsc : null)),
        accounts.map((account) => (account.kind === "bank_account" ? account.accountNumber : null)),
        accounts.map((account) => (account.kind === "vpa" ? account.vpa : null)),
      ],
    );
  }
}

/**
 * Returns the ids of the new rows. Of 1,000 earnings, `VALUES` with 6,000 parameters take 1.15 times as much of
 * the processor as `unnest`, a row at a time 9 times, `jsonb_to_recordset` as much.
 */
async function insertEarnings(
  client: ClientBase,
  rows: readonly EarningRow[],
  consultantIdByRef: ReadonlyMap<string, string>,
): Promise<string[]> {
  const result = await client.query<{ id: string }>(
    `INSERT INTO earnings
       (consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise,
        paid_directly_paise)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
     ON CONFLICT (booking_reference) DO NOTHING
     RETURNING id`,
    [
      rows.map(({ consultantRef }) => consultantIdByRef.get(consultantRef)),
      rows.map(({ bookingReference }) => bookingReference),
      rows.map(({ creditedOn }) => creditedOn),
      rows.map(({ grossPaise }) => grossPaise.toString()),
      rows.map(({ platformFeePaise }) => platformFeePaise.toString()),
      rows.map(({ amountPaise }) => amountPaise.toString()),
      rows.map(({ paidDirectlyPaise = 0n }) => paidDirectlyPaise.toString()),
    ],
  );
  expectAll("earnings", rows.length, result.rows.length);
  return result.rows.map(({ id }) => id);
}

/** Imports wait for one another; only a writer of another kind can have come in between. */
function expectAll(what: string, expected: number, written: number | null): void {
  if (written === expected) return;
  throw new AfterhoursError(
    "IMPORT_CONFLICT",
    `somebody else wrote ${what} of this file while it was being imported; nothing was imported`,
    { remedy: "Run the import again: it compares the file with what is on record by then." },
  );
}

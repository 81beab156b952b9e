import type { ClientBase } from "pg";
import { referenceKey } from "../support/reference-key.ts";
import { batches } from "./batches.ts";
import { keptForm } from "./code-form.ts";
import { accountIsRefused, EARNING_IS_FREE_BUT_FOR_ACCOUNT } from "./free.ts";
import type { EarningTotals, PanStatus, PayeeCategory, PayoutAccountDetails } from "./types.ts";

export interface ConsultantOnRecord {
  id: string;
  /** The code as the file has it. */
  ref: string;
  name: string;
  /** `undefined` for a consultant without a tax profile. */
  tax:
    | {
        category: PayeeCategory;
        panStatus: PanStatus;
        pan: string | null;
        resident: boolean;
        aadhaar: boolean;
      }
    | undefined;
  /** The active account; `undefined` when none is active. */
  account: PayoutAccountDetails | undefined;
  /** Whether there is an account at all, active or not. */
  hasAccounts: boolean;
  /** Kinds of the open holds that people placed. */
  holds: readonly string[];
  /** Whether the provider refused the active account. */
  isAccountRefused: boolean;
  /** Whether new payouts of this consultant are the batch's: an organization's payee, or owing of a refunded sale. */
  leftToBatch: boolean;
}

export interface EarningOnRecord extends EarningTotals {
  id: string;
  bookingReference: string;
  consultantRef: string;
  creditedOn: string;
  /** Can be put into a payout as it is. */
  free: boolean;
}

/**
 * The consultants among `refs` that the database knows, in whichever Unicode form it has their code. `alike`: codes
 * on record that differ from one of `refs` by case alone, where the code itself is not on record.
 */
export async function loadConsultants(
  client: ClientBase,
  refs: readonly string[],
): Promise<{ found: Map<string, ConsultantOnRecord>; alike: Map<string, string> }> {
  const found = new Map<string, ConsultantOnRecord>();
  const alike = new Map<string, string>();
  for (const batch of batches(refs)) {
    const { rows } = await client.query<ConsultantRecord>(CONSULTANTS, [batch]);
    for (const row of rows) {
      const { asked, external_ref: code } = row;
      if (keptForm(code) !== asked) alike.set(asked, code);
      // Two forms of one code may be on record from earlier: the one that is asked for comes first.
      else if (code === asked || !found.has(asked)) found.set(asked, toConsultant(row));
    }
  }
  for (const ref of found.keys()) alike.delete(ref);
  return { found, alike };
}

/**
 * The earnings among `bookingReferences` that the database knows, in whichever Unicode form. `alike`: references on
 * record that differ from one of them by case or white space alone, where the reference itself is not on record.
 */
export async function loadEarnings(
  client: ClientBase,
  bookingReferences: readonly string[],
): Promise<{ found: Map<string, EarningOnRecord>; alike: Map<string, string> }> {
  const found = new Map<string, EarningOnRecord>();
  const byKey = new Map<string, string>();
  for (const batch of batches(bookingReferences)) {
    const { rows } = await client.query<EarningRecord>(
      `${EARNINGS} e.id = ANY (${BY_REFERENCE_KEY})`,
      [batch.map(referenceKey)],
    );
    for (const row of rows) {
      const reference = keptForm(row.booking_reference);
      found.set(reference, toEarning(row));
      byKey.set(referenceKey(reference), reference);
    }
  }
  const alike = new Map<string, string>();
  for (const reference of bookingReferences) {
    const other = byKey.get(referenceKey(reference));
    if (other !== undefined && !found.has(reference)) alike.set(reference, other);
  }
  return { found, alike };
}

/** The earnings of these consultants that were paid directly, which a payout takes in for their tax. */
export async function loadPaidDirectly(
  client: ClientBase,
  consultantIds: readonly string[],
): Promise<EarningOnRecord[]> {
  const found: EarningOnRecord[] = [];
  for (const batch of batches(consultantIds)) {
    const { rows } = await client.query<EarningRecord>(
      `${EARNINGS} e.consultant_id = ANY ($1::uuid[]) AND e.status = 'READY' AND e.amount_paise = 0`,
      [batch],
    );
    found.push(...rows.map(toEarning));
  }
  return found;
}

const CONSULTANTS = `
  SELECT asked.ref AS asked, c.id, c.external_ref, c.name,
         t.category::text, t.pan_status::text, t.pan, t.resident, t.aadhaar,
         a.kind::text, a.ifsc, a.account_number, a.vpa,
         EXISTS (SELECT FROM payout_accounts p WHERE p.consultant_id = c.id) AS has_accounts,
         ARRAY(
           SELECT h.kind::text FROM consultant_holds h
           WHERE h.consultant_id = c.id AND h.released_at IS NULL ORDER BY 1
         ) AS holds,
         ${accountIsRefused("c.id")} AS account_refused,
         EXISTS (SELECT FROM organizations o WHERE o.payee_id = c.id)
           OR EXISTS (
             SELECT FROM earning_recoveries v JOIN earnings o ON o.id = v.earning_id
             WHERE v.consultant_id = c.id AND o.currency = 'INR' AND v.recovered_amount_paise < v.amount_paise
           ) AS left_to_batch
  FROM unnest($1::text[]) AS asked (ref)
  JOIN consultants c ON lower(normalize(c.external_ref, NFC)) = lower(normalize(asked.ref, NFC))
  LEFT JOIN tax_profiles t ON t.consultant_id = c.id
  LEFT JOIN payout_accounts a ON a.consultant_id = c.id AND a.active`;

interface ConsultantRecord {
  /** The code as the file has it. */
  asked: string;
  id: string;
  external_ref: string;
  name: string;
  category: PayeeCategory | null;
  pan_status: PanStatus | null;
  pan: string | null;
  resident: boolean | null;
  aadhaar: boolean | null;
  kind: PayoutAccountDetails["kind"] | null;
  ifsc: string | null;
  account_number: string | null;
  vpa: string | null;
  has_accounts: boolean;
  holds: string[];
  account_refused: boolean;
  left_to_batch: boolean;
}

function toConsultant(row: ConsultantRecord): ConsultantOnRecord {
  const tax =
    row.category === null || row.pan_status === null
      ? undefined
      : {
          category: row.category,
          panStatus: row.pan_status,
          pan: row.pan,
          resident: row.resident ?? true,
          aadhaar: row.aadhaar ?? false,
        };
  const account = row.kind === null ? undefined : toAccount(row.kind, row);
  const { id, asked: ref, name, has_accounts: hasAccounts, left_to_batch: leftToBatch } = row;
  const { holds, account_refused: isAccountRefused } = row;
  return { id, ref, name, tax, account, hasAccounts, holds, isAccountRefused, leftToBatch };
}

function toAccount(
  kind: PayoutAccountDetails["kind"],
  row: ConsultantRecord,
): PayoutAccountDetails {
  if (kind === "vpa") return { kind, vpa: (row.vpa ?? "").toLowerCase() };
  return { kind, ifsc: row.ifsc ?? "", accountNumber: row.account_number ?? "" };
}

/**
 * The ids of the earnings of these keys, key by key by the index: without statistics of the expression PostgreSQL
 * would read the whole table for each batch. `OFFSET 0` keeps it from that.
 */
const BY_REFERENCE_KEY = `ARRAY(
  SELECT found.id FROM unnest($1::text[]) AS asked (key)
  CROSS JOIN LATERAL (
    SELECT id FROM earnings WHERE reference_key(booking_reference) = asked.key OFFSET 0
  ) AS found)`;

const EARNINGS = `
  SELECT e.id, e.booking_reference, c.external_ref,
         to_char(e.credited_on, 'YYYY-MM-DD') AS credited_on,
         e.gross_paise, e.platform_fee_paise, e.amount_paise,
         ${EARNING_IS_FREE_BUT_FOR_ACCOUNT} AS free
  FROM earnings e
  JOIN consultants c ON c.id = e.consultant_id
  WHERE `;

interface EarningRecord {
  id: string;
  booking_reference: string;
  external_ref: string;
  credited_on: string;
  gross_paise: string;
  platform_fee_paise: string;
  amount_paise: string;
  free: boolean;
}

function toEarning(row: EarningRecord): EarningOnRecord {
  return {
    id: row.id,
    bookingReference: row.booking_reference,
    consultantRef: keptForm(row.external_ref),
    creditedOn: row.credited_on,
    grossPaise: BigInt(row.gross_paise),
    platformFeePaise: BigInt(row.platform_fee_paise),
    amountPaise: BigInt(row.amount_paise),
    free: row.free,
  };
}

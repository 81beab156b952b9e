import type { DbSession } from "../../db/client.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import {
  chooseMode,
  type ModeChoice,
  reasonsWith,
  type PayoutMode,
  type RefusedMode,
} from "../../provider/index.ts";

type PayoutAccountDetails =
  { kind: "bank_account"; ifsc: string; accountNumber: string } | { kind: "vpa"; vpa: string };

/** The payee and the account of a payout. */
export interface Payee {
  name: string;
  /** `cont_…`, when it was made before. */
  contactId: string | null;
  payoutAccountId: string;
  /** `fa_…`, when it was made before. */
  fundAccountId: string | null;
  account: PayoutAccountDetails;
  /** Modes that this account did not take earlier. */
  refusedModes: readonly RefusedMode[];
}

interface PayeeRow {
  consultantId: string;
  name: string;
  contactId: string | null;
  payoutAccountId: string;
  fundAccountId: string | null;
  kind: "bank_account" | "vpa";
  ifsc: string | null;
  accountNumber: string | null;
  vpa: string | null;
  refused: readonly { mode: PayoutMode; reason: string; paise: string }[];
}

/** The consultant and the active payout account; undefined when there is none. */
export async function readPayee(db: DbSession, consultantId: string): Promise<Payee | undefined> {
  return (await readPayees(db, [consultantId])).get(consultantId);
}

/** Payees with an active payout account, by the consultant's id. */
export async function readPayees(
  db: DbSession,
  consultantIds: readonly string[],
): Promise<ReadonlyMap<string, Payee>> {
  const rows = await db.query<PayeeRow[]>`
    SELECT consultant.id AS "consultantId", consultant.name, consultant.provider_contact_id AS "contactId",
           account.id AS "payoutAccountId", account.provider_fund_account_id AS "fundAccountId",
           account.kind, account.ifsc, account.account_number AS "accountNumber", account.vpa,
           COALESCE((
             SELECT jsonb_agg(jsonb_build_object('mode', attempt.mode, 'reason', attempt.failure_code,
                                                 'paise', attempt.amount_paise::text))
             FROM payout_accounts AS same JOIN payout_attempts AS attempt ON attempt.payout_account_id = same.id
             WHERE same.consultant_id = account.consultant_id
               AND (same.kind, same.ifsc, same.account_number, same.vpa)
                 IS NOT DISTINCT FROM (account.kind, account.ifsc, account.account_number, account.vpa)
               AND attempt.state IN ('REFUSED', 'FAILED', 'REVERSED')
               AND attempt.failure_code = ANY(${OF_A_MODE}::text[])), '[]') AS refused
    FROM consultants AS consultant
    JOIN payout_accounts AS account ON account.consultant_id = consultant.id AND account.active
    WHERE consultant.id = ANY(${consultantIds}::uuid[])`;
  return new Map(
    rows.map(
      ({ consultantId, name, contactId, payoutAccountId, fundAccountId, refused, ...row }) => [
        consultantId,
        {
          name,
          contactId,
          payoutAccountId,
          fundAccountId,
          account: detailsOf(row),
          refusedModes: refused.map(({ paise, ...mode }) => ({
            ...mode,
            amountPaise: BigInt(paise),
          })),
        },
      ],
    ),
  );
}

/** Reasons that speak against the mode of the attempt, not against the account. */
const OF_A_MODE = reasonsWith("other-mode", "split-or-other-mode");

/** How an amount travels to a payee's account, or why it can't. */
export function modeFor(
  { account: { kind }, refusedModes }: Pick<Payee, "account" | "refusedModes">,
  netPaise: Paise,
): { ok: true; mode: PayoutMode } | { ok: false; code: string; message: string } {
  const choice = chooseMode({ kind, amountPaise: netPaise, refused: refusedModes });
  if (choice.ok) return choice;
  const net = formatRupees(netPaise);
  return { ok: false, code: choice.code, message: whyNot(net, choice) };
}

function whyNot(net: string, choice: Extract<ModeChoice, { ok: false }>): string {
  switch (choice.code) {
    case "AMOUNT_ABOVE_UPI_LIMIT":
      return `${net} is more than ${formatRupees(choice.maximumPaise)}, the most that one payout to a VPA carries; the payee needs a bank account (import it with --update-accounts)`;
    case "AMOUNT_BELOW_MINIMUM":
      return `${net} is less than ${formatRupees(choice.minimumPaise)}, the least that the provider pays`;
    case "NO_MODE_LEFT":
      return choice.refused.includes("UPI")
        ? `${net} can not be sent: the UPI ID refused it; the payee needs a bank account (import it with --update-accounts)`
        : `${net} can not be sent: the account refused it by ${choice.refused.join(" and ")}; pay smaller amounts, or another account`;
  }
}

/** Keeps the provider's id of the contact, so that the next payout need not ask again. */
export async function keepContactId(
  db: DbSession,
  { consultantId, contactId }: { consultantId: string; contactId: string },
): Promise<void> {
  await db.execute`
    UPDATE consultants SET provider_contact_id = ${contactId}
    WHERE id = ${consultantId}::uuid AND provider_contact_id IS NULL`;
}

/** Keeps the provider's id of the fund account. */
export async function keepFundAccountId(
  db: DbSession,
  { payoutAccountId, fundAccountId }: { payoutAccountId: string; fundAccountId: string },
): Promise<void> {
  await db.execute`
    UPDATE payout_accounts SET provider_fund_account_id = ${fundAccountId}
    WHERE id = ${payoutAccountId}::uuid AND provider_fund_account_id IS NULL`;
}

/** A text of the provider without the payee's name, which it may repeat. */
export function removeName(text: string, name: string): string {
  const pattern = name.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  if (pattern === "") return text;
  // A short name is not cut out of the middle of other words.
  const whole = new RegExp(`(?<![\\p{L}\\p{N}])${pattern}(?![\\p{L}\\p{N}])`, "giu");
  return text.replace(whole, "the payee");
}

/** The table's own check constraint holds the two shapes apart. */
function detailsOf(
  row: Pick<PayeeRow, "kind" | "ifsc" | "accountNumber" | "vpa">,
): PayoutAccountDetails {
  return row.kind === "vpa"
    ? { kind: "vpa", vpa: row.vpa ?? "" }
    : { kind: "bank_account", ifsc: row.ifsc ?? "", accountNumber: row.accountNumber ?? "" };
}

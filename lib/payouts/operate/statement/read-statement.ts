import { onSnapshot, type Db, type DbSession } from "../../../db/client.ts";
import { istDay, type Day } from "../../../support/calendar.ts";
import { AfterhoursError } from "../../../support/errors.ts";
import { formatRupees, sumPaise, type Paise } from "../../../support/money.ts";
import {
  linesOf,
  owedBefore,
  postingsOf,
  type LineKind,
  type PostedLine,
  type Posting,
  type StatementLine,
} from "./lines.ts";

/** A payee's account with the marketplace in one month of India. */
export interface PayeeStatement {
  payee: StatementPayee;
  /** As 2026-11. */
  month: string;
  /** When it was made; a month that is not over has later postings still to come. */
  madeAt: Date;
  isOver: boolean;
  /** Owed to the payee when the month began, and when it ended. */
  openingPaise: Paise;
  closingPaise: Paise;
  lines: readonly StatementLine[];
  totals: Readonly<Record<LineKind, LineTotals>>;
}

export interface StatementPayee {
  id: string;
  ref: string;
  name: string;
  organizationRef: string | null;
  /** Masked; null without one. */
  pan: string | null;
}

/** Sums of the lines of one kind. */
export interface LineTotals {
  count: number;
  grossPaise: Paise;
  feePaise: Paise;
  paidDirectlyPaise: Paise;
  taxPaise: Paise;
  netPaise: Paise;
  owedPaise: Paise;
}

/** The books and their sources differ: there is no statement. */
export class StatementDisagreesError extends AfterhoursError {
  override readonly name = "StatementDisagreesError";

  constructor(ref: string, month: string, difference: string) {
    super(
      "STATEMENT_DISAGREES",
      `the statement of ${ref} for ${month} does not add up to the ledger: ${difference}`,
      { remedy: "No statement of this payee was written. Run ledger/reconcile-ledger." },
    );
  }
}

/** Payees with postings in the month, or to whom something was owed when it began; by reference. */
export async function payeesWithStatement(db: Db, month: string): Promise<string[]> {
  const { from, to } = daysOf(month);
  const rows = await db.query<{ id: string }[]>`
    SELECT payee.id
    FROM ledger_accounts AS account
    JOIN consultants AS payee ON payee.id = account.consultant_id
    JOIN ledger_entries AS entry ON entry.account_id = account.id
    JOIN ledger_transactions AS booking ON booking.id = entry.transaction_id
    WHERE account.code = 'CONSULTANT_PAYABLE'
      AND booking.posted_at < ${to}::date::timestamp AT TIME ZONE 'Asia/Kolkata'
    GROUP BY payee.id
    HAVING max(booking.posted_at) >= ${from}::date::timestamp AT TIME ZONE 'Asia/Kolkata'
        OR sum(entry.amount_paise) <> 0
    ORDER BY payee.external_ref`;
  return rows.map(({ id }) => id);
}

/**
 * The statement of one payee and month, from earnings, refunds, recoveries and payouts, proven against the ledger
 * posting by posting and in sum. Read on one snapshot.
 *
 * @throws {StatementDisagreesError}
 */
export async function readStatement(
  db: Db,
  { consultantId, month }: { consultantId: string; month: string },
): Promise<PayeeStatement> {
  const { from, to } = daysOf(month);
  return onSnapshot(db, async (tx) => {
    const { madeAt, ...payee } = await readPayee(tx, consultantId);
    const openingPaise = await owedBefore(tx, { consultantId, day: from });
    const closingPaise = await owedBefore(tx, { consultantId, day: to });
    const postings = await postingsOf(tx, { consultantId, from, to });
    const posted = postings.length === 0 ? [] : await linesOf(tx, postings);
    const difference =
      differenceOf(postings, posted) ?? differenceOfSum({ openingPaise, closingPaise, posted });
    if (difference !== undefined) throw new StatementDisagreesError(payee.ref, month, difference);
    return {
      payee,
      month,
      madeAt,
      isOver: istDay(madeAt) >= to,
      openingPaise,
      closingPaise,
      lines: posted,
      totals: totalsOf(posted),
    };
  });
}

function daysOf(month: string): { from: Day; to: Day } {
  const [year = 0, of = 0] = month.split("-").map(Number);
  const next = of === 12 ? `${year + 1}-01` : `${year}-${String(of + 1).padStart(2, "0")}`;
  return { from: `${month}-01`, to: `${next}-01` };
}

async function readPayee(
  tx: DbSession,
  consultantId: string,
): Promise<StatementPayee & { madeAt: Date }> {
  const [row] = await tx.query<(StatementPayee & { madeAt: Date })[]>`
    SELECT payee.id, payee.external_ref AS ref, payee.name, organization.external_ref AS "organizationRef",
           left(profile.pan, 2) || 'XXXXXXX' || right(profile.pan, 1) AS pan, now() AS "madeAt"
    FROM consultants AS payee
    LEFT JOIN organizations AS organization ON organization.payee_id = payee.id
    LEFT JOIN tax_profiles AS profile ON profile.consultant_id = payee.id
    WHERE payee.id = ${consultantId}::uuid`;
  if (!row)
    throw new AfterhoursError("UNKNOWN_CONSULTANT", `there is no consultant ${consultantId}`);
  return row;
}

/** The first posting that its lines do not explain, to the paisa. */
function differenceOf(
  postings: readonly Posting[],
  posted: readonly PostedLine[],
): string | undefined {
  const byKey = new Map<string, PostedLine[]>();
  for (const line of posted) byKey.set(line.key, [...(byKey.get(line.key) ?? []), line]);
  for (const { key, kind, owedPaise, payoutId, taxPaise } of postings) {
    const lines = byKey.get(key) ?? [];
    if (lines.length === 0) return `posting ${key} (${kind}) has no booking`;
    const other = lines.find(({ currency }) => currency !== "INR");
    if (other) return `booking ${other.bookingReference} is in ${other.currency}`;
    const owed = sumPaise(lines.map((line) => line.owedPaise));
    if (owed !== owedPaise) {
      return `posting ${key} is ${formatRupees(owedPaise)} in the books and ${formatRupees(owed)} by its bookings`;
    }
    if (payoutId === null) continue;
    const tax = sumPaise(lines.map((line) => line.taxPaise ?? 0n));
    const withheld = kind === "payout-reversed" ? -(taxPaise ?? 0n) : (taxPaise ?? 0n);
    if (tax !== withheld) {
      return `payout ${payoutId} has ${formatRupees(withheld)} of tax and ${formatRupees(tax)} by its bookings`;
    }
  }
  return undefined;
}

function differenceOfSum({
  openingPaise,
  closingPaise,
  posted,
}: {
  openingPaise: Paise;
  closingPaise: Paise;
  posted: readonly PostedLine[];
}): string | undefined {
  const sum = openingPaise + sumPaise(posted.map(({ owedPaise }) => owedPaise));
  if (sum === closingPaise) return undefined;
  return `its lines end at ${formatRupees(sum)} and the books at ${formatRupees(closingPaise)}`;
}

function totalsOf(lines: readonly StatementLine[]): Record<LineKind, LineTotals> {
  const of = (kind: LineKind): LineTotals => {
    const own = lines.filter((line) => line.kind === kind);
    const sum = (paise: (line: StatementLine) => Paise | null): Paise =>
      sumPaise(own.map((line) => paise(line) ?? 0n));
    return {
      count: own.length,
      grossPaise: sum(({ grossPaise }) => grossPaise),
      feePaise: sum(({ feePaise }) => feePaise),
      paidDirectlyPaise: sum(({ paidDirectlyPaise }) => paidDirectlyPaise),
      taxPaise: sum(({ taxPaise }) => taxPaise),
      netPaise: sum(({ netPaise }) => netPaise),
      owedPaise: sum(({ owedPaise }) => owedPaise),
    };
  };
  return {
    earned: of("earned"),
    refunded: of("refunded"),
    recovered: of("recovered"),
    paid: of("paid"),
    "came-back": of("came-back"),
  };
}

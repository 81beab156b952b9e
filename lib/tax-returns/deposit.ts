import { recordAudit } from "../audit/audit-log.ts";
import { inTransaction, type Db, type DbSession } from "../db/client.ts";
import { postTransaction } from "../ledger/post-transaction.ts";
import { requireDay, type Day } from "../support/calendar.ts";
import { AfterhoursError } from "../support/errors.ts";
import { formatRupees, type Paise } from "../support/money.ts";
import type { TaxSettings } from "../tds/settings.ts";
import { parseChallan } from "./challan-reference.ts";
import { readChallans } from "./challans.ts";

/** Tax that was handed over, as the bank's receipt says. */
export interface Deposit {
  /** `YYYY-MM`, of the credits. */
  month: string;
  section: string;
  code: string;
  amountPaise: Paise;
  /** BSR code, date and serial number, or another identifier of the receipt. */
  challanReference: string;
  depositedOn: Day;
  recordedBy: string;
}

/**
 * Records a deposit and books it: debit TAX_PAYABLE, credit PLATFORM_CLEARING, whose bank account paid it.
 * The same receipt again changes nothing. It may be more than was withheld by as much as is accrued: tax on
 * credits that are not paid yet is due all the same.
 *
 * @throws {AfterhoursError} `CHALLAN_DIFFERS` when the receipt is recorded with other figures,
 * `DEPOSIT_EXCEEDS` when more would be deposited than is withheld and accrued, `DEPOSIT_IN_FUTURE`
 */
export async function recordDeposit(
  db: Db,
  deposit: Deposit,
  settings: TaxSettings,
): Promise<"recorded" | "recorded-before"> {
  return inTransaction(db, async (tx) => {
    // Locks out a second deposit: two at once must not both fit into the due amount.
    const locked = await tx.query<unknown[]>`
      SELECT 1 FROM command_locks WHERE command = 'tax-deposit' FOR UPDATE`;
    if (locked.length !== 1) throw new Error("command_locks has no row for tax-deposit");
    if (await isRecorded(tx, deposit)) return "recorded-before";
    await assertNotInFuture(tx, deposit);
    const owedPaise = await assertDue(tx, deposit, settings);
    const challan = parseChallan(deposit.challanReference);
    const [row] = await tx.query<{ id: string }[]>`
      INSERT INTO tax_deposits (month, section, code, amount_paise, challan_reference, deposited_on, recorded_by,
                                bsr_code, challan_serial, owed_paise)
      VALUES (${`${deposit.month}-01`}::date, ${deposit.section}, ${deposit.code}, ${deposit.amountPaise},
              ${deposit.challanReference}, ${deposit.depositedOn}::date, ${deposit.recordedBy},
              ${challan?.bsrCode ?? null}, ${challan?.serial ?? null}, ${owedPaise})
      RETURNING id`;
    if (!row) throw new Error("the deposit was inserted and not returned");
    await postTransaction(tx, {
      key: `tax-deposited:${row.id}`,
      kind: "tax-deposited",
      entries: [
        { account: { code: "TAX_PAYABLE" }, amountPaise: deposit.amountPaise },
        { account: { code: "PLATFORM_CLEARING" }, amountPaise: -deposit.amountPaise },
      ],
    });
    const { recordedBy, ...detail } = deposit;
    await recordAudit(tx, {
      actor: recordedBy,
      category: "tax",
      action: "deposited",
      subjectType: "tax-deposit",
      subjectId: row.id,
      reason: null,
      detail,
    });
    return "recorded";
  });
}

async function isRecorded(tx: DbSession, deposit: Deposit): Promise<boolean> {
  const [earlier] = await tx.query<Omit<Deposit, "challanReference" | "recordedBy">[]>`
    SELECT to_char(month, 'YYYY-MM') AS month, section, code, amount_paise AS "amountPaise",
           deposited_on::text AS "depositedOn"
    FROM tax_deposits WHERE challan_reference = ${deposit.challanReference}`;
  if (!earlier) return false;
  requireDay(earlier.depositedOn);
  const isSame =
    earlier.month === deposit.month &&
    earlier.section === deposit.section &&
    earlier.code === deposit.code &&
    earlier.amountPaise === deposit.amountPaise &&
    earlier.depositedOn === deposit.depositedOn;
  if (isSame) return true;
  throw new AfterhoursError(
    "CHALLAN_DIFFERS",
    `challan ${deposit.challanReference} is recorded as ${formatRupees(earlier.amountPaise)} for ${earlier.month}, section ${earlier.section}, code ${earlier.code}, on ${earlier.depositedOn}`,
    { remedy: "Nothing was changed. A challan is recorded once; check its reference." },
  );
}

async function assertNotInFuture(tx: DbSession, { depositedOn }: Deposit): Promise<void> {
  const [row] = await tx.query<{ isFuture: boolean }[]>`
    SELECT ${depositedOn}::date > india_today() AS "isFuture"`;
  if (!row?.isFuture) return;
  throw new AfterhoursError("DEPOSIT_IN_FUTURE", `${depositedOn} is still to come`, {
    remedy: "Nothing was changed. Record a deposit once the bank has taken it.",
  });
}

/** The tax withheld and accrued for the deposit's month. @throws {AfterhoursError} `DEPOSIT_EXCEEDS` */
async function assertDue(tx: DbSession, deposit: Deposit, settings: TaxSettings): Promise<Paise> {
  const { challans } = await readChallans(tx, { all: true, settings });
  const month = challans.find(
    (challan) =>
      challan.month === deposit.month &&
      challan.section === deposit.section &&
      challan.code === deposit.code,
  );
  const duePaise = month?.duePaise ?? 0n;
  if (month && deposit.amountPaise <= duePaise) return month.withheldPaise + month.accruedPaise;
  throw new AfterhoursError(
    "DEPOSIT_EXCEEDS",
    `${formatRupees(deposit.amountPaise)} is more than the amount due for ${deposit.month}, section ${deposit.section}, code ${deposit.code}: ${formatRupees(duePaise)}`,
    {
      remedy:
        "Nothing was changed. `npm run tds -- challans --all` shows each month with its section and code.",
    },
  );
}

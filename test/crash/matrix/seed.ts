import pg from "pg";
import { postEarningsReleased } from "../../../lib/ledger/post-earnings.ts";
import type { TestDatabase } from "../../support/database.ts";
import {
  accountIdOf,
  accountNumberOf,
  consultantIdOf,
  earningIdOf,
  organizationIdOf,
  PAYEES,
  vpaOf,
  type ScriptedPayee,
} from "./payees.ts";

/** Payees with accounts, tax profiles and earnings that wait for a batch, posted as owed. */
export async function seedWorld(database: Pick<TestDatabase, "url">): Promise<void> {
  const client = new pg.Client({ connectionString: database.url, application_name: "test seed" });
  await client.connect();
  try {
    await client.query("BEGIN");
    for (const payee of PAYEES) await seedPayee(client, payee);
    await postEarningsReleased(
      client,
      PAYEES.flatMap((payee) => earningsOf(payee).map(({ id }) => id)),
    );
    await client.query("COMMIT");
  } finally {
    await client.end();
  }
}

/** The payee's account, which some add only later. */
export const INSERT_ACCOUNT = `
  INSERT INTO payout_accounts (id, consultant_id, kind, ifsc, account_number, vpa)
  VALUES ($1, $2, $3::payout_account_kind, $4, $5, $6)`;

export function accountRow(payee: ScriptedPayee): (string | null)[] {
  const details =
    payee.account === "vpa"
      ? ["vpa", null, null, vpaOf(payee)]
      : ["bank_account", "HDFC0001220", accountNumberOf(payee), null];
  return [accountIdOf(payee), consultantIdOf(payee), ...details];
}

/** One of its own: who has the same is the same person for the tax. */
function panOf(payee: ScriptedPayee): string {
  const number = String(PAYEES.indexOf(payee)).padStart(4, "0");
  return `ZZZ${payee.isCompany ? "C" : "P"}Z${number}Z`;
}

async function seedPayee(client: pg.Client, payee: ScriptedPayee): Promise<void> {
  const { name, isCompany = false, hasPan = true } = payee;
  const consultantId = consultantIdOf(payee);
  await client.query("INSERT INTO consultants (id, external_ref, name) VALUES ($1, $2, $3)", [
    consultantId,
    name,
    `Example Payee ${name}`,
  ]);
  await client.query(
    `INSERT INTO tax_profiles (consultant_id, category, pan_status, pan)
     VALUES ($1, $2::payee_category, $3::pan_status, $4)`,
    [
      consultantId,
      isCompany ? "company" : "individual",
      hasPan ? "valid" : "missing",
      hasPan ? panOf(payee) : null,
    ],
  );
  if (payee.account !== "none") await client.query(INSERT_ACCOUNT, accountRow(payee));
  if (payee.isOrganization) {
    await client.query(
      "INSERT INTO organizations (id, external_ref, name, payee_id) VALUES ($1, $2, $2, $3)",
      [organizationIdOf(payee), name, consultantId],
    );
  }
  if (payee.isHeld) {
    await client.query(
      `INSERT INTO consultant_holds (consultant_id, kind, reason, placed_by)
       VALUES ($1, 'manual', 'to be looked at', 'Asha')`,
      [consultantId],
    );
  }
  for (const { id, grossPaise, feePaise } of earningsOf(payee)) {
    await client.query(
      `INSERT INTO earnings
         (id, consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise, amount_paise)
       VALUES ($1, $2, $3, '2026-06-15', $4, $5, $6)`,
      [id, consultantId, `BK-${id}`, grossPaise, feePaise, grossPaise - feePaise],
    );
  }
}

function earningsOf(payee: ScriptedPayee): { id: string; grossPaise: number; feePaise: number }[] {
  const { rupees = [1_000], feePercent = 10 } = payee;
  return rupees.map((gross, index) => ({
    id: earningIdOf(payee, index),
    grossPaise: gross * 100,
    feePaise: gross * feePercent,
  }));
}

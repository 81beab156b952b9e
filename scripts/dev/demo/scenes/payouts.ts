import { existsSync } from "node:fs";
import { join } from "node:path";
import { istDay } from "../../../../lib/support/calendar.ts";
import { hours } from "../../../../lib/support/clock.ts";
import { seedPlan, seedWaiting } from "../../seed/bookings.ts";
import { importSales, letPayoutsAge, type World } from "./world.ts";

/** How long ago the first pay run was. */
const DAYS_AGO = 40;

/** Two payouts were paid weeks ago, and four payees have sold something since. */
export async function seedSales(world: World): Promise<void> {
  const old = { daysAgo: 5 + DAYS_AGO, gross: 3000, fee: 500 };
  world.providerIsBehind(DAYS_AGO);
  world.sandbox.addFaults({ on: "POST /payouts", initialState: "processed", times: 2 });
  await importSales(world, {
    file: "weeks-ago.csv",
    sales: [
      { consultant: "C-802", reference: "S-802", ...old },
      { consultant: "C-804", reference: "S-804", ...old },
    ],
    flags: ["--approve"],
  });
  await world.job("payouts/process-payouts");
  world.providerIsBehind(0);
  await letPayoutsAge(world, DAYS_AGO);
  await importSales(world, {
    file: "this-week.csv",
    sales: [
      { consultant: "C-801", reference: "S-801", daysAgo: 5, gross: 2000, fee: 400 },
      { consultant: "C-802", reference: "S-812", daysAgo: 5, gross: 6000, fee: 1000 },
      { ...CHANGING, account: "900300000011803" },
      { consultant: "C-805", reference: "S-805", daysAgo: 5, gross: 4800, fee: 800 },
    ],
  });
}

const CHANGING = {
  consultant: "C-803",
  reference: "S-803",
  daysAgo: 5,
  gross: 9000,
  fee: 1500,
};

/** A person approves, and then somebody places another account. */
export async function changedAccount(world: World): Promise<void> {
  const payout = `
    SELECT payout.id, format('The payout is %s%s.', payout.status,
             COALESCE(', because of ' || payout.failure_code, '')) AS sentence
    FROM payouts AS payout JOIN consultants AS consultant ON consultant.id = payout.consultant_id
    WHERE consultant.external_ref = 'C-803'`;
  const [made] = await world.query<{ id: string }>(payout);
  world.say("Approving it: npm run payouts -- approve");
  await world.command("payouts", "approve", made?.id ?? "");
  await world.shows("The payout is APPROVED.", payout);
  world.say("Importing another account: npm run import:earnings -- --update-accounts");
  await importSales(world, {
    file: "another-account.csv",
    sales: [{ ...CHANGING, account: "900300000022803" }],
    flags: ["--update-accounts"],
  });
  await world.job("payouts/process-payouts");
  await world.shows("The payout is PENDING, because of ACCOUNT_CHANGED.", payout);
}

/** Weeks after a payout was completed its bank gives the money back. */
export async function lateReversal(world: World): Promise<void> {
  const payout = `
    SELECT format('The payout of %s days ago is %s, and its sale %s.',
                  extract(day FROM now() - attempt.created_at), payout.status, earning.status) AS sentence,
           attempt.provider_payout_id AS id
    FROM payouts AS payout JOIN payout_attempts AS attempt ON attempt.payout_id = payout.id
    JOIN payout_items AS item ON item.payout_id = payout.id JOIN earnings AS earning ON earning.id = item.earning_id
    WHERE earning.booking_reference = 'S-804'`;
  const [paid] = await world.query<{ id: string }>(payout);
  await world.job("payouts/reconcile-payout-status");
  await world.shows("The payout of 40 days ago is COMPLETED, and its sale PAID.", payout);
  world.say("The bank gives the money back");
  world.sandbox.movePayout(paid?.id ?? "", {
    status: "reversed",
    reason: "beneficiary_bank_rejected",
  });
  await world.job("payouts/reconcile-payout-status");
  await world.shows("The payout of 40 days ago is REVERSED, and its sale READY.", payout);
}

/** Each payee is told, and has a statement of the month. */
export async function toldPayees(world: World): Promise<void> {
  const now = new Date();
  // From yesterday on: the day may have changed since the pay run.
  const since = istDay(new Date(now.getTime() - hours(24)));
  for (const consultant of ["C-804", "C-805"]) {
    const address = `${consultant.toLowerCase()}@payees.example`;
    await world.command("payouts", "mail-address", consultant, address);
  }
  const env = { MAIL_PAID_SINCE: since, MAIL_FAILED_SINCE: since };
  await world.job("notifications/tell-payees", { env });
  await world.job("notifications/deliver-outbox");
  await world.shows(
    "Sent: payout-paid and payout-returned.",
    `SELECT 'Sent: ' || string_agg(template, ' and ' ORDER BY template) || '.' AS sentence
     FROM outbox_mails WHERE template LIKE 'payout-%' AND status = 'SENT'`,
  );
  const statement = join(world.home, "statement.html");
  const which = ["--consultant", "C-805", "--month", istDay(now).slice(0, 7)];
  await world.command("payouts", "statement", ...which, "--html", "--out", statement);
  if (existsSync(statement)) console.log(`  The statement of C-805, to print: ${statement}`);
}

/** People wait for a webinar that was two days ago. */
export async function nightlyChecks(world: World): Promise<void> {
  const plan = await seedPlan(world, { title: "Yesterday's news", startsInHours: -48 });
  await seedWaiting(world, { plan });
  await world.job("ledger/reconcile-ledger");
  await world.shows(
    "A finding is open: waiting-for-past-plan, a warning.",
    `SELECT format('A finding is open: %s, a %s.', kind, severity) AS sentence FROM findings
     WHERE subject_id = $1 AND resolved_at IS NULL`,
    [plan.id],
  );
}

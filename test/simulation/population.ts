import { inSession } from "../lib/payouts/sessions.ts";
import { postEarningsReleased } from "../../lib/ledger/post-earnings.ts";
import type { TestDatabase } from "../support/database.ts";
import type { Chance } from "./chance.ts";

/** What is wrong with a payee, if anything, so that its payouts fail before anything is sent. */
type Flaw = "no-account" | "no-tax-profile" | "non-resident";

export interface Person {
  id: string;
  /** `C1`: as the story calls it. */
  name: string;
  accountId: string | undefined;
  isOrganization: boolean;
  /** Paid by UPI, which carries no lakhs. */
  hasVpa: boolean;
  flaw: Flaw | undefined;
  earnings: number;
}

const KINDS = {
  individual: 8,
  company: 2,
  huf: 1,
  "missing-pan": 2,
  vpa: 2,
  organization: 2,
  certificate: 1,
  "no-account": 1,
  "no-tax-profile": 1,
  "non-resident": 1,
};
type Kind = keyof typeof KINDS;
const FLAWS: readonly string[] = ["no-account", "no-tax-profile", "non-resident"];

/** Two to five payees, of whom the last may be one that can't be paid. */
export async function populate(database: TestDatabase, chance: Chance): Promise<Person[]> {
  const people: Person[] = [];
  for (let count = chance.between(2, 5); people.length < count;) {
    const kind = people.length === 0 ? "individual" : chance.weighted(KINDS);
    const person = await addPerson(database, chance, { number: people.length + 1, kind });
    people.push(person);
    await earn(database, chance, { person, count: chance.between(1, 3) });
  }
  return people;
}

const PAN_LETTER = { company: "C", huf: "H", individual: "P" } as const;

async function addPerson(
  database: TestDatabase,
  chance: Chance,
  { number, kind }: { number: number; kind: Kind },
): Promise<Person> {
  const id = chance.uuid();
  const name = `C${number}`;
  const isOrganization = kind === "organization";
  await database.query("INSERT INTO consultants (id, external_ref, name) VALUES ($1, $2, $3)", [
    id,
    name,
    `Example Payee ${number}`,
  ]);
  if (isOrganization) {
    await database.query(
      "INSERT INTO organizations (external_ref, name, payee_id) VALUES ($1, $2, $3)",
      [`O${number}`, `Example Organization ${number}`, id],
    );
  }
  if (kind !== "no-tax-profile") {
    const category =
      kind === "company" || isOrganization ? "company" : kind === "huf" ? "huf" : "individual";
    // Every second payee has the PAN of the one before, where that one is of the same category: one person by two codes.
    const panNumber = number % 2 === 0 ? number - 1 : number;
    const pan =
      kind === "missing-pan"
        ? null
        : `ZZZ${PAN_LETTER[category]}Z${String(panNumber).padStart(4, "0")}Z`;
    await database.query(
      `INSERT INTO tax_profiles (consultant_id, category, resident, pan_status, pan)
       VALUES ($1, $2::payee_category, $3, $4::pan_status, $5)`,
      [id, category, kind !== "non-resident", pan === null ? "missing" : "valid", pan],
    );
  }
  if (kind === "certificate") {
    await database.query(
      `INSERT INTO lower_deduction_certificates (consultant_id, number, rate_bps, valid_from, valid_to, ceiling_paise)
       VALUES ($1, $2, 5, '2026-01-01', '2027-03-31', 3000000)`,
      [id, `CERT-${number}`],
    );
  }
  const accountId = kind === "no-account" ? undefined : chance.uuid();
  if (accountId !== undefined) {
    const details =
      kind === "vpa"
        ? ["vpa", null, null, `payee${number}@examplebank`]
        : ["bank_account", "HDFC0001220", `9900000000${number}`, null];
    await database.query(
      `INSERT INTO payout_accounts (id, consultant_id, kind, ifsc, account_number, vpa)
       VALUES ($1, $2, $3::payout_account_kind, $4, $5, $6)`,
      [accountId, id, ...details],
    );
  }
  const flaw = FLAWS.includes(kind) ? (kind as Flaw) : undefined;
  return { id, name, accountId, isOrganization, hasVpa: kind === "vpa", flaw, earnings: 0 };
}

/** Both sides of the turn of the fiscal year, where the rules of withholding change. */
const CREDITED = ["2026-03-30", "2026-04-02", "2026-06-15", "2026-06-16", "2026-11-02"] as const;

/** New sales of somebody, booked as owed: from ₹40 to ₹6,000, and now and then lakhs. */
export async function earn(
  database: TestDatabase,
  chance: Chance,
  { person, count }: { person: Person; count: number },
): Promise<void> {
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const id = chance.uuid();
    const gross =
      chance.happens(0.1) && !person.hasVpa
        ? chance.between(20_000_000, 60_000_000)
        : chance.between(4_000, 600_000);
    const fee = Math.floor((gross * chance.pick([5, 10, 15])) / 100);
    const holdDays = chance.happens(0.15) ? chance.between(1, 3) : null;
    await database.query(
      `INSERT INTO earnings (id, consultant_id, booking_reference, credited_on, gross_paise, platform_fee_paise,
                             amount_paise, hold_until)
       VALUES ($1, $2, $3, $4, $5, $6, $7, india_today() + $8::int)`,
      [
        id,
        person.id,
        `${person.name}-${++person.earnings}`,
        chance.pick(CREDITED),
        gross,
        fee,
        gross - fee,
        holdDays,
      ],
    );
    ids.push(id);
  }
  await inSession(database, async (client) => {
    await client.query("BEGIN");
    await postEarningsReleased(client, ids);
    await client.query("COMMIT");
  });
}

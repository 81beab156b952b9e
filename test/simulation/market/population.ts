import type { TestDatabase } from "../../support/database.ts";
import { inSession } from "../../lib/payouts/sessions.ts";
import type { Chance } from "../chance.ts";
import type { Person } from "../population.ts";

export interface Plan {
  id: string;
  /** `webinar 1`: as the story calls it. */
  name: string;
  kind: "consultation" | "subscription" | "webinar" | "class";
  consultantId: string;
  /** Null where one buyer at a time is met. */
  capacity: number | null;
}

export interface Buyer {
  id: string;
  /** `U1`: as the story calls it. */
  name: string;
  /** Of an organization that pays for this buyer. */
  wallet: { id: string; organizationId: string } | undefined;
  creditId: string | undefined;
}

/** Two to four plans with few seats, and four to seven buyers, some with a wallet or credit. */
export async function openStalls(
  database: TestDatabase,
  chance: Chance,
  people: readonly Person[],
): Promise<{ plans: Plan[]; buyers: Buyer[] }> {
  const plans: Plan[] = [];
  const kinds = ["webinar", "consultation", "class", "subscription"] as const;
  for (let count = chance.between(2, 4); plans.length < count;) {
    const number = plans.length + 1;
    const kind = kinds[plans.length] ?? "webinar";
    plans.push(await addPlan(database, chance, { number, kind, person: chance.pick(people) }));
  }
  const buyers: Buyer[] = [];
  const wallets = [await addWallet(database, chance, 1), await addWallet(database, chance, 2)];
  for (let count = chance.between(4, 7); buyers.length < count;) {
    const number = buyers.length + 1;
    const wallet = chance.happens(0.5) ? chance.pick(wallets) : undefined;
    buyers.push(await addBuyer(database, chance, { number, wallet }));
  }
  return { plans, buyers };
}

async function addPlan(
  database: TestDatabase,
  chance: Chance,
  { number, kind, person }: { number: number; kind: Plan["kind"]; person: Person },
): Promise<Plan> {
  const id = chance.uuid();
  const name = `${kind} ${number}`;
  const isGroup = kind === "webinar" || kind === "class";
  const capacity = isGroup ? chance.pick([1, 1, 2, 3]) : null;
  const days = chance.pick([2, 5, 30]);
  await database.query(
    `INSERT INTO plans (id, consultant_id, kind, title, url, capacity, starts_at)
     VALUES ($1, $2, $3::plan_kind, $4, 'https://marketplace.example/plans/' || $4::text, $5,
             CASE WHEN $5::int IS NOT NULL THEN now() + make_interval(days => $6) END)`,
    [id, person.id, kind, `plan-${number}`, capacity, days],
  );
  const sessions = kind === "class" ? 2 : isGroup ? 1 : 0;
  for (let session = 0; session < sessions; session++) {
    await database.query(
      `INSERT INTO appointments (id, plan_id, consultant_id, starts_at, ends_at)
       VALUES ($1, $2, $3, now() + make_interval(days => $4, hours => $5),
               now() + make_interval(days => $4, hours => $5 + 1))`,
      // No two group plans meet at the same hour of the day.
      [chance.uuid(), id, person.id, days + session, number * 2],
    );
  }
  return { id, name, kind, consultantId: person.id, capacity };
}

async function addWallet(
  database: TestDatabase,
  chance: Chance,
  number: number,
): Promise<{ id: string; organizationId: string }> {
  const id = chance.uuid();
  const organizationId = chance.uuid();
  const balance = chance.between(0, 200_000);
  await inSession(database, async (client) => {
    await client.query("BEGIN");
    await client.query("INSERT INTO organizations (id, external_ref, name) VALUES ($1, $2, $2)", [
      organizationId,
      `wallet-owner-${number}`,
    ]);
    await client.query(
      "INSERT INTO wallet_accounts (id, organization_id, balance_paise) VALUES ($1, $2, $3)",
      [id, organizationId, balance],
    );
    await client.query(
      "INSERT INTO ledger_accounts (code) VALUES ('PLATFORM_CLEARING') ON CONFLICT DO NOTHING",
    );
    await client.query("INSERT INTO ledger_accounts (code, wallet_id) VALUES ('WALLET', $1)", [id]);
    if (balance > 0) {
      await client.query(
        `WITH posted AS (
           INSERT INTO ledger_transactions (key, kind, organization_id)
           VALUES ('wallet-funded:' || $1::text, 'wallet-funded', $2) RETURNING id)
         INSERT INTO ledger_entries (transaction_id, account_id, amount_paise)
         SELECT posted.id, account.id, CASE WHEN account.code = 'WALLET' THEN -$3::bigint ELSE $3::bigint END
         FROM posted, ledger_accounts AS account
         WHERE account.code = 'PLATFORM_CLEARING' OR account.wallet_id = $1::uuid`,
        [id, organizationId, balance],
      );
    }
    await client.query("COMMIT");
  });
  return { id, organizationId };
}

async function addBuyer(
  database: TestDatabase,
  chance: Chance,
  { number, wallet }: { number: number; wallet: Buyer["wallet"] },
): Promise<Buyer> {
  const id = chance.uuid();
  const name = `U${number}`;
  await database.query(
    "INSERT INTO users (id, external_ref, name, email) VALUES ($1, $2, $2, $3)",
    [id, name, `u${number}@buyers.example`],
  );
  const creditId = chance.happens(0.5) ? chance.uuid() : undefined;
  if (creditId !== undefined) {
    await database.query(
      "INSERT INTO referral_credits (id, user_id, amount_paise) VALUES ($1, $2, $3)",
      [creditId, id, chance.between(1_000, 60_000)],
    );
  }
  return { id, name, wallet, creditId };
}

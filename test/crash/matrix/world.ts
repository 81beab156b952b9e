import { startSandbox, type Fault, type Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { systemClock } from "../../../lib/support/clock.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { letClaimsAge } from "../../support/claims-age.ts";
import { createPayeeBook, type PayeeBook } from "./naming.ts";
import { consultantIdOf, matchOf, PAYEES, type ScriptedPayee } from "./payees.ts";
import { accountRow, INSERT_ACCOUNT } from "./seed.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** A database and a provider of its own, in which everything goes by the script. */
export interface MatrixWorld {
  readonly database: TestDatabase;
  readonly sandbox: Sandbox;
  readonly book: PayeeBook;
  /** What happens between two rounds of the jobs, whatever they did; true when anything happened. */
  liveOn(): Promise<boolean>;
  /** Lets claims and attempts that are open grow old. */
  letTimePass(): Promise<void>;
  close(): Promise<void>;
}

/**
 * At first the provider's clock is two days behind, so that days of the account are over when they are
 * read; from the second round on it is the present.
 */
export async function openWorld(template: string): Promise<MatrixWorld> {
  let behindMs = 2 * DAY_MS;
  const clock = { ...systemClock, now: () => new Date(systemClock.now().getTime() - behindMs) };
  const [database, sandbox] = await Promise.all([
    createTestDatabase({ template }),
    startSandbox({ clock }),
  ]);
  const book = createPayeeBook();
  const payouts = await database.query<{ id: string; consultantId: string }>(
    'SELECT id, consultant_id AS "consultantId" FROM payouts',
  );
  for (const { id, consultantId } of payouts) book.learn(id, consultantId);
  let rounds = 0;
  let moneyMoved = false;
  let faults = "";
  return {
    database,
    sandbox,
    book,
    liveOn: async () => {
      let hasHappened = false;
      if (rounds++ > 0) {
        behindMs = 0;
        hasHappened = await moveAtProvider(database, sandbox);
        hasHappened = (await addMissingAccount(database)) || hasHappened;
        if (!moneyMoved) {
          moneyMoved = hasHappened = true;
          sandbox.changeBalance({ addPaise: 5_000_000 });
          sandbox.changeBalance({ addPaise: -777 });
        }
      }
      const active = await activeFaults(database);
      sandbox.clearFaults();
      sandbox.addFaults(active);
      const text = JSON.stringify(active);
      if (faults !== text) hasHappened = true;
      faults = text;
      return hasHappened;
    },
    letTimePass: () => letClaimsAge(database),
    close: async () => {
      await sandbox.close();
      await database.drop();
    },
  };
}

const ENDS: Record<NonNullable<ScriptedPayee["until"]>, string> = {
  "a payout failed": "SELECT consultant_id AS id FROM payouts WHERE status = 'FAILED'",
  "an attempt was never accepted": `
    SELECT payouts.consultant_id AS id FROM payout_attempts JOIN payouts ON payouts.id = payout_id
    WHERE payout_attempts.failure_code = 'NEVER_ACCEPTED'`,
  "an attempt was turned away": `
    SELECT payouts.consultant_id AS id FROM payout_attempts JOIN payouts ON payouts.id = payout_id
    WHERE payout_attempts.failure_code = 'insufficient-balance'`,
  "a claim was given back": `
    SELECT payouts.consultant_id AS id FROM payouts JOIN tax_deductions ON payout_id = payouts.id
    WHERE reverses_id IS NOT NULL`,
};

/** The faults of all fates that have not ended. */
async function activeFaults(database: TestDatabase): Promise<Fault[]> {
  const ended = new Map<string, Set<string>>();
  for (const [until, sql] of Object.entries(ENDS)) {
    const rows = await database.query<{ id: string }>(sql);
    ended.set(until, new Set(rows.map(({ id }) => id)));
  }
  return PAYEES.flatMap((payee) => {
    const hasEnded =
      payee.until !== undefined && ended.get(payee.until)?.has(consultantIdOf(payee));
    const fate = hasEnded ? payee.then : payee.fate;
    return fate === undefined ? [] : [{ ...fate, match: matchOf(payee, fate), times: -1 }];
  });
}

/** The provider's own doing: once for each payee, and only after we have seen the state before it. */
async function moveAtProvider(database: TestDatabase, sandbox: Sandbox): Promise<boolean> {
  const attempts = await database.query<{
    consultantId: string;
    state: string;
    id: string | null;
  }>(`
    SELECT consultant_id AS "consultantId", state::text AS state, provider_payout_id AS id
    FROM payout_attempts JOIN payouts ON payouts.id = payout_id`);
  const atProvider = new Map(sandbox.payouts().map((payout) => [payout.id, payout]));
  let hasMoved = false;
  for (const payee of PAYEES) {
    const { later } = payee;
    if (later === undefined) continue;
    const own = attempts.filter(({ consultantId }) => consultantId === consultantIdOf(payee));
    const moved = own.some(({ id }) =>
      atProvider.get(id ?? "")?.history.some(({ status }) => status === later.moves[0]?.status),
    );
    const found = own.find(({ state }) => state === later.when);
    if (moved || found === undefined) continue;
    for (const { status, reason } of later.moves)
      sandbox.movePayout(found.id ?? "", { status, ...(reason === undefined ? {} : { reason }) });
    hasMoved = true;
  }
  return hasMoved;
}

/** Who could not be paid for want of an account names one. */
async function addMissingAccount(database: TestDatabase): Promise<boolean> {
  const failed = await database.query<{ id: string }>(`
    SELECT DISTINCT consultant_id AS id FROM payouts
    WHERE failure_code = 'NO_PAYOUT_ACCOUNT'
      AND consultant_id NOT IN (SELECT consultant_id FROM payout_accounts)`);
  for (const payee of PAYEES) {
    if (!failed.some(({ id }) => id === consultantIdOf(payee))) continue;
    await database.query(INSERT_ACCOUNT, accountRow(payee));
  }
  return failed.length > 0;
}

import type { Db, DbSession } from "../../lib/db/client.ts";
import { callProvider } from "./provider-calls.ts";
import type { SimulatedProcess } from "./process.ts";
import { incidentOf, type Incident } from "./trouble.ts";
import type { World } from "./world.ts";
import type { PayoutProvider } from "../../lib/provider/index.ts";

type Query = DbSession["query"];
type Execute = DbSession["execute"];
type Statement = (...args: unknown[]) => Promise<unknown>;
type Transaction = (
  body: (tx: DbSession) => Promise<unknown>,
  options?: object,
) => Promise<unknown>;

/** A killed process makes no call any more, although its turn had come. */
class Killed extends Error {}

/**
 * A database session whose statements and transactions wait for their turn. A transaction is one turn: what
 * happens within one, between two sessions, is PostgreSQL's to keep apart, and real processes race for it in
 * test/race.
 */
export function databaseOf(world: World, process: SimulatedProcess, db: Db): Db {
  const statement =
    (send: Statement): Statement =>
    (...args) =>
      inTurn(world, process, "statement", () => send(...args));
  const run = db.transaction.bind(db) as unknown as Transaction;
  const transaction: Transaction = (body, options) =>
    inTurn(world, process, "transaction", (incident) =>
      run((tx) => body(countedSession(tx, incident)), options),
    );
  return {
    query: statement(db.query.bind(db) as unknown as Statement),
    execute: statement(db.execute.bind(db) as unknown as Statement),
    transaction: transaction,
  } as unknown as Db;
}

async function inTurn<T>(
  world: World,
  process: SimulatedProcess,
  call: "statement" | "transaction",
  work: (incident: Incident) => Promise<T>,
): Promise<T> {
  return world.scheduler.turn(process, async () => {
    const incident = incidentOf(world, process, call);
    await incident.before();
    if (process.dead) throw new Killed();
    try {
      return await work(incident);
    } finally {
      await incident.after();
    }
  });
}

function countedSession(tx: DbSession, { within }: Incident): DbSession {
  let statements = 0;
  const counted =
    (send: Statement): Statement =>
    async (...args) => {
      await within(++statements);
      return send(...args);
    };
  return {
    query: counted(tx.query.bind(tx) as unknown as Statement) as unknown as Query,
    execute: counted(tx.execute.bind(tx) as unknown as Statement) as unknown as Execute,
  };
}

/** By the world's time, which the provider's own clock does not know. */
function isSince(
  { agedMinutes, seenAtProvider }: World,
  { id, createdAt }: { id: string; createdAt: Date },
  fromMs: number,
): boolean {
  const aged = agedMinutes - (seenAtProvider.get(id) ?? agedMinutes);
  return createdAt.getTime() - aged * 60_000 >= fromMs;
}

/** The provider's client, each call of which waits for its turn and may go wrong. */
export function gatewayOf(
  world: World,
  process: SimulatedProcess,
  real: PayoutProvider,
): PayoutProvider {
  const call =
    <Input, Result>(
      name: Parameters<typeof callProvider>[2]["name"],
      send: (input: Input, options?: { signal?: AbortSignal }) => Promise<Result>,
    ) =>
    (input: Input, options?: { signal?: AbortSignal }): Promise<Result> =>
      callProvider(world, process, { name, input, send, signal: options?.signal });
  return {
    accountNumber: real.accountNumber,
    accountKind: real.accountKind,
    requestsPerSecond: real.requestsPerSecond,
    createContact: call("POST /contacts", (input, given) => real.createContact(input, given)),
    createFundAccount: call("POST /fund_accounts", (input, given) =>
      real.createFundAccount(input, given),
    ),
    createPayout: call("POST /payouts", (input, given) => real.createPayout(input, given)),
    fetchPayout: call("GET /payouts/:id", (input, given) => real.fetchPayout(input, given)),
    findPayoutsByReference: call("GET /payouts", (input, given) =>
      real.findPayoutsByReference(input, given),
    ),
    listPayouts: call("GET /payouts", async (input, given) => {
      const answer = await real.listPayouts(input, given);
      if (answer.kind !== "accepted") return answer;
      return {
        ...answer,
        value: answer.value.filter((payout) => isSince(world, payout, input.fromMs ?? 0)),
      };
    }),
    cancelPayout: call("POST /payouts/:id/cancel", (input, given) =>
      real.cancelPayout(input, given),
    ),
    listTransactions: call("GET /transactions", (input, given) =>
      real.listTransactions(input, given),
    ),
    balances: (options) =>
      call("GET /banking_balances", (_: undefined, given) => real.balances(given))(
        undefined,
        options,
      ),
  };
}

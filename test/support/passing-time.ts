import { type Clock, systemClock } from "../../lib/support/clock.ts";
import type { TestDatabase } from "./database.ts";
import type { PayoutProvider } from "../../lib/provider/index.ts";

const DAY_MS = 86_400_000;

/** Time that passes for the provider and for the database alike, without anybody waiting for it. */
export interface PassingTime {
  /** For the sandbox: it is ahead by the passed time. */
  readonly clock: Clock;
  /** Wraps the provider's client, so that the run and the provider agree on the time. */
  readonly wrapGateway: (gateway: PayoutProvider) => PayoutProvider;
  /** Every time in the database is so many days longer ago, and the provider's clock so much further on. */
  pass(database: Pick<TestDatabase, "query">, days: number): Promise<void>;
}

/** Made once for each test file; `pass` adds up until `restart`. */
export function passingTime(): PassingTime & { restart(): void } {
  let passedMs = 0;
  const ahead = (ms: number | undefined): { fromMs?: number } =>
    ms === undefined ? {} : { fromMs: ms + passedMs };
  const until = (ms: number | undefined): { toMs?: number } =>
    ms === undefined ? {} : { toMs: ms + passedMs };
  const asOfNow = <T extends { createdAt: Date }>(each: T): T => ({
    ...each,
    createdAt: new Date(each.createdAt.getTime() - passedMs),
  });
  return {
    restart: () => (passedMs = 0),
    clock: { ...systemClock, now: () => new Date(systemClock.now().getTime() + passedMs) },
    wrapGateway: (gateway) => ({
      ...gateway,
      listPayouts: async ({ fromMs, toMs, ...filter }, options) => {
        const answer = await gateway.listPayouts(
          { ...filter, ...ahead(fromMs), ...until(toMs) },
          options,
        );
        return answer.kind === "accepted"
          ? { ...answer, value: answer.value.map(asOfNow) }
          : answer;
      },
      listTransactions: async ({ fromMs, toMs, ...filter }, options) => {
        const answer = await gateway.listTransactions(
          { ...filter, ...ahead(fromMs), ...until(toMs) },
          options,
        );
        return answer.kind === "accepted"
          ? { ...answer, value: answer.value.map(asOfNow) }
          : answer;
      },
    }),
    pass: async (database, days) => {
      passedMs += days * DAY_MS;
      await database.query(agingSql(days));
    },
  };
}

/** Triggers are off: that time goes by is no change of a row. Days of the account are moved out of the way first. */
function agingSql(days: number): string {
  const age = (table: string, ...columns: string[]): string =>
    `UPDATE ${table} SET ${columns.map((column) => `${column} = ${column} - interval '${days} days'`).join(", ")};`;
  return `
    SET session_replication_role = replica;
    ${age("payouts", "created_at", "updated_at", "approved_at", "claimed_at", "completed_at")}
    ${age("payout_attempts", "created_at", "settled_at")}
    ${age("ledger_transactions", "posted_at")}
    ${age("provider_transactions", "at", "read_at")}
    UPDATE provider_days SET day = day - 100000, closed_at = closed_at - interval '${days} days';
    UPDATE provider_days SET day = day + 100000 - ${days};
    SET session_replication_role = DEFAULT`;
}

import type { Db } from "../db/client.ts";
import type { NewFinding } from "../findings/index.ts";
import { AfterhoursError } from "../support/errors.ts";
import type { Paise } from "../support/money.ts";
import type { RunContext } from "../support/run-context.ts";
import { closeDays } from "./close-days.ts";
import { nameInDoubt } from "./name-in-doubt.ts";
import { countNew, findWrongDates, readReach, storeTransactions } from "./transactions.ts";
import { walkList, type PayoutProvider, type Transaction, type Walk } from "../provider/index.ts";

export interface StatementPorts extends Pick<
  RunContext<unknown>,
  "dryRun" | "lease" | "log" | "signal"
> {
  readonly db: Db;
  readonly gateway: PayoutProvider;
  /** An instant, as PostgreSQL writes it: the day in India that it is in is the first that is ever closed. */
  readonly from: string;
  /** Payouts by which the provider collected its fees. Default: none. */
  readonly feePayoutIds?: readonly string[];
  /** Stores a difference for a person. */
  readonly find: (finding: NewFinding) => Promise<void>;
}

export interface StatementReport {
  /** Transactions that were not stored before. */
  transactionsRead: number;
  daysClosed: number;
  /** Undefined when it could not be read, or went on moving while it was. */
  balancePaise: Paise | undefined;
}

export interface StatementReading {
  walk: Walk;
  report: StatementReport;
  /** The transactions read, oldest first. */
  transactions: readonly Transaction[];
}

/** A balance that moves while the transactions are read is read again, so many times in all. */
const TRIES = 3;

/**
 * Reads the account's transactions since the last reading, stores them, books the money that was added, and
 * closes each day that is over. A dry run only reads and counts.
 *
 * @throws {AfterhoursError} `ACCOUNT_NOT_LISTED` when the provider lists no balance of our account
 */
export async function readStatement(ports: StatementPorts): Promise<StatementReading> {
  const report: StatementReport = { transactionsRead: 0, daysClosed: 0, balancePaise: undefined };
  const { today, firstDay, fromMs } = await readReach(ports.db, ports.from);
  const reading = await readSteadily(ports, fromMs);
  const { transactions, balancePaise } = reading;
  if (reading.walk.kind !== "complete") return { walk: reading.walk, report, transactions };

  report.balancePaise = balancePaise;
  report.transactionsRead = await countNew(ports.db, transactions);
  if (balancePaise === undefined) {
    ports.log.warn({}, "the balance went on moving while it was read; no day is closed this time");
  }
  if (ports.dryRun) return { walk: reading.walk, report, transactions };
  ports.lease.assertTrusted();
  const named = await nameInDoubt(ports, transactions);
  if (named.kind !== "complete") return { walk: named, report, transactions };
  await storeTransactions(ports.db, transactions);
  for (const wrong of await findWrongDates(ports.db, transactions)) await ports.find(wrong);
  if (balancePaise !== undefined) {
    report.daysClosed = await closeDays(ports, { today, firstDay, balancePaise });
  }
  return { walk: reading.walk, report, transactions };
}

interface SteadyReading {
  walk: Walk;
  /** Oldest first. */
  transactions: Transaction[];
  balancePaise: Paise | undefined;
}

/** Balance, transactions, balance: when both balances are equal, the transactions are those in between. */
async function readSteadily(
  { gateway, signal }: StatementPorts,
  fromMs: number,
): Promise<SteadyReading> {
  let transactions: Transaction[] = [];
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const before = await readBalance(gateway, signal);
    if (before.kind !== "balance") return { walk: before, transactions, balancePaise: undefined };
    const newestFirst: Transaction[] = [];
    const walk = await walkList(
      (page) => gateway.listTransactions({ fromMs, ...page }, { signal }),
      { signal, onPage: (page) => void newestFirst.push(...page) },
    );
    if (walk.kind !== "complete") return { walk, transactions, balancePaise: undefined };
    transactions = newestFirst.reverse();
    const after = await readBalance(gateway, signal);
    if (after.kind !== "balance") return { walk: after, transactions, balancePaise: undefined };
    if (before.paise === after.paise) return { walk, transactions, balancePaise: after.paise };
  }
  return { walk: { kind: "complete" }, transactions, balancePaise: undefined };
}

async function readBalance(
  gateway: PayoutProvider,
  signal: AbortSignal,
): Promise<{ kind: "balance"; paise: Paise } | Exclude<Walk, { kind: "complete" }>> {
  const answer = await gateway.balances({ signal });
  if (answer.kind !== "accepted") {
    return signal.aborted ? { kind: "interrupted" } : { kind: "unusable", answer };
  }
  const account = answer.value.find(({ isPayoutAccount }) => isPayoutAccount);
  if (account) return { kind: "balance", paise: account.amountPaise };
  throw new AfterhoursError("ACCOUNT_NOT_LISTED", "the provider lists no balance of our account", {
    remedy: "Check RAZORPAYX_ACCOUNT_NUMBER, and that the key belongs to that account.",
  });
}

import type { Clock } from "../../../lib/support/clock.ts";
import type { Ids } from "./ids.ts";

/**
 * Amounts here are numbers of paise, not bigint: they come from JSON and go back to JSON, and every
 * one is checked to be a safe integer on its way in.
 */
interface Transaction {
  readonly id: string;
  readonly creditPaise: number;
  readonly debitPaise: number;
  /** Balance after this transaction. */
  readonly balancePaise: number;
  readonly createdAtSeconds: number;
  /** Its cause in the present state: a payout's status may have changed since. */
  readonly source: () => Record<string, unknown>;
}

export interface AccountSummary {
  openingPaise: number;
  creditsPaise: number;
  debitsPaise: number;
  balancePaise: number;
}

/** Our account at the provider. Always: opening + credits - debits = balance. */
export interface Account {
  summary(): AccountSummary;
  covers(paise: number): boolean;
  /** Throws when the balance does not cover it: the account has no overdraft. */
  debit(paise: number, source: Transaction["source"]): void;
  credit(paise: number, source: Transaction["source"]): void;
  /** Oldest first. */
  transactions(): readonly Transaction[];
  transaction(id: string): Transaction | undefined;
}

export function createAccount(options: { openingPaise: number; clock: Clock; ids: Ids }): Account {
  const { openingPaise, clock, ids } = options;
  const all: Transaction[] = [];
  const byId = new Map<string, Transaction>();
  let creditsPaise = 0;
  let debitsPaise = 0;
  const balancePaise = (): number => openingPaise + creditsPaise - debitsPaise;

  function record(amounts: { creditPaise: number; debitPaise: number }, source: () => JsonSource) {
    creditsPaise += amounts.creditPaise;
    debitsPaise += amounts.debitPaise;
    const transaction: Transaction = {
      id: ids.next("txn"),
      ...amounts,
      balancePaise: balancePaise(),
      createdAtSeconds: Math.floor(clock.now().getTime() / 1000),
      source,
    };
    all.push(transaction);
    byId.set(transaction.id, transaction);
  }

  return {
    summary: () => ({ openingPaise, creditsPaise, debitsPaise, balancePaise: balancePaise() }),
    covers: (paise) => paise <= balancePaise(),
    debit(paise, source) {
      if (paise > balancePaise()) throw new Error("the balance does not cover this debit");
      record({ creditPaise: 0, debitPaise: paise }, source);
    },
    credit: (paise, source) => record({ creditPaise: paise, debitPaise: 0 }, source),
    transactions: () => all,
    transaction: (id) => byId.get(id),
  };
}

type JsonSource = Record<string, unknown>;

export function transactionJson(
  transaction: Transaction,
  accountNumber: string,
): Record<string, unknown> {
  return {
    id: transaction.id,
    entity: "transaction",
    account_number: accountNumber,
    amount: transaction.creditPaise + transaction.debitPaise,
    currency: "INR",
    credit: transaction.creditPaise,
    debit: transaction.debitPaise,
    balance: transaction.balancePaise,
    source: transaction.source(),
    created_at: transaction.createdAtSeconds,
  };
}

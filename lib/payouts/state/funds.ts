import type { DbSession } from "../../db/client.ts";
import { readProviderCash } from "../../ledger/provider-cash.ts";
import { agreeing, counted } from "../../support/counted.ts";
import { formatRupees, type Paise } from "../../support/money.ts";
import type { SummaryTable } from "../../support/summary-table.ts";
import type { RunPorts } from "./ports.ts";
import type { RunFault } from "../../support/verdict.ts";

/** The due amount with expected fees, beside the balance at the provider. */
export interface Funds {
  /** Payouts that are due. */
  count: number;
  /** Owed before tax: withheld tax makes the sent amount a little smaller. */
  duePaise: Paise;
  /** Of one payout, as the dearest of the last hundred that were paid. */
  feePaise: Paise;
  /** Null when it is not known. */
  balancePaise: Paise | null;
  /** Null: the provider was asked just now. */
  asOf: Date | null;
}

/** Due with expected fees. */
function neededPaise({ count, duePaise, feePaise }: Funds): Paise {
  return duePaise + BigInt(count) * feePaise;
}

/** How much the account lacks; zero when it holds enough, or when its balance is not known. */
export function shortPaise(funds: Funds): Paise {
  if (funds.balancePaise === null) return 0n;
  const lacking = neededPaise(funds) - funds.balancePaise;
  return lacking > 0n ? lacking : 0n;
}

/** Asks the provider for the balance. A key that may not read it is no reason to stop: then it is not known. */
export async function askFunds(
  { db, gateway, log, signal }: Pick<RunPorts<unknown>, "db" | "gateway" | "log" | "signal">,
  due: { count: number; totalPaise: Paise },
): Promise<Funds> {
  const answer = await gateway.balances({ signal });
  const account =
    answer.kind === "accepted"
      ? answer.value.find(({ isPayoutAccount }) => isPayoutAccount)
      : undefined;
  if (!account) log.warn({ answer: answer.kind }, "the balance at the provider could not be read");
  return {
    count: due.count,
    duePaise: due.totalPaise,
    feePaise: await expectedFee(db),
    balancePaise: account?.amountPaise ?? null,
    asOf: null,
  };
}

/** All that is approved or waits for approval, beside the balance as the account was last read. */
export async function storedFunds(
  db: DbSession,
  planned: { count: number; paise: Paise } = { count: 0, paise: 0n },
): Promise<Funds> {
  const [open] = await db.query<{ count: number; paise: bigint }[]>`
    SELECT count(*)::int AS count, COALESCE(sum(amount_paise), 0)::bigint AS paise
    FROM payouts WHERE status IN ('PENDING', 'APPROVED') AND currency = 'INR'`;
  const cash = await readProviderCash(db);
  return {
    count: (open?.count ?? 0) + planned.count,
    duePaise: (open?.paise ?? 0n) + planned.paise,
    feePaise: await expectedFee(db),
    balancePaise: cash?.providerPaise ?? null,
    asOf: cash?.asOf ?? null,
  };
}

async function expectedFee(db: DbSession): Promise<Paise> {
  const [row] = await db.query<{ paise: bigint }[]>`
    SELECT COALESCE(max(fees_paise), 0)::bigint AS paise
    FROM (SELECT fees_paise FROM payout_attempts WHERE state = 'PROCESSED'
          ORDER BY created_at DESC LIMIT 100) AS newest`;
  return row?.paise ?? 0n;
}

/** The run ends before its first claim, or before the first payout that the account can not pay. */
export function insufficientFunds(funds: Funds): RunFault {
  const { count, balancePaise } = funds;
  return {
    code: "insufficient-balance",
    message: `The account holds ${formatRupees(balancePaise ?? 0n)} and lacks ${formatRupees(shortPaise(funds))}: ${counted(count, "payout")} ${agreeing(count, "is", "are")} due, ${formatRupees(neededPaise(funds))} before tax and with expected fees.`,
    remedy: "Add money to the account, then run again: unsent payouts are still approved.",
  };
}

/** The comparison as a table. */
export function fundsTable(funds: Funds): SummaryTable {
  const short = shortPaise(funds);
  const { balancePaise, count, duePaise, feePaise } = funds;
  return {
    title: "Money at the provider",
    columns: ["", "Rupees"],
    rows: [
      [`Due for ${counted(count, "payout")}, before tax`, formatRupees(duePaise)],
      ["Expected fees", formatRupees(BigInt(count) * feePaise)],
      ["Balance", balancePaise === null ? "not known" : formatRupees(balancePaise)],
      ["Short", balancePaise === null ? "not known" : formatRupees(short)],
    ],
  };
}

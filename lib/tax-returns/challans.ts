import type { DbSession } from "../db/client.ts";
import { daysBetween, type Day } from "../support/calendar.ts";
import type { Paise } from "../support/money.ts";
import type { TaxSettings } from "../tds/settings.ts";
import { readAccrual, type Accrual, type Unassessed } from "./accrual.ts";
import { depositDueOn } from "./periods.ts";

/** Tax of one month, section and code: the amount owed to the government, and the amount deposited. */
export interface Challan {
  /** `YYYY-MM`, of the credits. */
  month: string;
  section: string;
  code: string;
  /** Withheld from payouts that are completed. */
  withheldPaise: Paise;
  /** On credits that are not paid yet. */
  accruedPaise: Paise;
  depositedPaise: Paise;
  /** Withheld and accrued less deposited; negative when more was deposited. */
  duePaise: Paise;
  dueOn: Day;
  /** Days in India until the day of deposit, by the database's clock; negative when it has passed. */
  daysLeft: number;
  /** Due, and the day has passed. */
  isOverdue: boolean;
}

/** The tax to be deposited, and the credits whose tax cannot be assessed. */
export interface Challans {
  challans: readonly Challan[];
  unassessed: readonly Unassessed[];
}

type Settled = Pick<Challan, "month" | "section" | "code" | "withheldPaise" | "depositedPaise">;

/** The tax to be deposited and its due dates, oldest month first; with `all`, settled months as well. */
export async function readChallans(
  db: DbSession,
  { all, settings }: { all: boolean; settings: TaxSettings },
): Promise<Challans> {
  const settled = await readSettled(db);
  const { lines, unassessed } = await readAccrual(db, settings);
  const today = await readToday(db);
  const challans = merge(settled, lines)
    .map((row): Challan => {
      const dueOn = depositDueOn(`${row.month}-01`);
      const duePaise = row.withheldPaise + row.accruedPaise - row.depositedPaise;
      const daysLeft = daysBetween(today, dueOn);
      return { ...row, duePaise, dueOn, daysLeft, isOverdue: duePaise > 0n && daysLeft < 0 };
    })
    .filter(({ duePaise }) => all || duePaise !== 0n);
  return { challans, unassessed };
}

async function readSettled(db: DbSession): Promise<Settled[]> {
  return db.query<Settled[]>`
    SELECT to_char(month, 'YYYY-MM') AS month, section, code,
           COALESCE(withheld.paise, 0)::bigint AS "withheldPaise",
           COALESCE(deposited.paise, 0)::bigint AS "depositedPaise"
    FROM (
      SELECT date_trunc('month', credited_on)::date AS month, section, code, sum(tax_paise) AS paise
      FROM tax_deductions WHERE status = 'FINAL' GROUP BY 1, section, code
    ) AS withheld
    FULL JOIN (
      SELECT month, section, code, sum(amount_paise) AS paise FROM tax_deposits GROUP BY month, section, code
    ) AS deposited USING (month, section, code)`;
}

async function readToday(db: DbSession): Promise<Day> {
  const [today] = await db.query<{ day: Day }[]>`SELECT india_today()::text AS day`;
  if (!today) throw new TypeError("a query of one row gave none");
  return today.day;
}

function merge(
  settled: readonly Settled[],
  accrued: Accrual["lines"],
): (Settled & { accruedPaise: Paise })[] {
  const rows = new Map(settled.map((row) => [keyOf(row), { ...row, accruedPaise: 0n }]));
  for (const { creditedOn, section, code, taxPaise } of accrued) {
    if (taxPaise === 0n) continue;
    const month = creditedOn.slice(0, 7);
    const key = keyOf({ month, section, code });
    const row = rows.get(key) ?? {
      ...{ month, section, code },
      ...{ withheldPaise: 0n, depositedPaise: 0n, accruedPaise: 0n },
    };
    rows.set(key, { ...row, accruedPaise: row.accruedPaise + taxPaise });
  }
  return [...rows.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

function keyOf({ month, section, code }: Pick<Challan, "month" | "section" | "code">): string {
  return `${month}|${section}|${code}`;
}

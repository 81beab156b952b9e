import type { DbSession } from "../../db/client.ts";
import type { Day } from "../../support/calendar.ts";
import type { Paise } from "../../support/money.ts";
import { depositDueOn } from "./periods.ts";

/** Tax of one month, section and code: what was withheld for good, and what was handed over. */
export interface Challan {
  /** `YYYY-MM`, of the credits. */
  month: string;
  section: string;
  code: string;
  withheldPaise: Paise;
  depositedPaise: Paise;
  /** Withheld less deposited; negative when more was deposited. */
  duePaise: Paise;
  dueOn: Day;
  /** Due, and the day has passed in India by the database's clock. */
  isOverdue: boolean;
}

/** What is to be deposited by when, oldest month first; with `all`, settled months as well. */
export async function readChallans(db: DbSession, { all }: { all: boolean }): Promise<Challan[]> {
  const rows = await db.query<
    Pick<Challan, "month" | "section" | "code" | "withheldPaise" | "depositedPaise">[]
  >`
    SELECT to_char(month, 'YYYY-MM') AS month, section, code,
           COALESCE(withheld.paise, 0)::bigint AS "withheldPaise",
           COALESCE(deposited.paise, 0)::bigint AS "depositedPaise"
    FROM (
      SELECT date_trunc('month', credited_on)::date AS month, section, code, sum(tax_paise) AS paise
      FROM tax_deductions WHERE status = 'FINAL' GROUP BY 1, section, code
    ) AS withheld
    FULL JOIN (
      SELECT month, section, code, sum(amount_paise) AS paise FROM tax_deposits GROUP BY month, section, code
    ) AS deposited USING (month, section, code)
    ORDER BY month, section, code`;
  const [today] = await db.query<{ day: Day }[]>`SELECT india_today()::text AS day`;
  return rows
    .map((row) => {
      const dueOn = depositDueOn(`${row.month}-01`);
      const duePaise = row.withheldPaise - row.depositedPaise;
      const isOverdue = duePaise > 0n && today !== undefined && dueOn < today.day;
      return { ...row, duePaise, dueOn, isOverdue };
    })
    .filter(({ duePaise }) => all || duePaise !== 0n);
}

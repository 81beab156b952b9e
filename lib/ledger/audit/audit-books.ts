import { onSnapshot, type Db, type DbSession } from "../../db/client.ts";
import type { Paise } from "../../support/money.ts";
import { QUESTIONS, type Question } from "./questions.ts";

/** One row that breaks a rule. */
interface Breach {
  /** The kind of row and its id. */
  subject: string;
  expectedPaise: Paise;
  actualPaise: Paise;
}

export interface Answer {
  code: string;
  title: string;
  /** All of them. */
  count: number;
  /** The first, by subject. */
  breaches: readonly Breach[];
}

/** Breaches of one rule that are listed; all are counted. */
const MOST_BREACHES = 50;

/**
 * Asks every question on one snapshot. Only reads, and needs no right but that: its answers are worth most with a login
 * that no job has.
 */
export async function auditBooks(db: Db): Promise<Answer[]> {
  return onSnapshot(db, async (tx) => {
    const answers: Answer[] = [];
    for (const question of QUESTIONS) answers.push(await ask(tx, question));
    return answers;
  });
}

async function ask(tx: DbSession, { code, title, breaches }: Question): Promise<Answer> {
  const rows = await tx.query<(Breach & { count: number })[]>`
    SELECT subject, expected::bigint AS "expectedPaise", actual::bigint AS "actualPaise",
           (count(*) OVER ())::int AS count
    FROM (${breaches}) AS breach ORDER BY subject, expected LIMIT ${MOST_BREACHES}`;
  return {
    code,
    title,
    count: rows[0]?.count ?? 0,
    breaches: rows.map(({ subject, expectedPaise, actualPaise }) => ({
      subject,
      expectedPaise,
      actualPaise,
    })),
  };
}

import type { Db, DbSession } from "../../../lib/db/client.ts";

/**
 * A client whose transactions find a row changed between their look at it and a statement that means to
 * change it, whatever lock they have taken: what the statement's own condition is for. `change` is carried
 * out in the transaction itself, once, right before the first statement that matches.
 */
export function meanwhile(db: Db, { before, change }: { before: RegExp; change: string }): Db {
  let done = false;
  const racing = (tx: DbSession): DbSession => {
    const first =
      (run: "query" | "execute") =>
      async (strings: TemplateStringsArray, ...values: unknown[]): Promise<unknown> => {
        if (!done && before.test(strings.join("?"))) {
          done = true;
          await tx.execute(Object.assign([change], { raw: [change] }));
        }
        return tx[run](strings, ...values);
      };
    return { query: first("query"), execute: first("execute") } as DbSession;
  };
  return {
    query: db.query.bind(db),
    execute: db.execute.bind(db),
    transaction: (body: (tx: DbSession) => Promise<unknown>, options: object) =>
      db.transaction((tx) => body(racing(tx)), options),
  } as unknown as Db;
}

import type pg from "pg";
import { beginWith, type SessionRules, type SettingsRow } from "./session-settings.ts";

interface Guard {
  rules: SessionRules;
  /** Which settings the server has. */
  known: SettingsRow;
  /** @throws where the transaction differs from the wanted one */
  judge: (row: SettingsRow) => void;
  /** Explains an error of the pooler. */
  explain: (error: unknown) => unknown;
}

type Send = (...args: unknown[]) => Promise<pg.QueryResult | pg.QueryResult[]>;
type Done = (error: unknown, result?: unknown) => void;

/**
 * Makes a client safe behind a pooler, which may give each transaction another session of the server, with the
 * settings that somebody else left there: every transaction begins with our settings, and none of its statements
 * is sent before they were read back. A statement outside of a transaction gets one of its own. It costs two
 * more round trips for such a statement; where nothing lies in between, nobody pays for it.
 */
export function guardTransactions(client: pg.Client, guard: Guard): void {
  const send = client.query.bind(client) as unknown as Send;
  let last: Promise<unknown> = Promise.resolve();
  // One after the other: a statement must not slip into the transaction that another one was given.
  const query = (...args: unknown[]): Promise<unknown> => {
    const own = last.then(() => inTransaction(client, { send, guard, args }));
    last = own.catch(() => undefined);
    return own;
  };
  const guarded = (...args: unknown[]): unknown => {
    const done = args.at(-1);
    if (typeof done !== "function") return query(...args);
    const call = done as Done;
    query(...args.slice(0, -1)).then((result) => call(undefined, result), call);
    return undefined;
  };
  Object.assign(client, { query: guarded });
}

async function inTransaction(
  client: pg.Client,
  { send, guard, args }: { send: Send; guard: Guard; args: unknown[] },
): Promise<unknown> {
  const text = textOf(args[0]);
  const isOutside = client.getTransactionStatus() === "I";
  if (!isOutside || /^\s*(COMMIT|ROLLBACK|END|ABORT)\b/i.test(text)) return send(...args);
  if (/^\s*(BEGIN|START\s+TRANSACTION)\b[^;]*(?:;\s*)?$/i.test(text)) return begin(text);
  await begin("BEGIN");
  try {
    const result = await send(...args);
    await send("COMMIT");
    return result;
  } catch (error) {
    await send("ROLLBACK").catch(() => undefined);
    throw error;
  }

  async function begin(statement: string): Promise<pg.QueryResult | undefined> {
    try {
      const results = await send(beginWith(statement, guard.rules, guard.known));
      const [begun, settings] = Array.isArray(results) ? results : [];
      const row = settings?.rows[0] as SettingsRow | undefined;
      if (row === undefined) throw new Error("the settings of a transaction were not read back");
      guard.judge({
        ...row,
        default_transaction_read_only: row["transaction_read_only"] ?? null,
      });
      return begun;
    } catch (error) {
      // The transaction may be open in the server. Another statement must never run in it.
      await send("ROLLBACK").catch(() => undefined);
      throw guard.explain(error);
    }
  }
}

function textOf(statement: unknown): string {
  if (typeof statement === "string") return statement;
  if (typeof statement === "object" && statement !== null && "text" in statement) {
    return String(statement.text);
  }
  throw new TypeError("a statement without a text cannot be sent through a pooler");
}

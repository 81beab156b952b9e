import type { DbSession } from "../db/client.ts";
import { gatewayDown, paymentsFault, walkList, type Answer } from "../provider/index.ts";
import { hours } from "../support/clock.ts";
import { failed, type RunFault, type Verdict } from "../support/verdict.ts";
import type { EventPorts } from "./ports.ts";

/** Read again each time, for clocks that differ and for records that the provider shows late. */
const OVERLAP_MS = hours(24);

interface ReadList<T> {
  name: "refunds" | "disputes";
  /** Each slice is read as a whole, and then never again but for the overlap. */
  sliceMs: number;
  readPage: (page: {
    fromMs: number;
    toMs: number;
    count: number;
    skip: number;
  }) => Promise<Answer<T[]>>;
  onPage: (items: T[]) => Promise<void>;
  /** False where the next run has to read the slice again. Default: true. */
  isDone?: () => boolean;
}

/**
 * Reads a list of the provider from where the last complete read ended, slice by slice, oldest first. After an outage
 * of any length it begins where it had stopped, so that nothing falls out of a window. A verdict ends the run.
 */
export async function readList<T extends { readonly id: string }>(
  ports: EventPorts,
  { name, sliceMs, readPage, onPage, isDone = () => true }: ReadList<T>,
): Promise<Verdict | undefined> {
  const { db, signal, dryRun, settings } = ports;
  const { untilMs, readUntilMs } = await readPeriod(db, name);
  let fromMs = Math.min(readUntilMs ?? untilMs - settings.lookBackMs, untilMs) - OVERLAP_MS;
  while (fromMs < untilMs) {
    const window = { fromMs, toMs: Math.min(fromMs + sliceMs, untilMs) };
    const walk = await walkList((page) => readPage({ ...window, ...page }), { signal, onPage });
    if (walk.kind === "interrupted") return { kind: "interrupted" };
    if (walk.kind === "unusable") return failed(faultOf(name, walk.answer));
    if (!dryRun && isDone()) await noteRead(ports, name, window.toMs);
    fromMs = window.toMs;
  }
  return undefined;
}

/** By the database's clock: a machine whose own is days ahead would note days as read that lie ahead. */
async function readPeriod(
  db: DbSession,
  name: string,
): Promise<{ untilMs: number; readUntilMs: number | null }> {
  const [row] = await db.query<{ untilMs: number; readUntilMs: number | null }[]>`
    SELECT (extract(epoch FROM now()) * 1000)::float8 AS "untilMs",
           (SELECT (extract(epoch FROM read_until) * 1000)::float8 FROM provider_lists WHERE name = ${name})
             AS "readUntilMs"`;
  if (!row) throw new Error("a query without a table gave no row");
  return row;
}

/** Never back: a run that woke up late has read less than the one after it. */
async function noteRead({ db, lease }: EventPorts, name: string, untilMs: number): Promise<void> {
  lease.assertTrusted();
  await db.execute`
    INSERT INTO provider_lists (name, read_until) VALUES (${name}, ${new Date(untilMs)})
    ON CONFLICT (name) DO UPDATE SET read_until = GREATEST(provider_lists.read_until, EXCLUDED.read_until)`;
}

function faultOf(name: string, answer: Exclude<Answer<unknown>, { kind: "accepted" }>): RunFault {
  switch (answer.kind) {
    case "systemic":
      return paymentsFault(answer.fault, answer.detail);
    case "unknown":
      return gatewayDown;
    case "refused":
      return {
        code: "list-refused",
        message: `The provider refuses to list ${name} (${answer.failure.code}): ${answer.failure.description}`,
        remedy:
          "Ask the provider's support whether the key may read them. The next run begins where the last complete read ended.",
      };
  }
}

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
  const { db, signal, dryRun, settings, clock } = ports;
  const untilMs = clock.now().getTime();
  const readUntilMs = (await readUntil(db, name)) ?? untilMs - settings.lookBackMs;
  let fromMs = Math.min(readUntilMs, untilMs) - OVERLAP_MS;
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

async function readUntil(db: DbSession, name: string): Promise<number | undefined> {
  const [row] = await db.query<{ readUntil: Date }[]>`
    SELECT read_until AS "readUntil" FROM provider_lists WHERE name = ${name}`;
  return row?.readUntil.getTime();
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

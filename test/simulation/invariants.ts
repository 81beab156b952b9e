import type { CallRecord } from "../../scripts/sandbox/razorpay/index.ts";
import { checkMoneyInvariants } from "../support/money-invariants.ts";
import { changesAfter, type Change } from "./history.ts";
import type { FinishedRun } from "./moments.ts";
import type { World } from "./world.ts";

/**
 * M1 to M15, and where each is checked:
 *
 * - M1 (one obligation, at most one live payout): `paidOnce`, and `checkMoneyInvariants`.
 * - M2 (the attempt is committed before its request leaves): at the sending, `checkBeforeSending`.
 * - M3 (the same key, the same bytes): `sameBytesForAKey`.
 * - M4 (attempt n+1 only after the provider's word on attempt n): at the sending, by the provider's list.
 * - M5 (only along the graph): `alongTheGraph`, from what the database itself wrote down.
 * - M6 (accepted and not recorded stays in processing): `acceptedStaysHeld`.
 * - M7 (net + tax = amount; the books balance and never change): `checkMoneyInvariants`, `booksOnlyGrow`.
 * - M8 (a year's tax never falls but by a reversal): `taxNeverFalls`.
 * - M9 (caps): at the sending, over all that the run has sent.
 * - M10 (a dry run changes nothing) and M11 (a second run changes nothing): twice.ts.
 * - M12 (killed and run again): runs are killed at any call; the end of the story is that of any other, end.ts.
 * - M13 (nothing after the lease): at the sending for requests, `nothingAfterTheLease` for rows.
 * - M14 (one bad row stops no other): `everybodyWasLookedAt`, an error without a cause, and end.ts.
 * - M15 (every payout at the provider has its row, and back): `checkMoneyInvariants`.
 */
export async function checkInvariants(
  world: World,
  memory: Memory,
  runs: readonly FinishedRun[],
): Promise<void> {
  const violations = world.violations.splice(0);
  const changes = await changesAfter(world.arena.database, memory.lastChange);
  memory.lastChange = changes.at(-1)?.id ?? memory.lastChange;
  violations.push(
    ...sameBytesForAKey(world.arena.sandbox.calls()),
    ...alongTheGraph(changes),
    ...(await paidOnce(world)),
    ...(await acceptedStaysHeld(world)),
    ...(await taxNeverFalls(world, memory)),
    ...(await booksOnlyGrow(world, memory)),
    ...nothingAfterTheLease(runs, changes),
    ...(await everybodyWasLookedAt(world, memory, runs)),
  );
  if (violations.length > 0) throw new Error(violations.join("\n"));
  await checkMoneyInvariants(world.arena.database, world.arena.sandbox);
}

/** What was seen at the last check. */
export interface Memory {
  lastChange: bigint;
  /** Tax deducted so far by consultant and year, reversals left out. */
  deducted: Map<string, bigint>;
  books: { upTo: bigint; digest: string };
  /** Payouts that were due before the moment. */
  due: readonly string[];
}

export function emptyMemory(): Memory {
  return { lastChange: 0n, deducted: new Map(), books: { upTo: 0n, digest: "" }, due: [] };
}

function sameBytesForAKey(calls: readonly CallRecord[]): string[] {
  const hashes = new Map<string, string | null>();
  return calls.flatMap(({ idempotency_key: key, body_sha256: hash }) => {
    if (key === null || hash === null) return [];
    const first = hashes.get(key) ?? hash;
    hashes.set(key, first);
    return first === hash ? [] : [`M3: the key ${key} was sent with other bytes`];
  });
}

/** As docs/payout-life.md draws it. An organization's payout waits as PENDING and needs no approval. */
const GRAPH: ReadonlySet<string> = new Set([
  "payout PENDING>APPROVED",
  "payout PENDING>REJECTED",
  "payout APPROVED>REJECTED",
  "payout APPROVED>PROCESSING",
  "payout PENDING>PROCESSING",
  "payout PROCESSING>PROCESSING",
  "payout PROCESSING>APPROVED",
  "payout PROCESSING>PENDING",
  "payout PROCESSING>COMPLETED",
  "payout PROCESSING>FAILED",
  "payout FAILED>APPROVED",
  "payout FAILED>PENDING",
  "payout COMPLETED>REVERSED",
  "attempt null>PREPARED",
  ...["ACCEPTED", "PROCESSED", "REFUSED", "FAILED", "UNKNOWN"].map(
    (to) => `attempt PREPARED>${to}`,
  ),
  ...["ACCEPTED", "PROCESSED", "REFUSED", "FAILED"].map((to) => `attempt UNKNOWN>${to}`),
  ...["ACCEPTED", "PROCESSED", "FAILED"].map((to) => `attempt ACCEPTED>${to}`),
  "attempt PROCESSED>REVERSED",
]);

function alongTheGraph(changes: readonly Change[]): string[] {
  return changes
    .filter(({ subject, was, became }) => !(subject === "attempt" && was === became))
    .map(({ subject, was, became }) => `${subject} ${was ?? "null"}>${became}`)
    .filter((step) => !GRAPH.has(step))
    .map((step) => `M5: ${step} is not on the graph`);
}

/** An earning may have been in several payouts, one after the other; the provider pays it in one. */
async function paidOnce({ arena }: World): Promise<string[]> {
  const alive = arena.sandbox
    .payouts()
    .filter(({ live }) => live)
    .map(({ reference_id }) => reference_id);
  const rows = await arena.database.query<{ reference: string; count: bigint }>(
    `SELECT earning.booking_reference AS reference, count(*) AS count
     FROM payout_attempts AS attempt
     JOIN payout_items AS item ON item.payout_id = attempt.payout_id
     JOIN earnings AS earning ON earning.id = item.earning_id
     WHERE attempt.reference_id = ANY($1) GROUP BY 1 HAVING count(*) > 1`,
    [alive],
    { prepared: true },
  );
  return rows.map(({ reference, count }) => `M1: ${reference} is paid ${count} times`);
}

async function acceptedStaysHeld({ arena }: World): Promise<string[]> {
  const alive = arena.sandbox
    .payouts()
    .filter(({ live }) => live)
    .map(({ reference_id }) => reference_id);
  const rows = await arena.database.query<{ status: string; state: string }>(
    `SELECT payout.status::text AS status, attempt.state::text AS state
     FROM payout_attempts AS attempt JOIN payouts AS payout ON payout.id = attempt.payout_id
     WHERE attempt.reference_id = ANY($1) AND (payout.status NOT IN ('PROCESSING', 'COMPLETED') OR EXISTS (
       SELECT 1 FROM payout_items AS item JOIN earnings AS earning ON earning.id = item.earning_id
       WHERE item.payout_id = payout.id AND (item.released_at IS NOT NULL OR earning.status = 'READY')))`,
    [alive],
    { prepared: true },
  );
  return rows.map(
    ({ status, state }) =>
      `M6: alive at the provider, and here ${status} (attempt ${state}) or its earnings released`,
  );
}

async function taxNeverFalls({ arena }: World, { deducted }: Memory): Promise<string[]> {
  const negative = await arena.database.query(
    `SELECT 1 FROM (
       SELECT sum(tax_paise) OVER (PARTITION BY consultant_id, fiscal_year ORDER BY sequence) AS running,
              tax_paise < 0 AND reverses_id IS NULL AS falls
       FROM tax_deductions) AS line
     WHERE running < 0 OR falls`,
    [],
    { prepared: true },
  );
  const violations = negative.map(() => "M8: a year's tax fell without a reversal, or below zero");
  const rows = await arena.database.query<{ of: string; paise: bigint }>(
    `SELECT consultant_id || ' ' || fiscal_year AS of, sum(tax_paise)::bigint AS paise
     FROM tax_deductions WHERE reverses_id IS NULL GROUP BY 1`,
    [],
    { prepared: true },
  );
  for (const { of, paise } of rows) {
    if (paise < (deducted.get(of) ?? 0n))
      violations.push(`M8: tax deducted in a year fell to ${paise}`);
    deducted.set(of, paise);
  }
  return violations;
}

async function booksOnlyGrow({ arena }: World, memory: Memory): Promise<string[]> {
  const digest = async (upTo: bigint): Promise<string> => {
    const [row] = await arena.database.query<{ digest: string | null }>(
      `SELECT md5(string_agg(concat_ws(' ', entry.*, booking.key), ',' ORDER BY entry.id)) AS digest
       FROM ledger_entries AS entry JOIN ledger_transactions AS booking ON booking.id = entry.transaction_id
       WHERE entry.id <= $1`,
      [upTo],
      { prepared: true },
    );
    return row?.digest ?? "";
  };
  const { books } = memory;
  const isSame = (await digest(books.upTo)) === books.digest;
  const [newest] = await arena.database.query<{ id: bigint | null }>(
    "SELECT max(id) AS id FROM ledger_entries",
    [],
    { prepared: true },
  );
  const upTo = newest?.id ?? 0n;
  memory.books = { upTo, digest: await digest(upTo) };
  return isSame ? [] : ["M7: what stood in the books has changed"];
}

function nothingAfterTheLease(runs: readonly FinishedRun[], changes: readonly Change[]): string[] {
  return runs.flatMap(({ process: { name, runId, leaseLost } }) => {
    if (leaseLost === undefined) return [];
    const begun = changes.filter(
      ({ id, subject, was, became, runId: by }) =>
        id > leaseLost.afterChange &&
        by === runId &&
        ((subject === "payout" && became === "PROCESSING") ||
          (subject === "attempt" && was === null)),
    );
    const steps = new Set(begun.map(({ madeIn }) => madeIn)).size;
    return steps > leaseLost.inHand
      ? [
          `M13: ${name} began ${steps} steps after its lease was lost, ${leaseLost.inHand} were in hand`,
        ]
      : [];
  });
}

/** A pay run that went to its end has paid, refused or named each payout that was due. */
async function everybodyWasLookedAt(
  { arena }: World,
  memory: Memory,
  runs: readonly FinishedRun[],
): Promise<string[]> {
  const due = await arena.database.query<{ id: string }>(
    `SELECT id FROM payouts WHERE status = 'APPROVED' AND tries < 3
       OR (status = 'PENDING' AND organization_id IS NOT NULL AND tries < 3) ORDER BY id`,
    [],
    { prepared: true },
  );
  const before = memory.due;
  memory.due = due.map(({ id }) => id);
  const [only, ...others] = runs;
  if (only?.end?.pay === undefined || others.length > 0 || only.options.dryRun) return [];
  const { verdict, pay } = only.end;
  if ((verdict?.kind !== "completed" && verdict?.kind !== "partial") || only.options.limit)
    return [];
  const named = new Set([...pay.items, ...pay.organizations.items].map(({ payoutId }) => payoutId));
  return memory.due
    .filter((id) => before.includes(id) && !named.has(id))
    .map(() => `M14: ${only.process.name} passed over a payout and did not say so`);
}

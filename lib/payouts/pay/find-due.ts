import type { Paise } from "../../support/money.ts";
import { ABOVE_SINGLE_CAP, aboveSingleCap } from "./caps.ts";
import { abandonedClaims, dueAbove, dueAfter, summariseDue, type DueCursor } from "../state/due.ts";
import type { PayeeKind } from "../state/kind.ts";
import type { PayoutPorts } from "./ports.ts";
import { countItem, type PayoutCounts } from "./report.ts";
import type { DueItem } from "./run.ts";

/** Due payouts read at a time. */
const PAGE = 500;

/** The due work of one kind, as its caps see it. */
export interface Found {
  kind: PayeeKind;
  /** With those that are abandoned. */
  count: number;
  totalPaise: Paise;
  abandoned: readonly DueItem[];
}

/** Counts the due payouts of one kind, without loading them, and reads those that dead runs have left. */
export async function find(
  { db, runId, lease, settings }: Pick<PayoutPorts, "db" | "runId" | "lease" | "settings">,
  { kind, limit }: { kind: PayeeKind; limit: number },
): Promise<Found> {
  const mostPaise = settings.caps.singlePaise;
  const abandoned = await abandonedClaims(db, { kind, runId, fence: lease.fence, limit });
  const due = await summariseDue(db, { kind, limit: limit - abandoned.length, mostPaise });
  return {
    kind,
    abandoned,
    count: abandoned.length + due.count,
    // A payout above its cap is released and never sent.
    totalPaise: abandoned.reduce(
      (paise, { amountPaise }) => (amountPaise > mostPaise ? paise : paise + amountPaise),
      due.totalPaise,
    ),
  };
}

/** The caps are for the run: both kinds count. */
export function together(found: readonly Found[]): Pick<Found, "count" | "totalPaise"> {
  return {
    count: sum(found.map(({ count }) => count)),
    totalPaise: found.reduce((paise, { totalPaise }) => paise + totalPaise, 0n),
  };
}

/** A payout that is larger than any may be stops itself alone: it is named and waits, and the others are paid. */
export async function countAboveCap(
  { db, settings: { caps }, log }: PayoutPorts,
  kind: PayeeKind,
  counts: PayoutCounts,
): Promise<void> {
  for (const payout of await dueAbove(db, { kind, mostPaise: caps.singlePaise })) {
    const message = aboveSingleCap(payout, caps) ?? "";
    counts.found++;
    countItem(counts, { payoutId: payout.id, outcome: "skipped", code: ABOVE_SINGLE_CAP, message });
    log.warn({ payoutId: payout.id, code: ABOVE_SINGLE_CAP }, message);
  }
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * Of each kind abandoned claims first, they waited longest; then due payouts, page by page. An abandoned claim
 * that this run returned is due again. The next run sends it: here it would take the place of another payout.
 */
export async function* dueItems(
  { db, settings }: Pick<PayoutPorts, "db" | "settings">,
  found: readonly Found[],
): AsyncGenerator<DueItem> {
  for (const { kind, abandoned, count } of found) {
    yield* abandoned;
    const takenOver = new Set(abandoned.map(({ id }) => id));
    let cursor: DueCursor | undefined;
    for (let left = count - abandoned.length; left > 0;) {
      const page = await dueAfter(db, {
        kind,
        cursor,
        count: Math.min(PAGE, left),
        mostPaise: settings.caps.singlePaise,
      });
      const unseen = page.filter(({ id }) => !takenOver.has(id));
      yield* unseen;
      cursor = page.at(-1);
      // Claimed by another run meanwhile: less is left than was counted.
      if (cursor === undefined) break;
      left -= unseen.length;
    }
  }
}

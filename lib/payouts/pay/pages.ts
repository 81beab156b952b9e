import type { DueItem } from "./run.ts";

/** Payouts that wait for another payout of the same person; the rest stays in the database. */
const MOST_ASIDE = 500;

/** Due payouts in pages, of which each has one payout of a person. */
export interface Pages {
  /** The next page; empty while all payouts that are left wait for others of their persons. */
  next(most: number): Promise<DueItem[]>;
  /** Lets the next payout of the person pass. */
  ended(payout: DueItem): void;
  /** Whether every payout has been in a page. */
  readonly isDone: boolean;
}

/**
 * One payout of a person is under way at a time, also with several codes of one PAN. The next one is then taxed
 * on a year that counts the one before unless that was refused, and finds the contact that it made.
 */
export function createPages(source: AsyncGenerator<DueItem>): Pages {
  const underWay = new Set<string>();
  let aside: DueItem[] = [];
  let isRead = false;

  return {
    get isDone() {
      return isRead && aside.length === 0;
    },
    ended: ({ taxpayerId }) => void underWay.delete(taxpayerId),
    next: async (most) => {
      const page: DueItem[] = [];
      const stillAside: DueItem[] = [];
      const busy = new Set(underWay);
      const take = (payout: DueItem): void => {
        const isFree = page.length < most && !busy.has(payout.taxpayerId);
        // A later payout of this person must not pass an earlier one.
        busy.add(payout.taxpayerId);
        (isFree ? page : stillAside).push(payout);
      };
      aside.forEach(take);
      aside = stillAside;
      while (!isRead && page.length < most && stillAside.length < MOST_ASIDE) {
        const next = await source.next();
        if (next.done === true) isRead = true;
        else take(next.value);
      }
      for (const { taxpayerId } of page) underWay.add(taxpayerId);
      return page;
    },
  };
}

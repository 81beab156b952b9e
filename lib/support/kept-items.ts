/** The items that a report keeps, and how many it only counts. */
export interface KeptItems<Item> {
  items: Item[];
  itemsLeftOut: number;
}

/** More would make a run record that nobody reads. */
const MOST_ITEMS = 1000;

/**
 * Keeps an item while there is room. A full list drops the item that needs the least attention: a thousand
 * successes never push out a failure.
 *
 * @param rank 0 for the most urgent items; a higher number needs less attention.
 */
export function keepItem<Item>(
  kept: KeptItems<Item>,
  item: Item,
  { rank, most = MOST_ITEMS }: { rank: (item: Item) => number; most?: number },
): void {
  if (kept.items.length < most) {
    kept.items.push(item);
    return;
  }
  kept.itemsLeftOut++;
  const least = leastUrgent(kept.items, rank);
  const replaced = kept.items[least];
  if (replaced === undefined || rank(replaced) <= rank(item)) return;
  kept.items.splice(least, 1);
  kept.items.push(item);
}

/** Sorts the most urgent items first; equal items keep their order. */
export function mostUrgentFirst<Item>(
  items: readonly Item[],
  rank: (item: Item) => number,
): readonly Item[] {
  return items.toSorted((one, other) => rank(one) - rank(other));
}

/** The last of those that need the least attention. */
function leastUrgent<Item>(items: readonly Item[], rank: (item: Item) => number): number {
  let least = -1;
  let highest = -Infinity;
  for (const [index, item] of items.entries()) {
    const own = rank(item);
    if (own < highest) continue;
    highest = own;
    least = index;
  }
  return least;
}

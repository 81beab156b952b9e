/** The items that a report keeps, and how many it only counts. */
export interface KeptItems<Item> {
  items: Item[];
  itemsLeftOut: number;
}

/** More would make a run record that nobody reads. */
const MOST_ITEMS = 1000;

/**
 * Keeps an item while there is room. In a full list it replaces one that needs less attention: a thousand items
 * that went well never push out the one that did not.
 *
 * @param rank 0 for what needs a look first; a higher number needs less attention.
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

/** What needs a look comes first; among equals the order stays. */
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

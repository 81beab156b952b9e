import { insufficientFunds, shortPaise, type Funds } from "../state/funds.ts";
import type { DueItem } from "./run.ts";
import type { RunFault } from "../../support/verdict.ts";

/** The due payouts that the balance can pay. */
export interface Funded {
  items: AsyncGenerator<DueItem>;
  /** Why the rest was not begun; undefined as long as nothing had to be left out. */
  shortage: RunFault | undefined;
}

/** The oldest payouts that the balance pays for, with their fees; all of them where it is not known. */
export function funded(items: AsyncGenerator<DueItem>, funds: Funds): Funded {
  if (shortPaise(funds) === 0n) return { items, shortage: undefined };
  const result: Funded = { items: whileFunded(), shortage: undefined };
  return result;

  async function* whileFunded(): AsyncGenerator<DueItem> {
    let left = funds.balancePaise ?? 0n;
    for await (const item of items) {
      left -= item.amountPaise + funds.feePaise;
      if (left < 0n) {
        result.shortage = insufficientFunds(funds);
        return;
      }
      yield item;
    }
  }
}

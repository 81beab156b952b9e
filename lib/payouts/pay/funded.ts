import { insufficientFunds, shortPaise, type Funds } from "../state/funds.ts";
import type { Unit } from "./unit.ts";
import type { RunFault } from "../../support/verdict.ts";

/** The due payouts that the balance can pay. */
export interface Funded {
  units: AsyncGenerator<Unit>;
  /** Why the rest was not begun; undefined as long as nothing had to be left out. */
  shortage: RunFault | undefined;
}

/** The oldest payouts that the balance pays for, with their fees; all of them where it is not known. */
export function funded(units: AsyncGenerator<Unit>, funds: Funds): Funded {
  if (shortPaise(funds) === 0n) return { units, shortage: undefined };
  const result: Funded = { units: whileFunded(), shortage: undefined };
  return result;

  async function* whileFunded(): AsyncGenerator<Unit> {
    let left = funds.balancePaise ?? 0n;
    for await (const unit of units) {
      left -= unit.amountPaise + funds.feePaise;
      if (left < 0n) {
        result.shortage = insufficientFunds(funds);
        return;
      }
      yield unit;
    }
  }
}

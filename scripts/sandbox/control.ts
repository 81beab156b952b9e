import type { AccountSummary } from "./account.ts";
import type { CallLog, CallRecord } from "./calls.ts";
import type { FaultPlan, RemainingFault } from "./fault-plan.ts";
import type { Fault } from "./faults.ts";
import { parseFaults } from "./faults.ts";
import type { PayoutRecord } from "./payout-json.ts";
import { payoutRecord } from "./payout-json.ts";
import type { PayoutState } from "./states.ts";
import type { World } from "./world.ts";

/**
 * What a test or a person may do behind the API's back. None of it lets time pass: a payout that is due
 * to settle does so when the API is asked, not when this is.
 */
export interface SandboxControl {
  /** Every payout ever accepted, oldest first. */
  payouts(): PayoutRecord[];
  /** The calls received, oldest first; the last 100,000. */
  calls(): CallRecord[];
  /** How many calls there ever were. */
  callCount(): number;
  /** Throws `InvalidFault` and adds none when one of them is wrong. */
  addFaults(faults: Fault | readonly Fault[]): void;
  faults(): RemainingFault[];
  clearFaults(): void;
  account(): AccountSummary;
  /** Sets the balance or adds to it, in paise, then starts what waits in the low-balance queue. */
  changeBalance(change: BalanceChange): AccountSummary;
  /** Throws `IllegalTransition`, or an Error for an unknown id or a balance that is too low. */
  movePayout(id: string, to: { status: PayoutState; reason?: string }): PayoutRecord;
  /** Back to the start: no contact, payout, key, fault or call, and the opening balance. */
  reset(): void;
}

export type BalanceChange = { balancePaise: number } | { addPaise: number };

/** The parts of a running sandbox; `reset` replaces the world and the call log. */
export interface SandboxState {
  world: World;
  calls: CallLog;
  readonly faults: FaultPlan;
  readonly renew: () => Pick<SandboxState, "world" | "calls">;
}

export function createControl(state: SandboxState): SandboxControl {
  return {
    payouts: () => state.world.payouts.all().map(payoutRecord),
    calls: () => state.calls.list(),
    callCount: () => state.calls.total(),
    addFaults: (faults) => state.faults.add(parseFaults(faults)),
    faults: () => state.faults.remaining(),
    clearFaults: () => state.faults.clear(),
    account: () => state.world.account.summary(),
    changeBalance(change) {
      const { world } = state;
      applyBalanceChange(world, change);
      world.payouts.runLowBalanceQueue();
      return world.account.summary();
    },
    movePayout(id, { status, reason }) {
      const payout = state.world.payouts.get(id);
      if (!payout) throw new Error(`there is no payout ${id}`);
      state.world.payouts.move(payout, status, reason);
      return payoutRecord(payout);
    },
    reset() {
      state.faults.clear();
      Object.assign(state, state.renew());
    },
  };
}

function applyBalanceChange({ account, settings }: World, change: BalanceChange): void {
  const { balancePaise } = account.summary();
  const wantedPaise =
    "balancePaise" in change ? change.balancePaise : balancePaise + change.addPaise;
  if (!Number.isSafeInteger(wantedPaise) || wantedPaise < 0)
    throw new RangeError("a balance is a whole number of paise, zero or more");
  const addedPaise = wantedPaise - balancePaise;
  if (addedPaise > 0) {
    const id = settings.ids.next("bt");
    account.credit(addedPaise, () => ({ id, entity: "bank_transfer", amount: addedPaise }));
  }
  if (addedPaise < 0) {
    const id = settings.ids.next("adj");
    account.debit(-addedPaise, () => ({ id, entity: "adjustment", amount: -addedPaise }));
  }
}

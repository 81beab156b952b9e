import type { AccountSummary } from "./account.ts";
import type { CheckoutControl } from "./checkout-control.ts";
import { createCheckoutControl } from "./checkout-control.ts";
import type { BalanceChange } from "./control-balance.ts";
import { changeBalance } from "./control-balance.ts";
import type { CallLog, CallRecord } from "./calls.ts";
import { parseContact } from "./contacts.ts";
import type { FaultPlan, RemainingFault } from "./fault-plan.ts";
import type { Fault } from "./faults.ts";
import { parseFaults } from "./faults.ts";
import { parseFundAccountDetails } from "./fund-accounts.ts";
import type { PayoutRecord } from "./payout-json.ts";
import { payoutRecord } from "./payout-json.ts";
import type { PayoutState } from "./states.ts";
import type { World } from "./world.ts";

/**
 * Actions of a test or a person outside of the API. None of them lets time pass: a payout or refund that is due
 * to settle does so when the API is asked.
 */
export interface SandboxControl extends CheckoutControl {
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
  /** A contact with one bank account, as if they had been made through the API before. */
  registerPayee(payee: { name: string; accountNumber: string }): {
    contactId: string;
    fundAccountId: string;
  };
  account(): AccountSummary;
  /** Sets the balance or adds to it, in paise, then starts payouts of the low-balance queue. */
  changeBalance(change: BalanceChange): AccountSummary;
  /** Of a current account: the daily payout of fees. Throws when none are due. */
  collectFees(): PayoutRecord;
  /** Throws `IllegalTransition`, or an Error for an unknown id or a balance that is too low. */
  movePayout(id: string, to: { status: PayoutState; reason?: string }): PayoutRecord;
  /** Back to the start: no record, key, fault or call, and the opening balance. */
  reset(): void;
}

/** The parts of a running sandbox; `reset` replaces the world and the call log. */
export interface SandboxState {
  world: World;
  calls: CallLog;
  readonly faults: FaultPlan;
  readonly renew: () => Pick<SandboxState, "world" | "calls">;
}

export function createControl(state: SandboxState): SandboxControl {
  return {
    ...createCheckoutControl(state),
    payouts: () => state.world.payouts.all().map(payoutRecord),
    calls: () => state.calls.list(),
    callCount: () => state.calls.total(),
    addFaults: (faults) => state.faults.add(parseFaults(faults)),
    faults: () => state.faults.remaining(),
    clearFaults: () => state.faults.clear(),
    registerPayee({ name, accountNumber }) {
      const { contacts, fundAccounts } = state.world;
      const contact = contacts.create(parseContact({ name, type: "vendor" }));
      const bank_account = { name, ifsc: "HDFC0001220", account_number: accountNumber };
      const account = { account_type: "bank_account", bank_account };
      const { id } = fundAccounts.create(contact, parseFundAccountDetails(account));
      return { contactId: contact.id, fundAccountId: id };
    },
    account: () => state.world.account.summary(),
    changeBalance(change) {
      const { world } = state;
      changeBalance(world.account, change, world.settings.ids);
      world.payouts.runLowBalanceQueue();
      return world.account.summary();
    },
    collectFees() {
      const payout = state.world.payouts.collectFees();
      if (!payout) throw new Error("no fees are due, or it is a Lite account");
      return payoutRecord(payout);
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

import type { Clock } from "../../../lib/support/clock.ts";
import type { Account } from "./account.ts";
import { invalid } from "./errors.ts";
import { chargesFor } from "./fees.ts";
import type { FundAccount } from "./fund-accounts.ts";
import type { Ids } from "./ids.ts";
import type { Payout, PayoutBook, Settlement } from "./payout-book.ts";
import { createPayoutBook } from "./payout-book.ts";
import type { PayoutRequest } from "./payout-request.ts";
import type { PayoutState } from "./states.ts";
import { IllegalTransition, isMoneyOut, nextStates, pathTo } from "./states.ts";
import { statusDetailsFor } from "./status-details.ts";
import { payoutSource, reversalSource } from "./transaction-sources.ts";

/** How a new payout departs from the usual course. */
export interface Course {
  /** Answer in this state instead of `processing` (or `queued` on low balance). */
  initialState?: PayoutState;
  initialReason?: string;
  /** Behave as if the balance did not cover this payout. */
  lowBalance?: boolean;
  settlement?: Settlement;
  oldDetails?: boolean;
  noMode?: boolean;
}

export interface Payouts extends Pick<PayoutBook, "get" | "all" | "list"> {
  /**
   * Takes up a request: `processing`, or `queued` when the balance does not cover it and the request
   * allows that. Throws a `Refusal` (insufficient_funds) otherwise, and then nothing has changed.
   */
  create(order: { request: PayoutRequest; idempotencyKey: string; course: Course }): Payout;
  /** Throws `IllegalTransition`, or an Error when the balance does not cover a move to processing. */
  move(payout: Payout, to: PayoutState, reason?: string): void;
  /** Settles every payout that has been in `processing` for the settlement time. */
  settleDue(): void;
  /** Starts payouts that the balance now covers: first in first out, skipping those that exceed it. */
  runLowBalanceQueue(): void;
  /** Of a current account: pays the provider's fees since the last time. Undefined when none are due. */
  collectFees(): Payout | undefined;
}

export function createPayouts(options: {
  account: Account;
  clock: Clock;
  ids: Ids;
  settleAfterMs: number;
  /** Default `lite`. */
  accountKind?: "lite" | "current";
  /** The account to which the provider pays its fees. */
  feesPayee?: () => FundAccount;
}): Payouts {
  const { account, clock, ids, settleAfterMs, accountKind = "lite", feesPayee } = options;
  const feesApart = accountKind === "current";
  let feesDuePaise = 0;
  const book = createPayoutBook();
  const lowBalanceQueue = new Set<Payout>();
  /** In order of time, because the settlement time is the same for all. */
  let unsettled: { payout: Payout; dueAtMs: number }[] = [];
  let firstUnsettled = 0;

  function newPayout(
    request: PayoutRequest,
    { idempotencyKey, state, ...course }: Course & { idempotencyKey: string; state: PayoutState },
  ): Payout {
    return {
      id: ids.next("pout"),
      request,
      idempotencyKey,
      createdAtSeconds: Math.floor(clock.now().getTime() / 1000),
      settlement: course.settlement ?? { endState: "processed" },
      oldDetails: course.oldDetails ?? false,
      noMode: course.noMode ?? false,
      history: [],
      state,
      statusDetails: null,
      utr: null,
      feesPaise: 0,
      taxPaise: 0,
    };
  }

  function create(order: Parameters<Payouts["create"]>[0]): Payout {
    const { request, idempotencyKey, course } = order;
    const [firstState, ...laterStates] = pathTo(stateToAnswer(course, request));
    const payout = newPayout(request, { ...course, idempotencyKey, state: firstState });
    book.add(payout);
    enter(payout, firstState, laterStates.length === 0 ? course.initialReason : undefined);
    for (const [index, state] of laterStates.entries())
      move(payout, state, index === laterStates.length - 1 ? course.initialReason : undefined);
    return payout;
  }

  /** The state in which the request is answered, or a `Refusal` when the balance forbids it. */
  function stateToAnswer(course: Course, request: PayoutRequest): PayoutState {
    const isRejected = course.settlement?.endState === "rejected";
    const wanted = course.initialState ?? (isRejected ? "pending" : "processing");
    const isCovered = !course.lowBalance && account.covers(leavesPaise(request));
    if (isCovered || !pathTo(wanted).some(isMoneyOut)) return wanted;
    if (request.queueIfLowBalance) return "queued";
    throw invalid(
      "amount",
      "The balance of the account does not cover amount and fees.",
      "insufficient_funds",
    );
  }

  function move(payout: Payout, to: PayoutState, reason?: string): void {
    const from = payout.state;
    if (!nextStates(from).includes(to)) throw new IllegalTransition(payout.id, from, to);
    if (isMoneyOut(to) && !isMoneyOut(from) && !account.covers(leavesPaise(payout.request)))
      throw new Error(`the balance does not cover payout ${payout.id}: add money first`);
    enter(payout, to, reason, from);
  }

  function enter(payout: Payout, to: PayoutState, reason?: string, from?: PayoutState): void {
    const wasOut = from !== undefined && isMoneyOut(from);
    payout.state = to;
    payout.statusDetails = statusDetailsFor(to, reason);
    payout.history.push({
      state: to,
      at: clock.now(),
      reason: payout.statusDetails?.reason ?? null,
    });
    if (to === "processing") startProcessing(payout);
    if (to === "pending" && payout.settlement.endState === "rejected") settleLater(payout);
    if (to === "processed") payout.utr = ids.utr();
    if (to === "queued" && payout.statusDetails?.reason === "low_balance")
      lowBalanceQueue.add(payout);
    else lowBalanceQueue.delete(payout);
    if (wasOut && !isMoneyOut(to)) returnMoney(payout);
  }

  /** The amount, and of a Lite account the charges on top of it. */
  function leavesPaise(request: PayoutRequest): number {
    return request.amountPaise + (feesApart ? 0 : chargesFor(request.mode).feesPaise);
  }

  function collectFees(): Payout | undefined {
    if (feesDuePaise <= 0 || !feesPayee) return undefined;
    const request: PayoutRequest = {
      fundAccount: feesPayee(),
      amountPaise: feesDuePaise,
      mode: "NEFT",
      purpose: "rzp_fees",
      queueIfLowBalance: false,
      referenceId: null,
      narration: "Fees",
      notes: {},
    };
    const payout = newPayout(request, { idempotencyKey: "", state: "processed" });
    payout.utr = ids.utr();
    book.add(payout);
    account.debit(feesDuePaise, () => payoutSource(payout));
    feesDuePaise = 0;
    return payout;
  }

  function startProcessing(payout: Payout): void {
    const { feesPaise, taxPaise } = chargesFor(payout.request.mode);
    payout.feesPaise = feesPaise;
    payout.taxPaise = taxPaise;
    account.debit(leavesPaise(payout.request), () => payoutSource(payout));
    if (feesApart) feesDuePaise += feesPaise;
    if (payout.settlement.endState !== "processing") settleLater(payout);
  }

  function settleLater(payout: Payout): void {
    unsettled.push({ payout, dueAtMs: clock.now().getTime() + settleAfterMs });
  }

  function returnMoney(payout: Payout): void {
    const id = ids.next("rvrsl");
    account.credit(leavesPaise(payout.request), () => reversalSource(id, payout));
    if (feesApart) feesDuePaise -= payout.feesPaise;
    runLowBalanceQueue();
  }

  function runLowBalanceQueue(): void {
    for (const payout of lowBalanceQueue)
      if (account.covers(leavesPaise(payout.request))) move(payout, "processing");
  }

  function settleDue(): void {
    const nowMs = clock.now().getTime();
    for (;;) {
      const next = unsettled[firstUnsettled];
      if (!next || next.dueAtMs > nowMs) break;
      firstUnsettled++;
      const { payout } = next;
      // Somebody may have moved it by hand in the meantime.
      const { endState, reason } = payout.settlement;
      const from = endState === "rejected" ? "pending" : "processing";
      if (payout.state === from) move(payout, endState, reason);
    }
    if (firstUnsettled > 1000 && firstUnsettled * 2 > unsettled.length) {
      unsettled = unsettled.slice(firstUnsettled);
      firstUnsettled = 0;
    }
  }

  return {
    create,
    get: (id) => book.get(id),
    all: () => book.all(),
    list: (filter, page) => book.list(filter, page),
    move,
    settleDue,
    runLowBalanceQueue,
    collectFees,
  };
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PayoutState, Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import { IllegalTransition, PAYOUT_STATES } from "../../../scripts/sandbox/razorpay/index.ts";
import { addBankAccount, call, idOf, openSandbox, pay } from "./support.ts";

/** The documented graph, written down a second time so that the sandbox's own copy is tested. */
const DOCUMENTED: Record<PayoutState, PayoutState[]> = {
  pending: ["queued", "scheduled", "processing", "rejected"],
  queued: ["processing", "cancelled", "failed"],
  scheduled: ["processing", "cancelled", "failed"],
  processing: ["processed", "reversed", "failed"],
  processed: ["reversed"],
  reversed: ["failed"],
  failed: ["reversed"],
  rejected: [],
  cancelled: [],
};

async function payoutIn(sandbox: Sandbox, state: PayoutState): Promise<string> {
  sandbox.addFaults({ on: "POST /payouts", initialState: state });
  const created = await pay(sandbox, await addBankAccount(sandbox));
  expect(created.body["status"]).toBe(state);
  return idOf(created);
}

describe("the state graph", () => {
  it.each(PAYOUT_STATES)("lets %s move as documented and in no other way", async (from) => {
    const sandbox = await openSandbox();
    for (const to of PAYOUT_STATES) {
      const id = await payoutIn(sandbox, from);
      const move = () => sandbox.movePayout(id, { status: to });
      if (DOCUMENTED[from].includes(to)) expect(move().status).toBe(to);
      else expect(move).toThrow(IllegalTransition);
    }
  });

  it("keeps history, balance and transactions together on any random walk", async () => {
    const sandbox = await openSandbox({ balancePaise: 2_50_000_00 });
    const fundAccountId = await addBankAccount(sandbox);
    const step = fc.oneof(
      fc.record({
        kind: fc.constant("create" as const),
        amount: fc.integer({ min: 100, max: 1_00_000_00 }),
        state: fc.constantFrom(...PAYOUT_STATES),
      }),
      fc.record({
        kind: fc.constant("move" as const),
        which: fc.nat(9),
        to: fc.constantFrom(...PAYOUT_STATES),
      }),
      fc.record({
        kind: fc.constant("balance" as const),
        balancePaise: fc.integer({ min: 0, max: 3_00_000_00 }),
      }),
      fc.constant({ kind: "read" as const }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        sandbox.reset();
        const id = await addBankAccount(sandbox);
        expect(id).not.toBe(fundAccountId);
        for (const each of steps) {
          if (each.kind === "create") {
            sandbox.addFaults({ on: "POST /payouts", initialState: each.state });
            await pay(sandbox, id, { amount: each.amount, queue_if_low_balance: true });
          } else if (each.kind === "move") attemptMove(sandbox, each.which, each.to);
          else if (each.kind === "balance") sandbox.changeBalance(each);
          else await call(sandbox, "GET /banking_balances");
          await expectConsistent(sandbox);
        }
      }),
      { numRuns: 25 },
    );
  });
});

function attemptMove(sandbox: Sandbox, which: number, to: PayoutState): void {
  const payout = sandbox.payouts()[which];
  if (!payout) return;
  const { balancePaise } = sandbox.account();
  const cost = payout.amount + 590;
  const isAllowed =
    DOCUMENTED[payout.status].includes(to) && (to !== "processing" || cost <= balancePaise);
  const move = () => sandbox.movePayout(payout.id, { status: to });
  if (isAllowed) expect(move().status).toBe(to);
  else expect(move).toThrow();
}

async function expectConsistent(sandbox: Sandbox): Promise<void> {
  const { openingPaise, creditsPaise, debitsPaise, balancePaise } = sandbox.account();
  expect(balancePaise).toBe(openingPaise + creditsPaise - debitsPaise);
  expect(balancePaise).toBeGreaterThanOrEqual(0);
  let outPaise = 0;
  for (const { history, status, amount, live } of sandbox.payouts()) {
    for (const [index, entry] of history.entries()) {
      const before = history[index - 1];
      if (before) expect(DOCUMENTED[before.status]).toContain(entry.status);
    }
    expect(history.at(-1)?.status).toBe(status);
    expect(live).toBe(!["failed", "rejected", "cancelled", "reversed"].includes(status));
    if (status === "processing" || status === "processed") outPaise += amount + 590;
  }
  const account = sandbox.env.RAZORPAYX_ACCOUNT_NUMBER;
  const route = `GET /transactions?account_number=${account}&count=100`;
  const rows = (await call(sandbox, route)).body["items"] as Record<string, number>[];
  const total = (field: string) => rows.reduce((sum, row) => sum + (row[field] ?? 0), 0);
  const after = sandbox.account();
  if (rows.length < 100) {
    expect(openingPaise + total("credit") - total("debit")).toBe(after.balancePaise);
    expect(rows[0]?.["balance"] ?? openingPaise).toBe(after.balancePaise);
    const ownMoves = rows.reduce((sum, row) => sum + byHand(row), 0);
    expect(openingPaise + ownMoves - outPaise).toBe(after.balancePaise);
  }
}

/** What `changeBalance` added or took, in paise. */
function byHand(row: Record<string, unknown>): number {
  const { entity } = row["source"] as { entity: string };
  const isByHand = entity === "bank_transfer" || entity === "adjustment";
  return isByHand ? Number(row["credit"]) - Number(row["debit"]) : 0;
}

import { describe, expect, it } from "vitest";
import {
  addBankAccount,
  call,
  errorOf,
  idOf,
  itemsOf,
  openSandbox,
  pay,
  statusesByReference,
} from "./support.ts";

const rupees = (count: number) => count * 100;
/** IMPS: 590 paise, of which 90 are tax. */
const CHARGES = 590;

describe("low balance", () => {
  it("refuses a payout that may not be queued, and nothing is created", async () => {
    const sandbox = await openSandbox({ balancePaise: rupees(1000) + CHARGES - 1 });
    const fundAccountId = await addBankAccount(sandbox);
    expect(errorOf(await pay(sandbox, fundAccountId, { amount: rupees(1000) }))).toMatchObject({
      code: "BAD_REQUEST_ERROR",
      reason: "insufficient_funds",
    });
    expect(sandbox.payouts()).toEqual([]);
    sandbox.changeBalance({ addPaise: 1 });
    expect((await pay(sandbox, fundAccountId, { amount: rupees(1000) })).status).toBe(200);
    expect(sandbox.account().balancePaise).toBe(0);
  });

  it("queues first in first out, and skips what does not fit", async () => {
    const sandbox = await openSandbox({ balancePaise: rupees(5000) });
    const fundAccountId = await addBankAccount(sandbox);
    for (const [reference_id, amount] of [
      ["A", rupees(6000)],
      ["B", rupees(3000)],
      ["C", rupees(5000)],
    ])
      await pay(sandbox, fundAccountId, { reference_id, amount, queue_if_low_balance: true });
    expect(await statusesByReference(sandbox)).toEqual({
      A: "queued",
      B: "processed",
      C: "queued",
    });
    // 1,994 and some are left; 7,000 would pay A or C, and A came first.
    sandbox.changeBalance({ balancePaise: rupees(7000) });
    expect(await statusesByReference(sandbox)).toEqual({
      A: "processed",
      B: "processed",
      C: "queued",
    });
    // A does not stand in the way of C any more, and money that does not suffice changes nothing.
    sandbox.changeBalance({ balancePaise: rupees(4999) });
    expect(await statusesByReference(sandbox)).toMatchObject({ C: "queued" });
    sandbox.changeBalance({ addPaise: rupees(100) });
    expect(await statusesByReference(sandbox)).toMatchObject({ C: "processed" });
  });

  it("skips what does not fit also when the money comes after the payouts", async () => {
    const sandbox = await openSandbox({ balancePaise: 0 });
    const fundAccountId = await addBankAccount(sandbox);
    for (const [reference_id, amount] of [
      ["A", rupees(6000)],
      ["B", rupees(3000)],
      ["C", rupees(5000)],
    ])
      await pay(sandbox, fundAccountId, { reference_id, amount, queue_if_low_balance: true });
    expect(await statusesByReference(sandbox)).toEqual({ A: "queued", B: "queued", C: "queued" });
    sandbox.changeBalance({ balancePaise: rupees(5000) });
    expect(await statusesByReference(sandbox)).toEqual({
      A: "queued",
      B: "processed",
      C: "queued",
    });
  });

  it("gives a queued payout its reason, and no fees yet", async () => {
    const sandbox = await openSandbox({ balancePaise: 0 });
    const change = { queue_if_low_balance: true };
    const { body } = await pay(sandbox, await addBankAccount(sandbox), change);
    expect(body).toMatchObject({
      status: "queued",
      fees: 0,
      tax: 0,
      status_details: { reason: "low_balance", source: "business" },
    });
  });

  it("lets money that comes back start what was queued", async () => {
    const sandbox = await openSandbox({ balancePaise: rupees(1000) + CHARGES });
    const fundAccountId = await addBankAccount(sandbox);
    const change = { amount: rupees(1000), queue_if_low_balance: true };
    const first = idOf(await pay(sandbox, fundAccountId, { ...change, reference_id: "first" }));
    await pay(sandbox, fundAccountId, { ...change, reference_id: "second" });
    expect(await statusesByReference(sandbox)).toEqual({ first: "processed", second: "queued" });
    sandbox.movePayout(first, { status: "reversed" });
    expect(await statusesByReference(sandbox)).toEqual({ first: "reversed", second: "processed" });
  });
});

describe("transactions", () => {
  it("record every debit and credit with its source and the balance after it", async () => {
    const sandbox = await openSandbox({ balancePaise: rupees(2000) });
    const fundAccountId = await addBankAccount(sandbox);
    const id = idOf(await pay(sandbox, fundAccountId, { amount: rupees(1000) }));
    sandbox.changeBalance({ addPaise: rupees(500) });
    sandbox.movePayout(id, { status: "reversed", reason: "bank_account_closed" });
    sandbox.changeBalance({ balancePaise: rupees(100) });
    const account = sandbox.env.RAZORPAYX_ACCOUNT_NUMBER;
    const list = await call(sandbox, `GET /transactions?account_number=${account}`);
    const cost = rupees(1000) + CHARGES;
    expect(itemsOf(list).reverse()).toMatchObject([
      {
        entity: "transaction",
        account_number: account,
        amount: cost,
        debit: cost,
        credit: 0,
        balance: rupees(2000) - cost,
        source: { id, entity: "payout", amount: rupees(1000), fees: 590, tax: 90 },
      },
      {
        debit: 0,
        credit: rupees(500),
        balance: rupees(2500) - cost,
        source: { entity: "bank_transfer" },
      },
      {
        credit: cost,
        balance: rupees(2500),
        source: { entity: "reversal", payout_id: id, amount: rupees(1000), fee: 590, tax: 90 },
      },
      { debit: rupees(2400), balance: rupees(100), source: { entity: "adjustment" } },
    ]);
    const [newest] = itemsOf(list).reverse();
    const one = await call(sandbox, `GET /transactions/${String(newest?.["id"])}`);
    expect(one.body).toEqual(newest);
  });

  it("are paged like payouts, and agree with the balances", async () => {
    const sandbox = await openSandbox({ balancePaise: rupees(5000) });
    const fundAccountId = await addBankAccount(sandbox);
    for (let n = 0; n < 3; n++) await pay(sandbox, fundAccountId, { amount: rupees(100) });
    const account = sandbox.env.RAZORPAYX_ACCOUNT_NUMBER;
    const query = `account_number=${account}&count=1&skip=1`;
    const page = itemsOf(await call(sandbox, `GET /transactions?${query}`));
    expect(page).toMatchObject([{ balance: rupees(5000) - 2 * (rupees(100) + CHARGES) }]);
    const balances = itemsOf(await call(sandbox, "GET /banking_balances"));
    expect(balances).toMatchObject([
      {
        entity: "banking_balance",
        account_number: account,
        amount: rupees(5000) - 3 * (rupees(100) + CHARGES),
        available_amount: sandbox.account().balancePaise,
      },
    ]);
  });
});

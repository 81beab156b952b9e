import { describe, expect, it } from "vitest";
import {
  addBankAccount,
  addContact,
  addVpa,
  call,
  errorOf,
  idOf,
  itemsOf,
  listPayouts,
  manualClock,
  openSandbox,
  pay,
  payoutBody,
} from "./support.ts";

describe("a payout", () => {
  it("answers processing first, and processed with a utr at the next read", async () => {
    const sandbox = await openSandbox({ clock: manualClock() });
    const fundAccountId = await addBankAccount(sandbox);
    const created = await pay(sandbox, fundAccountId, { notes: { run: "7" } });
    expect(created.body).toEqual({
      id: expect.stringMatching(/^pout_[0-9a-z]{14}$/) as string,
      entity: "payout",
      fund_account_id: fundAccountId,
      amount: 100_000,
      currency: "INR",
      notes: { run: "7" },
      fees: 590,
      tax: 90,
      status: "processing",
      purpose: "payout",
      utr: null,
      mode: "IMPS",
      reference_id: "payout-1",
      narration: "Consultation fees",
      batch_id: null,
      status_details: expect.objectContaining({ reason: "payout_bank_processing" }) as object,
      created_at: Date.parse("2026-11-02T10:00:00Z") / 1000,
      fee_type: null,
    });
    const read = await call(sandbox, `GET /payouts/${idOf(created)}`);
    expect(read.body).toMatchObject({
      status: "processed",
      utr: expect.stringMatching(/^[0-9]{12}$/) as string,
      status_details: null,
    });
  });

  it("stays in processing for the settlement time", async () => {
    const clock = manualClock();
    const sandbox = await openSandbox({ clock, settleAfterMs: 60_000 });
    const id = idOf(await pay(sandbox, await addBankAccount(sandbox)));
    const status = async () => (await call(sandbox, `GET /payouts/${id}`)).body["status"];
    clock.advance(59_999);
    expect(await status()).toBe("processing");
    clock.advance(1);
    expect(await status()).toBe("processed");
  });

  it.each([
    [{ account_number: undefined }, "account_number"],
    // The payee's account where ours belongs.
    [{ account_number: "50100000000001" }, "account_number"],
    [{ fund_account_id: undefined }, "fund_account_id"],
    [{ fund_account_id: "fa_unknown" }, "fund_account_id"],
    [{ amount: undefined }, "amount"],
    [{ amount: 99 }, "amount"],
    [{ amount: 100.5 }, "amount"],
    [{ amount: "100000" }, "amount"],
    [{ amount: -100 }, "amount"],
    [{ amount: 2 ** 53 }, "amount"],
    [{ currency: undefined }, "currency"],
    [{ currency: "USD" }, "currency"],
    [{ mode: undefined }, "mode"],
    [{ mode: "imps" }, "mode"],
    [{ mode: "UPI" }, "mode"],
    [{ purpose: undefined }, "purpose"],
    [{ purpose: "gift" }, "purpose"],
    [{ queue_if_low_balance: "true" }, "queue_if_low_balance"],
    [{ reference_id: "r".repeat(41) }, "reference_id"],
    [{ narration: "n".repeat(31) }, "narration"],
    [{ narration: "fees, October" }, "narration"],
    [{ notes: { a: 1 } }, "notes"],
    [{ queue_if_lowbalance: true }, "queue_if_lowbalance"],
  ])("is refused with %j, naming the field", async (change, field) => {
    const sandbox = await openSandbox();
    const fundAccountId = await addBankAccount(sandbox);
    expect(errorOf(await pay(sandbox, fundAccountId, change))).toMatchObject({
      code: "BAD_REQUEST_ERROR",
      field,
    });
    expect(sandbox.payouts()).toEqual([]);
  });

  it.each([
    ["IMPS", 100, 200],
    ["IMPS", 5_00_000_00, 200],
    ["IMPS", 5_00_000_01, 400],
    ["NEFT", 100, 200],
    ["RTGS", 1_99_999_99, 400],
    ["RTGS", 2_00_000_00, 200],
  ])("by %s of %i paise is answered %i", async (mode, amount, status) => {
    const sandbox = await openSandbox();
    const answer = await pay(sandbox, await addBankAccount(sandbox), { mode, amount });
    expect(answer.status).toBe(status);
  });

  it("by UPI goes to a VPA only, up to one lakh", async () => {
    const sandbox = await openSandbox();
    const vpa = await addVpa(sandbox);
    expect((await pay(sandbox, vpa, { mode: "UPI", amount: 1_00_000_00 })).status).toBe(200);
    expect(errorOf(await pay(sandbox, vpa, { mode: "UPI", amount: 1_00_000_01 }))).toMatchObject({
      reason: "transaction_limit_exceeded",
    });
    expect(errorOf(await pay(sandbox, vpa, { mode: "IMPS" }))).toMatchObject({ field: "mode" });
  });

  it("can be cancelled from queued and from nothing else", async () => {
    const sandbox = await openSandbox({ balancePaise: 0 });
    const fundAccountId = await addBankAccount(sandbox);
    const id = idOf(await pay(sandbox, fundAccountId, { queue_if_low_balance: true }));
    const cancel = () => call(sandbox, `POST /payouts/${id}/cancel`, { body: { remarks: "no" } });
    expect((await cancel()).body).toMatchObject({ id, status: "cancelled", fees: 0, tax: 0 });
    errorOf(await cancel());
    sandbox.changeBalance({ addPaise: 10_00_000_00 });
    expect(sandbox.payouts()[0]).toMatchObject({ status: "cancelled", live: false });
    const other = idOf(await pay(sandbox, fundAccountId));
    errorOf(await call(sandbox, `POST /payouts/${other}/cancel`));
  });

  it("may show absent values as the text null", async () => {
    const sandbox = await openSandbox({ nullAsText: true });
    const fundAccountId = await addBankAccount(sandbox);
    const created = await pay(sandbox, fundAccountId, { narration: undefined });
    expect(created.body).toMatchObject({ utr: "null", narration: null });
    expect(errorOf(await pay(sandbox, fundAccountId, { amount: 1 }))).toMatchObject({
      step: "null",
    });
  });
});

describe("the list of payouts", () => {
  it("is newest first, ten at a time, and skips what it is told to", async () => {
    const sandbox = await openSandbox();
    const fundAccountId = await addBankAccount(sandbox);
    for (let n = 0; n < 25; n++) await pay(sandbox, fundAccountId, { reference_id: `p${n}` });
    const page = async (query: string) =>
      itemsOf(await listPayouts(sandbox, query)).map((item) => item["reference_id"]);
    const newest = Array.from({ length: 25 }, (_, n) => `p${24 - n}`);
    expect(await page("")).toEqual(newest.slice(0, 10));
    expect(await page("&skip=20")).toEqual(newest.slice(20));
    expect(await page("&count=100")).toEqual(newest);
    expect(await page("&count=4&skip=3")).toEqual(newest.slice(3, 7));
  });

  it("filters by every documented field", async () => {
    const clock = manualClock();
    const sandbox = await openSandbox({ clock });
    const bankId = await addBankAccount(sandbox);
    const contactId = await addContact(sandbox, { reference_id: "consultant-2" });
    const otherId = await addBankAccount(sandbox, { contactId });
    await pay(sandbox, bankId, { reference_id: "a" });
    clock.advance(10_000);
    await pay(sandbox, otherId, { reference_id: "b", mode: "NEFT" });
    clock.advance(10_000);
    sandbox.addFaults({ on: "POST /payouts", endState: "failed" });
    await pay(sandbox, bankId, { reference_id: "c" });
    const seconds = clock.now().getTime() / 1000;
    const found = async (query: string) =>
      itemsOf(await listPayouts(sandbox, query))
        .map((item) => item["reference_id"])
        .join();
    expect(await found("&reference_id=b")).toBe("b");
    expect(await found("&reference_id=unknown")).toBe("");
    expect(await found(`&fund_account_id=${bankId}`)).toBe("c,a");
    expect(await found(`&contact_id=${contactId}`)).toBe("b");
    expect(await found("&mode=NEFT")).toBe("b");
    expect(await found("&status=failed")).toBe("c");
    expect(await found("&status=processed")).toBe("b,a");
    expect(await found(`&from=${seconds - 10}`)).toBe("c,b");
    expect(await found(`&to=${seconds - 10}`)).toBe("b,a");
    expect(await found(`&reference_id=a&contact_id=${contactId}`)).toBe("");
  });

  it.each(["count=0", "count=101", "count=ten", "skip=-1", "from=yesterday"])(
    "refuses %s",
    async (query) => {
      const sandbox = await openSandbox();
      expect(errorOf(await listPayouts(sandbox, `&${query}`))).toMatchObject({
        field: query.split("=")[0],
      });
    },
  );

  it("needs our own account number", async () => {
    const sandbox = await openSandbox();
    for (const route of ["GET /payouts", "GET /transactions", "GET /payouts?account_number=1"])
      expect(errorOf(await call(sandbox, route))).toMatchObject({ field: "account_number" });
  });
});

describe("the idempotency key", () => {
  it.each([undefined, "abc", "k".repeat(37), "key:1", "key.1", "schlüssel"])(
    "%s is refused",
    async (key) => {
      const sandbox = await openSandbox();
      const body = payoutBody(sandbox, await addBankAccount(sandbox));
      const answer = await call(sandbox, "POST /payouts", {
        body,
        ...(key === undefined ? {} : { key }),
      });
      expect(errorOf(answer)).toMatchObject({
        code: "BAD_REQUEST_ERROR",
        field: "X-Payout-Idempotency",
      });
    },
  );

  it("may be a bare UUID, or hold spaces and underscores", async () => {
    const sandbox = await openSandbox();
    const fundAccountId = await addBankAccount(sandbox);
    for (const key of ["53cda91c-8f81-4e77-bbb9-7388f4ac6bf4", "pay_1 a", "1234"])
      expect((await pay(sandbox, fundAccountId, {}, { key })).status).toBe(200);
  });

  it("answers the same payout in its latest state", async () => {
    const sandbox = await openSandbox();
    const fundAccountId = await addBankAccount(sandbox);
    const first = await pay(sandbox, fundAccountId, {}, { key: "key-a" });
    const again = await pay(sandbox, fundAccountId, {}, { key: "key-a" });
    expect(first.body["status"]).toBe("processing");
    expect(again.body).toMatchObject({ id: idOf(first), status: "processed" });
    expect(sandbox.payouts()).toHaveLength(1);
  });

  it("compares bodies as JSON: order and white space do not count, values do", async () => {
    const sandbox = await openSandbox();
    const body = payoutBody(sandbox, await addBankAccount(sandbox));
    const send = (rawBody: string) => call(sandbox, "POST /payouts", { rawBody, key: "key-a" });
    const id = idOf(await send(JSON.stringify(body)));
    const reversed = Object.fromEntries(Object.entries(body).reverse());
    expect(idOf(await send(JSON.stringify(reversed, null, 2)))).toBe(id);
    const other = errorOf(await send(JSON.stringify({ ...body, amount: 100_001 })));
    expect(other["description"]).toBe(
      "Different request body sent for the same Idempotency Header.",
    );
    errorOf(await send("{"));
    expect(sandbox.payouts()).toHaveLength(1);
  });

  it("makes one payout of many requests in flight at once", async () => {
    const sandbox = await openSandbox();
    const fundAccountId = await addBankAccount(sandbox);
    sandbox.addFaults({ on: "POST /payouts", delayMs: 20, times: 3 });
    sandbox.addFaults({ on: "POST /payouts", acceptAfterMs: 20, times: 3 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => pay(sandbox, fundAccountId, {}, { key: "key-a" })),
    );
    expect(new Set(answers.map(idOf)).size).toBe(1);
    expect(sandbox.payouts()).toHaveLength(1);
  });

  it("is not used up by a refusal, unless that is asked for", async () => {
    for (const refusalUsesKey of [false, true]) {
      const sandbox = await openSandbox({ balancePaise: 0, refusalUsesKey });
      const fundAccountId = await addBankAccount(sandbox);
      errorOf(await pay(sandbox, fundAccountId, {}, { key: "key-a" }));
      sandbox.changeBalance({ balancePaise: 1_00_000_00 });
      const again = await pay(sandbox, fundAccountId, {}, { key: "key-a" });
      expect(again.status).toBe(refusalUsesKey ? 400 : 200);
    }
  });

  it("answers a conflict with 409 when that is asked for", async () => {
    const sandbox = await openSandbox({ conflictStatus: 409 });
    const fundAccountId = await addBankAccount(sandbox);
    await pay(sandbox, fundAccountId, {}, { key: "key-a" });
    errorOf(await pay(sandbox, fundAccountId, { amount: 200 }, { key: "key-a" }), 409);
  });

  it("is forgotten after seven days", async () => {
    const clock = manualClock();
    const sandbox = await openSandbox({ clock });
    const fundAccountId = await addBankAccount(sandbox);
    const send = async () => idOf(await pay(sandbox, fundAccountId, {}, { key: "key-a" }));
    const first = await send();
    clock.advance(7 * 86_400_000);
    expect(await send()).toBe(first);
    clock.advance(1);
    expect(await send()).not.toBe(first);
  });
});

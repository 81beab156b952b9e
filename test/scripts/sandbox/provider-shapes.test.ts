import { describe, expect, it } from "vitest";
import { addBankAccount, call, idOf, openSandbox, pay } from "./support.ts";

describe("an error that a fault shapes", () => {
  it("may have a null reason, an absent one, another source, and the older statusCode", async () => {
    const sandbox = await openSandbox();
    sandbox.addFaults([
      { on: "GET /contacts", status: 400, error: { reason: null, source: "internal", step: "NA" } },
      { on: "GET /contacts", status: 400, error: { without: ["reason", "source"] }, oldBody: true },
    ]);
    expect((await call(sandbox, "GET /contacts")).body).toMatchObject({
      error: { reason: null, source: "internal", step: "NA" },
    });
    const { body } = await call(sandbox, "GET /contacts");
    expect(body).toMatchObject({ statusCode: 400, error: { code: "BAD_REQUEST_ERROR" } });
    expect(body["error"]).not.toHaveProperty("reason");
    expect(body["error"]).not.toHaveProperty("source");
  });
});

describe("a payout that a fault shapes", () => {
  it("may have no mode, and its reason in the older fields alone", async () => {
    const sandbox = await openSandbox();
    sandbox.addFaults({
      on: "POST /payouts",
      noMode: true,
      oldDetails: true,
      initialState: "failed",
      endReason: "imps_not_allowed",
    });
    const { body } = await pay(sandbox, await addBankAccount(sandbox));
    expect(body).toMatchObject({
      mode: null,
      error: { reason: "imps_not_allowed", source: "beneficiary_bank", code: "NA" },
    });
    expect(body).not.toHaveProperty("status_details");
  });

  it("may end as rejected, and only from pending", async () => {
    const sandbox = await openSandbox();
    sandbox.addFaults({ on: "POST /payouts", endState: "rejected" });
    const made = await pay(sandbox, await addBankAccount(sandbox));
    expect(made.body).toMatchObject({ status: "pending" });
    const read = await call(sandbox, `GET /payouts/${idOf(made)}`);
    expect(read.body).toMatchObject({ status: "rejected" });
    expect(() =>
      sandbox.addFaults({ on: "POST /payouts", endState: "rejected", initialState: "queued" }),
    ).toThrow("only a payout that is pending can be rejected");
  });
});

describe("the lists of the payments API", () => {
  it("hold orders, payments and refunds, newest first", async () => {
    const sandbox = await openSandbox();
    const first = sandbox.createOrder({ amountPaise: 50_000, receipt: "one" });
    const second = sandbox.createOrder({ amountPaise: 60_000, receipt: "two" });
    const payment = sandbox.createPayment({ orderId: first.id });
    const refund = await call(sandbox, `POST /payments/${payment.id}/refund`, { body: {} });
    const ids = async (route: string): Promise<unknown> => {
      const { body } = await call(sandbox, route);
      return (body["items"] as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids("GET /orders")).toEqual([second.id, first.id]);
    expect(await ids("GET /orders?receipt=one")).toEqual([first.id]);
    expect(await ids("GET /orders?count=1&skip=1")).toEqual([first.id]);
    expect(await ids("GET /payments")).toEqual([payment.id]);
    expect(await ids("GET /refunds")).toEqual([idOf(refund)]);
  });
});

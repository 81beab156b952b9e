import { describe, expect, it } from "vitest";
import { InvalidFault } from "../../../scripts/sandbox/razorpay/index.ts";
import type { Fault, Sandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import {
  addBankAccount,
  addContact,
  addVpa,
  call,
  errorOf,
  eventually,
  idOf,
  listPayouts,
  openSandbox,
  pay,
} from "./support.ts";

async function ready() {
  const sandbox = await openSandbox();
  return { sandbox, fundAccountId: await addBankAccount(sandbox) };
}

/** Until the request for a payout has arrived whole, while its answer is still owed. */
async function untilPayoutIsReceived(sandbox: Sandbox): Promise<void> {
  await eventually(() =>
    expect(sandbox.calls().at(-1)).toMatchObject({
      path: "/payouts",
      status: "open",
      body_sha256: expect.any(String) as string,
    }),
  );
}

describe("a fault that answers with an error", () => {
  it.each([
    [400, "BAD_REQUEST_ERROR"],
    [401, "BAD_REQUEST_AUTHENTICATION_ERROR"],
    [403, "BAD_REQUEST_ERROR"],
    [429, "BAD_REQUEST_ERROR"],
    [500, "SERVER_ERROR"],
    [502, "GATEWAY_ERROR"],
    [503, "SERVER_ERROR"],
    [504, "GATEWAY_ERROR"],
  ])("%i has the documented body, and nothing is accepted", async (status, code) => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", status });
    const error = errorOf(await pay(sandbox, fundAccountId), status);
    expect(error).toMatchObject({ code, step: null, metadata: {} });
    expect(Object.keys(error)).toEqual(expect.arrayContaining(["description", "source", "reason"]));
    expect(sandbox.payouts()).toEqual([]);
    expect((await pay(sandbox, fundAccountId)).status).toBe(200);
  });

  it("may give its own reason, field and Retry-After", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults([
      {
        on: "POST /payouts",
        status: 400,
        error: { reason: "bank_account_invalid", field: "fund_account_id", description: "No." },
      },
      { on: "POST /payouts", status: 429, retryAfter: 7 },
    ]);
    expect(errorOf(await pay(sandbox, fundAccountId))).toMatchObject({
      code: "BAD_REQUEST_ERROR",
      reason: "bank_account_invalid",
      field: "fund_account_id",
      description: "No.",
    });
    expect((await pay(sandbox, fundAccountId)).headers.get("retry-after")).toBe("7");
  });

  it("may accept the payout all the same", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", status: 503, accept: true });
    errorOf(await pay(sandbox, fundAccountId, {}, { key: "key-a" }), 503);
    expect(sandbox.payouts()).toHaveLength(1);
    const again = await pay(sandbox, fundAccountId, {}, { key: "key-a" });
    expect(idOf(again)).toBe(sandbox.payouts()[0]?.id);
  });
});

describe("a fault that loses the answer", () => {
  it("drops the connection before the payout is taken up", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", dropBefore: true });
    await expect(pay(sandbox, fundAccountId)).rejects.toThrow("fetch failed");
    expect(sandbox.payouts()).toEqual([]);
    await eventually(() => expect(sandbox.calls().at(-1)?.status).toBe("dropped"));
  });

  it("drops the connection after it, so that only a look-up tells", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", dropAfter: true });
    await expect(pay(sandbox, fundAccountId)).rejects.toThrow("fetch failed");
    const found = await listPayouts(sandbox, "&reference_id=payout-1");
    expect(found.body["count"]).toBe(1);
  });

  it("answers a body that is cut short", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", malformed: true });
    await expect(pay(sandbox, fundAccountId)).rejects.toThrow(SyntaxError);
    expect(sandbox.calls().at(-1)?.status).toBe(200);
    expect(sandbox.payouts()).toHaveLength(1);
  });

  it.each([true, false])("hangs until the caller gives up, accepting: %s", async (accept) => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", hang: true, accept });
    const giveUp = new AbortController();
    const answer = pay(sandbox, fundAccountId, {}, { signal: giveUp.signal });
    const failed = expect(answer).rejects.toThrow("aborted");
    await untilPayoutIsReceived(sandbox);
    giveUp.abort();
    await failed;
    await eventually(() => expect(sandbox.calls().at(-1)?.status).toBe("dropped"));
    expect(sandbox.payouts()).toHaveLength(accept ? 1 : 0);
  });

  it("takes the payout up only after the caller has gone", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", acceptAfterMs: 1000 });
    const giveUp = new AbortController();
    const answer = pay(sandbox, fundAccountId, {}, { signal: giveUp.signal });
    const failed = expect(answer).rejects.toThrow("aborted");
    await untilPayoutIsReceived(sandbox);
    giveUp.abort();
    await failed;
    await eventually(() => expect(sandbox.payouts()).toHaveLength(1));
  });

  it("answers late, with the payout accepted at once", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", delayMs: 50 });
    const answer = pay(sandbox, fundAccountId);
    await eventually(() => expect(sandbox.payouts()).toHaveLength(1));
    expect(idOf(await answer)).toBe(sandbox.payouts()[0]?.id);
  });

  it("does not keep the sandbox from closing", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults([
      { on: "POST /payouts", hang: true },
      { on: "POST /payouts", delayMs: 3_600_000 },
      { on: "POST /payouts", acceptAfterMs: 3_600_000 },
    ]);
    const answers = [1, 2, 3].map(() => expect(pay(sandbox, fundAccountId)).rejects.toThrow());
    await eventually(() => expect(sandbox.faults()).toEqual([]));
    await sandbox.close();
    await Promise.all(answers);
  });
});

describe("a fault that bends the course of a payout", () => {
  it.each(["failed", "reversed", "processed"] as const)("ends it as %s", async (endState) => {
    const { sandbox, fundAccountId } = await ready();
    const endReason = endState === "processed" ? {} : { endReason: "bank_account_closed" };
    sandbox.addFaults({ on: "POST /payouts", endState, ...endReason });
    const created = await pay(sandbox, fundAccountId);
    expect(created.body["status"]).toBe("processing");
    const read = await call(sandbox, `GET /payouts/${idOf(created)}`);
    expect(read.body).toMatchObject({
      status: endState,
      status_details: endState === "processed" ? null : { reason: "bank_account_closed" },
    });
    const { openingPaise, balancePaise } = sandbox.account();
    expect(balancePaise === openingPaise).toBe(endState !== "processed");
  });

  it("keeps it in processing until it is moved", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", endState: "processing" });
    const id = idOf(await pay(sandbox, fundAccountId));
    const read = () => call(sandbox, `GET /payouts/${id}`);
    expect((await read()).body["status"]).toBe("processing");
    expect((await read()).body["status"]).toBe("processing");
    sandbox.movePayout(id, { status: "processed" });
    expect((await read()).body["status"]).toBe("processed");
  });

  it("starts it in another state, with a reason", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({
      on: "POST /payouts",
      initialState: "queued",
      endReason: "beneficiary_bank_down",
    });
    const created = await pay(sandbox, fundAccountId);
    expect(created.body).toMatchObject({
      status: "queued",
      fees: 0,
      status_details: { reason: "beneficiary_bank_down" },
    });
    // It does not wait for money, so money does not start it.
    sandbox.changeBalance({ addPaise: 100 });
    expect(sandbox.payouts()[0]?.status).toBe("queued");
    sandbox.movePayout(idOf(created), { status: "processing" });
    expect(sandbox.payouts()[0]?.history.map((entry) => entry.status)).toEqual([
      "queued",
      "processing",
    ]);
  });

  it("pretends that the balance is low", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", lowBalance: true, times: 2 });
    expect(errorOf(await pay(sandbox, fundAccountId))).toMatchObject({
      reason: "insufficient_funds",
    });
    const queued = await pay(sandbox, fundAccountId, { queue_if_low_balance: true });
    expect(queued.body["status"]).toBe("queued");
  });
});

describe("which requests a fault meets", () => {
  it("are as many as it says, after letting some through", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", status: 503, skip: 1, times: 2 });
    const statuses = [];
    for (let n = 0; n < 5; n++) statuses.push((await pay(sandbox, fundAccountId)).status);
    expect(statuses).toEqual([200, 503, 503, 200, 200]);
    expect(sandbox.faults()).toEqual([]);
  });

  it("are all of them with times -1, until the faults are cleared", async () => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "*", status: 500, times: -1 });
    for (let n = 0; n < 3; n++) errorOf(await pay(sandbox, fundAccountId), 500);
    errorOf(await call(sandbox, "GET /contacts"), 500);
    expect(sandbox.faults()).toMatchObject([{ remaining: -1 }]);
    sandbox.clearFaults();
    expect((await pay(sandbox, fundAccountId)).status).toBe(200);
  });

  it.each([
    [{ reference_id: "payout-1" }, true],
    [{ reference_id: "payout-2" }, false],
    [{ amount: 100_000 }, true],
    [{ amount: 100_001 }, false],
    [{ account_number: "50100000000001" }, true],
    // Ours: a fault asks for the payee's.
    [{ account_number: "7878780080316316" }, false],
    [{ vpa: "asha@examplebank" }, false],
    [{ contact_reference: "consultant-1" }, true],
    [{ contact_reference: "consultant-2" }, false],
    [{ mode: "IMPS" }, true],
    [{ mode: "NEFT" }, false],
    [{ idempotency_key: "key-a" }, true],
    [{ idempotency_key: "key-b" }, false],
    [{ mode: "IMPS", amount: 1 }, false],
  ])("match %j: %s", async (match, isMet) => {
    const { sandbox, fundAccountId } = await ready();
    sandbox.addFaults({ on: "POST /payouts", match, status: 503 });
    const answer = await pay(sandbox, fundAccountId, {}, { key: "key-a" });
    expect(answer.status).toBe(isMet ? 503 : 200);
  });

  it("can be told by the payee also when reading, cancelling or registering", async () => {
    const { sandbox, fundAccountId } = await ready();
    const id = idOf(await pay(sandbox, fundAccountId));
    const vpa = await addVpa(sandbox);
    const byAccount = { match: { account_number: "50100000000001" }, status: 503 };
    sandbox.addFaults([
      { on: "GET /payouts/:id", ...byAccount },
      { on: "POST /payouts/:id/cancel", match: { reference_id: "payout-1" }, status: 503 },
      { on: "GET /fund_accounts/:id", ...byAccount },
      { on: "POST /fund_accounts", ...byAccount },
      { on: "POST /contacts", match: { contact_reference: "consultant-1" }, status: 503 },
      { on: "GET /payouts", match: { reference_id: "payout-1" }, status: 503 },
    ]);
    expect((await call(sandbox, `GET /fund_accounts/${vpa}`)).status).toBe(200);
    errorOf(await call(sandbox, `GET /payouts/${id}`), 503);
    errorOf(await call(sandbox, `POST /payouts/${id}/cancel`), 503);
    errorOf(await call(sandbox, `GET /fund_accounts/${fundAccountId}`), 503);
    await expect(addContact(sandbox)).rejects.toThrow();
    await expect(addBankAccount(sandbox)).rejects.toThrow();
    errorOf(await listPayouts(sandbox, "&reference_id=payout-1"), 503);
    expect(sandbox.faults()).toEqual([]);
  });

  it("lets one account be refused and another never be answered", async () => {
    const sandbox = await openSandbox();
    const refused = await addBankAccount(sandbox, { accountNumber: "50100000000001" });
    const lost = await addBankAccount(sandbox, { accountNumber: "50100000000002" });
    const good = await addBankAccount(sandbox, { accountNumber: "50100000000003" });
    sandbox.addFaults([
      {
        on: "POST /payouts",
        match: { account_number: "50100000000001" },
        times: -1,
        status: 400,
        error: { reason: "bank_account_invalid" },
      },
      { on: "POST /payouts", match: { account_number: "50100000000002" }, dropAfter: true },
    ]);
    expect((await pay(sandbox, good)).status).toBe(200);
    await expect(pay(sandbox, lost)).rejects.toThrow();
    expect(errorOf(await pay(sandbox, refused))).toMatchObject({ reason: "bank_account_invalid" });
    expect(sandbox.payouts().map((payout) => payout.fund_account_id)).toEqual([good, lost]);
  });
});

describe("a fault that makes no sense", () => {
  it.each<[object, RegExp]>([
    [{ on: "POST /payout", status: 500 }, /faults\[0\]\.on: expected .*POST \/payouts/],
    [{ on: "POST /payouts", stauts: 500 }, /Unrecognized key: "stauts"/],
    [{ on: "POST /payouts", status: 500, match: { ifsc: "X" } }, /faults\[0\]\.match.*"ifsc"/],
    [{ on: "POST /payouts", status: 200 }, /status/],
    [{ on: "POST /payouts", status: 500, times: 0 }, /times/],
    [{ on: "POST /payouts" }, /no effect/],
    [{ on: "POST /payouts", status: 500, hang: true }, /hang: cannot stand beside status/],
    [{ on: "POST /payouts", dropAfter: true, accept: true }, /accept: needs status or hang/],
    [{ on: "POST /payouts", delayMs: 1, error: { reason: "x" } }, /error: needs status/],
    [{ on: "POST /payouts", delayMs: 1, retryAfter: 1 }, /retryAfter: needs status/],
    [{ on: "POST /payouts", delayMs: 1, endReason: "x" }, /endReason: needs/],
    [{ on: "GET /payouts", endState: "failed" }, /endState: needs on/],
    [{ on: "POST /payouts", dropBefore: true, endState: "failed" }, /has no effect/],
    [{ on: "POST /payouts", lowBalance: true, initialState: "pending" }, /lowBalance: cannot/],
  ])("%j is refused", async (fault, message) => {
    const sandbox = await openSandbox();
    const add = () => sandbox.addFaults([{ on: "*", status: 500 }, fault as Fault]);
    expect(add).toThrow(InvalidFault);
    expect(() => sandbox.addFaults(fault as Fault)).toThrow(message);
    expect(sandbox.faults()).toEqual([]);
  });
});

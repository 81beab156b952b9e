import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { RetryEvent } from "../../../lib/razorpay/index.ts";
import {
  ACCOUNT_NUMBER,
  clientOf,
  firstSend,
  json,
  KEY_ID,
  KEY_SECRET,
  payoutBody,
  providerError,
  sentRequest,
  startServer,
} from "./provider-double.ts";

describe("a payout request", () => {
  it("leaves byte for byte as it was hashed, with its key and our credentials", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, payoutBody()),
    );
    await clientOf({ baseUrl }).createPayout(firstSend);

    const [request] = received;
    expect(
      createHash("sha256")
        .update(request?.body ?? "")
        .digest("hex"),
    ).toBe(sentRequest.hash);
    expect(request).toMatchObject({
      method: "POST",
      url: "/v1/payouts",
      headers: {
        "x-payout-idempotency": "po-0001-1",
        "content-type": "application/json",
        authorization: `Basic ${Buffer.from(`${KEY_ID}:${KEY_SECRET}`).toString("base64")}`,
      },
    });
  });

  it("keeps white space and letters beyond ASCII as they were", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, payoutBody()),
    );
    const body = ` ${sentRequest.body.replace("{", '{ "note":"é₹",')}\n`;
    await clientOf({ baseUrl }).createPayout({ ...firstSend, body });
    expect(received[0]?.body).toBe(body);
  });

  it.each([
    ["an empty key", { idempotencyKey: "" }],
    ["a key of 37 characters", { idempotencyKey: "k".repeat(37) }],
    ["a key with a line break", { idempotencyKey: "po-0001\r\n" }],
    ["a body that is not JSON", { body: "amount=1" }],
    ["a body without an amount", { body: '{"reference_id":"a","fund_account_id":"fa_a"}' }],
  ])("with %s is our own mistake and is not sent", async (_, change) => {
    const { baseUrl, received } = await startServer((response) => json(response, 200, {}));
    await expect(
      clientOf({ baseUrl }).createPayout({ ...firstSend, ...change }),
    ).rejects.toMatchObject({ code: "RAZORPAYX_ARGUMENT_INVALID" });
    expect(received).toEqual([]);
  });
});

describe("a repeat", () => {
  it("after 429 uses the same key and the same bytes, and ends in the payout", async () => {
    const events: RetryEvent[] = [];
    const { baseUrl, received } = await startServer((response, _, nth) =>
      nth < 3 ? json(response, 429, providerError()) : json(response, 200, payoutBody()),
    );
    const client = clientOf({ baseUrl }, { onRetry: (event) => events.push(event) });
    expect((await client.createPayout(firstSend)).kind).toBe("accepted");

    expect(new Set(received.map((request) => request.body)).size).toBe(1);
    expect(new Set(received.map((r) => r.headers["x-payout-idempotency"])).size).toBe(1);
    expect(events).toEqual([
      {
        operation: "create payout",
        nextTry: 2,
        delayMs: 250,
        because: "rate-limited",
        httpStatus: 429,
      },
      {
        operation: "create payout",
        nextTry: 3,
        delayMs: 500,
        because: "rate-limited",
        httpStatus: 429,
      },
    ]);
  });

  it("after a 429 of somebody else is a resend: a refusal proves nothing then", async () => {
    const { baseUrl } = await startServer((response, _, nth) =>
      nth === 1 ? response.writeHead(429).end("busy") : json(response, 400, providerError()),
    );
    expect(await clientOf({ baseUrl }).createPayout(firstSend)).toMatchObject({
      kind: "unknown",
      cause: "conflict",
    });
  });

  it("after the provider's own 429 is still a first send: a refusal is a refusal", async () => {
    const { baseUrl } = await startServer((response, _, nth) =>
      json(response, nth === 1 ? 429 : 400, providerError()),
    );
    expect((await clientOf({ baseUrl }).createPayout(firstSend)).kind).toBe("refused");
  });

  it("waits as long as Retry-After asks, but never longer than half a minute", async () => {
    const delaysMs: number[] = [];
    const { baseUrl } = await startServer((response, _, nth) => {
      response.setHeader("Retry-After", nth === 1 ? "7" : "86400");
      json(response, 429, providerError());
    });
    const client = clientOf(
      { baseUrl },
      { random: () => 0, onRetry: (event) => delaysMs.push(event.delayMs) },
    );
    expect(await client.createPayout(firstSend)).toMatchObject({ fault: "rate-limited" });
    expect(delaysMs).toEqual([7_000, 30_000]); // a third would exceed a minute in all
  });

  it("of a read follows a server error and a lost connection", async () => {
    const { baseUrl, received } = await startServer((response, _, nth) => {
      if (nth === 1) response.writeHead(502).end("<html>");
      else if (nth === 2) response.socket?.destroy();
      else json(response, 200, payoutBody());
    });
    const answer = await clientOf({ baseUrl }).fetchPayout("pout_MadeUp0000001");
    expect(answer.kind).toBe("accepted");
    expect(received).toHaveLength(3);
  });

  it("of a read ends after four tries", async () => {
    const { baseUrl, received } = await startServer((response) => response.writeHead(500).end());
    const answer = await clientOf({ baseUrl }).findPayoutsByReference("po-0001-1");
    expect(answer).toMatchObject({ kind: "unknown", cause: "server-error" });
    expect(received).toHaveLength(4);
  });

  it("of a contact follows a server error, and a refusal after it stays a refusal", async () => {
    const { baseUrl, received } = await startServer((response, _, nth) =>
      nth === 1 ? response.socket?.destroy() : json(response, 400, providerError()),
    );
    const input = { name: "Asha Rao", type: "vendor", referenceId: "c-1" };
    expect((await clientOf({ baseUrl }).createContact(input)).kind).toBe("refused");
    expect(received).toHaveLength(2);
  });

  it("is not prevented by a listener that throws", async () => {
    const { baseUrl } = await startServer((response, _, nth) =>
      nth === 1 ? json(response, 429, providerError()) : json(response, 200, payoutBody()),
    );
    const client = clientOf(
      { baseUrl },
      {
        onRetry: () => {
          throw new Error("the log is full");
        },
      },
    );
    expect((await client.createPayout(firstSend)).kind).toBe("accepted");
  });
});

describe("the caller's signal", () => {
  it("ends a call in flight, whose outcome is then unknown", async () => {
    const stop = new AbortController();
    const { baseUrl, received } = await startServer(() => stop.abort());
    const answer = await clientOf({ baseUrl }).createPayout(firstSend, { signal: stop.signal });
    expect(answer).toMatchObject({ kind: "unknown", cause: "interrupted" });
    expect(received).toHaveLength(1);
  });

  it("ends a call whose answer has begun", async () => {
    const stop = new AbortController();
    const { baseUrl } = await startServer((response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      response.write('{"id":', () => stop.abort());
    });
    const answer = await clientOf({ baseUrl }).createPayout(firstSend, { signal: stop.signal });
    expect(answer).toMatchObject({ kind: "unknown", cause: "interrupted" });
  });

  it("that fired before means that nothing is sent", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, payoutBody()),
    );
    const answer = await clientOf({ baseUrl }).createPayout(firstSend, {
      signal: AbortSignal.abort(),
    });
    expect(answer).toEqual({
      kind: "unknown",
      cause: "interrupted",
      detail: "stopped before anything was sent",
    });
    expect(received).toEqual([]);
  });

  it("ends the wait before a repeat; the last answer stands", async () => {
    const stop = new AbortController();
    const { baseUrl, received } = await startServer((response) =>
      json(response, 429, providerError()),
    );
    const client = clientOf({ baseUrl }, { onRetry: () => stop.abort() });
    const answer = await client.createPayout(firstSend, { signal: stop.signal });
    expect(answer).toMatchObject({ fault: "rate-limited", certainlyNotAccepted: true });
    expect(received).toHaveLength(1);
  });
});

describe("looking up", () => {
  it("by reference asks for our account and that reference", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, { entity: "collection", count: 1, items: [payoutBody()] }),
    );
    const answer = await clientOf({ baseUrl }).findPayoutsByReference("po-0001-1");
    expect(answer).toMatchObject({ kind: "accepted", value: [{ id: "pout_MadeUp0000001" }] });
    expect(received[0]?.url).toBe(
      `/v1/payouts?account_number=${ACCOUNT_NUMBER}&reference_id=po-0001-1&count=100`,
    );
  });

  it("by reference, with none found, is an empty list and accepted", async () => {
    const { baseUrl } = await startServer((response) =>
      json(response, 200, { entity: "collection", count: 0, items: [] }),
    );
    expect(await clientOf({ baseUrl }).findPayoutsByReference("po-0009-1")).toMatchObject({
      kind: "accepted",
      value: [],
    });
  });

  it("by reference, where the filter was not applied, is unknown rather than found or absent", async () => {
    const { baseUrl } = await startServer((response) =>
      json(response, 200, { items: [payoutBody({ reference_id: "po-0002-1" })] }),
    );
    expect(await clientOf({ baseUrl }).findPayoutsByReference("po-0001-1")).toMatchObject({
      kind: "unknown",
      cause: "unreadable-answer",
    });
  });

  it("never turns an empty id or reference into a list of everything", async () => {
    const { baseUrl, received } = await startServer((response) => json(response, 200, {}));
    const client = clientOf({ baseUrl });
    const code = "RAZORPAYX_ARGUMENT_INVALID";
    await expect(client.fetchPayout("")).rejects.toMatchObject({ code });
    await expect(client.fetchPayout("../contacts")).rejects.toMatchObject({ code });
    await expect(client.cancelPayout("")).rejects.toMatchObject({ code });
    await expect(client.findPayoutsByReference(" ")).rejects.toMatchObject({ code });
    await expect(client.listPayouts({ count: 0 })).rejects.toMatchObject({ code });
    expect(received).toEqual([]);
  });

  it("a page covers whole seconds, so that nothing at its edges is lost", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, { items: [] }),
    );
    await clientOf({ baseUrl }).listPayouts({
      fromMs: 1_750_000_000_900,
      toMs: 1_750_000_001_100,
      status: "processed",
      count: 50,
      skip: 100,
    });
    expect(received[0]?.url).toBe(
      `/v1/payouts?account_number=${ACCOUNT_NUMBER}&status=processed` +
        "&from=1750000000&to=1750000002&count=50&skip=100",
    );
  });
});

describe("the other records", () => {
  it("a contact is created and read", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, {
        id: "cont_MadeUp0000001",
        entity: "contact",
        name: "Asha Rao",
        type: "vendor",
        reference_id: "c-1",
        active: true,
        notes: [],
      }),
    );
    const answer = await clientOf({ baseUrl }).createContact({
      name: "Asha Rao",
      type: "vendor",
      referenceId: "c-1",
    });
    expect(answer).toMatchObject({
      kind: "accepted",
      value: { id: "cont_MadeUp0000001", type: "vendor", referenceId: "c-1", active: true },
      body: { id: "cont_MadeUp0000001", name: "[redacted]" },
    });
    expect(received[0]?.url).toBe("/v1/contacts");
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({
      name: "Asha Rao",
      type: "vendor",
      reference_id: "c-1",
    });
  });

  it.each([
    [
      { kind: "bank_account", name: "Asha Rao", ifsc: "HDFC0000001", accountNumber: "50000000001" },
      {
        account_type: "bank_account",
        bank_account: { name: "Asha Rao", ifsc: "HDFC0000001", account_number: "50000000001" },
      },
    ],
    [
      { kind: "vpa", vpa: "asha@okmadeup" },
      { account_type: "vpa", vpa: { address: "asha@okmadeup" } },
    ],
  ] as const)("a fund account is created from $kind details", async (account, expected) => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, {
        id: "fa_MadeUp0000001",
        contact_id: "cont_MadeUp0000001",
        account_type: account.kind,
        active: false,
      }),
    );
    const answer = await clientOf({ baseUrl }).createFundAccount({
      contactId: "cont_MadeUp0000001",
      account,
    });
    expect(answer).toMatchObject({
      kind: "accepted",
      value: { id: "fa_MadeUp0000001", kind: account.kind, active: false },
    });
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({
      contact_id: "cont_MadeUp0000001",
      ...expected,
    });
  });

  it("a fund account of another contact is not taken for ours", async () => {
    const { baseUrl } = await startServer((response) =>
      json(response, 200, { id: "fa_a", contact_id: "cont_other", account_type: "vpa" }),
    );
    const answer = await clientOf({ baseUrl }).createFundAccount({
      contactId: "cont_MadeUp0000001",
      account: { kind: "vpa", vpa: "asha@okmadeup" },
    });
    expect(answer).toMatchObject({ kind: "unknown", cause: "unreadable-answer" });
  });

  it("a queued payout is cancelled by its id", async () => {
    const { baseUrl, received } = await startServer((response) =>
      json(response, 200, payoutBody({ status: "cancelled" })),
    );
    const answer = await clientOf({ baseUrl }).cancelPayout("pout_MadeUp0000001");
    expect(answer).toMatchObject({ kind: "accepted", value: { status: "cancelled" } });
    expect(received[0]).toMatchObject({
      method: "POST",
      url: "/v1/payouts/pout_MadeUp0000001/cancel",
      body: "",
    });
  });

  it("transactions are read with their source", async () => {
    const { baseUrl } = await startServer((response) =>
      json(response, 200, {
        items: [
          {
            id: "txn_MadeUp0000001",
            entity: "transaction",
            account_number: ACCOUNT_NUMBER,
            amount: 218,
            currency: "INR",
            credit: 0,
            debit: 218,
            balance: -12,
            source: { id: "pout_MadeUp0000001", entity: "payout", amount: 100 },
            created_at: 1_750_000_000,
          },
        ],
      }),
    );
    expect(await clientOf({ baseUrl }).listTransactions({})).toMatchObject({
      kind: "accepted",
      value: [
        {
          id: "txn_MadeUp0000001",
          amountPaise: 218n,
          creditPaise: 0n,
          debitPaise: 218n,
          balancePaise: -12n,
          source: { id: "pout_MadeUp0000001", entity: "payout" },
          createdAt: new Date(1_750_000_000_000),
        },
      ],
    });
  });

  it("balances say which one is the account that pays, without its number", async () => {
    const account = { entity: "banking_balance", currency: "INR", account_type: "current_account" };
    const { baseUrl } = await startServer((response) =>
      json(response, 200, {
        items: [
          { ...account, account_number: "7000000000000099", amount: 5, refreshed_at: null },
          {
            ...account,
            account_number: ACCOUNT_NUMBER,
            amount: 900_00,
            available_amount: 800_00,
            refreshed_at: 1_750_000_000,
          },
        ],
      }),
    );
    const answer = await clientOf({ baseUrl }).balances();
    expect(answer).toMatchObject({
      kind: "accepted",
      value: [
        { isPayoutAccount: false, amountPaise: 5n, availablePaise: 5n, refreshedAt: null },
        { isPayoutAccount: true, amountPaise: 900_00n, availablePaise: 800_00n },
      ],
    });
    if (answer.kind !== "accepted") return;
    expect(JSON.stringify(answer.body)).not.toContain(ACCOUNT_NUMBER);
  });
});

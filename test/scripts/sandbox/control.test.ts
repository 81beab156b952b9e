import { createHash } from "node:crypto";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { describe, expect, it, vi } from "vitest";
import { startSandbox } from "../../../scripts/sandbox/razorpay/index.ts";
import type { CallRecord } from "../../../scripts/sandbox/razorpay/index.ts";
import {
  addBankAccount,
  call,
  errorOf,
  eventually,
  idOf,
  manualClock,
  openSandbox,
  pay,
  payoutBody,
} from "./support.ts";

/** Plants a fault, as a browser could. */
async function callControl(
  port: number,
  headers: Record<string, string>,
): Promise<{ status: number | undefined; said: string }> {
  const sent = request({
    host: "127.0.0.1",
    port,
    method: "POST",
    path: "/__sandbox/faults",
    headers: { "content-type": "text/plain", ...headers },
  });
  sent.end('{"on": "POST /payouts", "status": 503}');
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode, said: await text(answer) };
}

const noCredentials = { authorization: "" };

describe("the control endpoints", () => {
  it("show every payout accepted with its history, and ask for no credentials", async () => {
    const clock = manualClock();
    const sandbox = await openSandbox({ clock });
    const fundAccountId = await addBankAccount(sandbox);
    const id = idOf(await pay(sandbox, fundAccountId, {}, { key: "key-a" }));
    clock.advance(1000);
    const move = await call(sandbox, `POST /__sandbox/payouts/${id}/status`, {
      ...noCredentials,
      body: { status: "failed", reason: "bank_account_frozen" },
    });
    const record = {
      id,
      status: "failed",
      amount: 100_000,
      reference_id: "payout-1",
      idempotency_key: "key-a",
      fund_account_id: fundAccountId,
      mode: "IMPS",
      history: [
        { status: "processing", at: "2026-11-02T10:00:00.000Z", reason: "payout_bank_processing" },
        { status: "failed", at: "2026-11-02T10:00:01.000Z", reason: "bank_account_frozen" },
      ],
      live: false,
    };
    expect(move.body).toEqual(record);
    const list = await call(sandbox, "GET /__sandbox/payouts", noCredentials);
    expect(list.body).toEqual({ count: 1, items: [record] });
    expect(sandbox.payouts()).toEqual([record]);
  });

  it.each([
    ["a name that somebody else leads here", { host: "evil.example:4577" }],
    ["a name that only begins like one of this machine", { host: "localhost.evil.example" }],
    ["a page of another site", { origin: "https://evil.example" }],
    ["a page of another port", { origin: "http://127.0.0.1:1" }],
    ["a page without an origin of its own", { origin: "null" }],
  ])("refuse %s, and do nothing", async (_, headers) => {
    const sandbox = await openSandbox();
    const answer = await callControl(sandbox.port, headers);
    expect(answer).toEqual({
      status: 403,
      said: expect.stringContaining('"description"') as string,
    });
    expect(sandbox.faults()).toEqual([]);
  });

  it.each(["127.0.0.1", "localhost", "[::1]"])(
    "answer to %s, and to a page of their own",
    async (name) => {
      const sandbox = await openSandbox();
      const host = `${name}:${sandbox.port}`;
      for (const headers of [{ host }, { host, origin: `http://${host}` }])
        expect(await callControl(sandbox.port, headers)).toMatchObject({ status: 200 });
      expect(sandbox.faults()).toHaveLength(2);
    },
  );

  it("let no time pass by being read", async () => {
    const sandbox = await openSandbox();
    const id = idOf(await pay(sandbox, await addBankAccount(sandbox)));
    await call(sandbox, "GET /__sandbox/payouts");
    expect(sandbox.payouts()[0]?.status).toBe("processing");
    await call(sandbox, `GET /payouts/${id}`);
    expect(sandbox.payouts()[0]?.status).toBe("processed");
  });

  it("refuse a move that the graph does not have, an unknown payout and an unknown state", async () => {
    const sandbox = await openSandbox();
    const id = idOf(await pay(sandbox, await addBankAccount(sandbox)));
    const move = (payoutId: string, status: string) =>
      call(sandbox, `POST /__sandbox/payouts/${payoutId}/status`, { body: { status } });
    expect(errorOf(await move(id, "queued"))["description"]).toMatch(
      /is processing and cannot become queued .*processed, reversed, failed/,
    );
    expect(errorOf(await move("pout_unknown", "failed"))["description"]).toMatch(/no payout/);
    expect(errorOf(await move(id, "paid"))["description"]).toMatch(/status/);
  });

  it("log every call of the API, and none of their own", async () => {
    const clock = manualClock();
    const sandbox = await openSandbox({ clock });
    const body = payoutBody(sandbox, await addBankAccount(sandbox));
    await call(sandbox, "POST /v1/payouts", { body, key: "key-a" });
    await call(sandbox, "GET /payouts?account_number=1");
    await call(sandbox, "GET /payouts", { authorization: "Basic wrong" });
    const log = await call(sandbox, "GET /__sandbox/calls", noCredentials);
    const at = "2026-11-02T10:00:00.000Z";
    const hash = createHash("sha256").update(JSON.stringify(body)).digest("hex");
    const read = { at, method: "GET", path: "/payouts", idempotency_key: null, mutating: false };
    expect((log.body["items"] as CallRecord[]).slice(2)).toEqual([
      {
        at,
        method: "POST",
        path: "/payouts",
        status: 200,
        idempotency_key: "key-a",
        body_sha256: hash,
        mutating: true,
      },
      { ...read, status: 400, body_sha256: null },
      { ...read, status: 401, body_sha256: null },
    ]);
    expect(log.body).toMatchObject({ total: 5, count: 5 });
  });

  it("add, show and clear faults, and name an unknown field", async () => {
    const sandbox = await openSandbox();
    const post = (body: unknown) =>
      call(sandbox, "POST /__sandbox/faults", { ...noCredentials, body });
    await post({ on: "POST /payouts", status: 503 });
    const added = await post([{ on: "*", delayMs: 1, times: 3 }]);
    expect(added.body).toMatchObject({
      count: 2,
      items: [{ status: 503, remaining: 1, skipsLeft: 0 }, { remaining: 3 }],
    });
    expect(errorOf(await post({ on: "*", stauts: 503 }))["description"]).toContain(
      'faults[0]: Unrecognized key: "stauts"',
    );
    expect((await call(sandbox, "GET /__sandbox/faults")).body["count"]).toBe(2);
    await call(sandbox, "DELETE /__sandbox/faults");
    expect((await call(sandbox, "GET /__sandbox/faults")).body["count"]).toBe(0);
  });

  it("set the balance or add to it", async () => {
    const sandbox = await openSandbox({ balancePaise: 1000n });
    const post = (body: unknown) => call(sandbox, "POST /__sandbox/balance", { body });
    expect((await post({ addPaise: 500 })).body).toEqual({
      openingPaise: 1000,
      creditsPaise: 500,
      debitsPaise: 0,
      balancePaise: 1500,
    });
    expect((await post({ balancePaise: 200 })).body).toMatchObject({ balancePaise: 200 });
    for (const body of [
      {},
      { addPaise: 1, balancePaise: 1 },
      { addPaise: 0.5 },
      { addPaise: -201 },
    ])
      errorOf(await post(body));
    expect((await call(sandbox, "GET /__sandbox/balance")).body).toEqual(sandbox.account());
  });

  it("reset everything, and never hand out an id again", async () => {
    const sandbox = await openSandbox();
    const fundAccountId = await addBankAccount(sandbox);
    const id = idOf(await pay(sandbox, fundAccountId, {}, { key: "key-a" }));
    sandbox.addFaults({ on: "*", status: 500 });
    await call(sandbox, "POST /__sandbox/reset");
    expect(sandbox.payouts()).toEqual([]);
    expect(sandbox.calls()).toEqual([]);
    expect(sandbox.faults()).toEqual([]);
    expect(sandbox.account().balancePaise).toBe(sandbox.account().openingPaise);
    errorOf(await pay(sandbox, fundAccountId));
    const again = await pay(sandbox, await addBankAccount(sandbox), {}, { key: "key-a" });
    expect(idOf(again)).not.toBe(id);
  });

  it("answer 404 to what does not exist", async () => {
    const sandbox = await openSandbox();
    for (const route of ["GET /__sandbox/payout", "DELETE /__sandbox/calls"])
      errorOf(await call(sandbox, route), 404);
  });
});

describe("a running sandbox", () => {
  it("is reachable on the loopback address only, by the URL that it names", async () => {
    const sandbox = await openSandbox();
    expect(sandbox.url).toBe(`http://127.0.0.1:${sandbox.port}`);
    expect(sandbox.env).toEqual({
      RAZORPAY_BASE_URL: `${sandbox.url}/v1`,
      RAZORPAY_KEY_ID: "rzp_test_sandbox",
      RAZORPAY_KEY_SECRET: "sandbox_secret",
      RAZORPAYX_KEY_ID: "rzp_test_sandbox",
      RAZORPAYX_KEY_SECRET: "sandbox_secret",
      RAZORPAYX_ACCOUNT_NUMBER: "7878780080316316",
    });
  });

  it("tells its owner of each call, when asked to", async () => {
    const onCall = vi.fn();
    const sandbox = await openSandbox({ onCall });
    await call(sandbox, "GET /contacts");
    await eventually(() => expect(onCall).toHaveBeenCalledOnce());
    expect(onCall).toHaveBeenCalledWith(
      expect.objectContaining({ method: "GET", path: "/contacts", status: 200 }),
    );
  });

  it("refuses a port in use and a balance that is not whole paise", async () => {
    const { port } = await openSandbox();
    await expect(startSandbox({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    for (const balancePaise of [-1, 0.5, 2n ** 60n])
      await expect(startSandbox({ balancePaise })).rejects.toThrow(RangeError);
  });

  it("may be closed twice", async () => {
    const sandbox = await openSandbox();
    await sandbox.close();
    await sandbox.close();
  });
});

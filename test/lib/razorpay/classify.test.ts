import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { classify } from "../../../lib/razorpay/classify.ts";
import { payoutReader } from "../../../lib/razorpay/read-entities.ts";
import {
  clientOf,
  firstSend,
  json,
  KEY_SECRET,
  payoutBody,
  providerError,
  startServer,
} from "./provider-double.ts";
import type { Answer } from "../../../lib/provider/index.ts";

type Respond = (response: ServerResponse) => void;

/** The parts of an answer that a caller decides by. */
function verdict(answer: Answer<unknown>): string {
  switch (answer.kind) {
    case "accepted":
      return "accepted";
    case "refused":
      return `refused ${answer.failure.code}`;
    case "unknown":
      return `unknown ${answer.cause}`;
    case "systemic":
      return `systemic ${answer.fault}${answer.certainlyNotAccepted ? ", certainly" : ""}`;
  }
}

function html(httpStatus: number): Respond {
  return (response) => {
    response.writeHead(httpStatus, { "Content-Type": "text/html" });
    response.end("<html><body>made-up proxy page</body></html>");
  };
}

function refusal(httpStatus: number, code?: string, more?: Record<string, string>): Respond {
  return (response) => json(response, httpStatus, providerError(code, more));
}

function cutShort(response: ServerResponse): void {
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "1000" });
  response.write('{"id":"pout_');
  setImmediate(() => response.socket?.destroy());
}

async function ask(
  respond: Respond,
  call: (client: ReturnType<typeof clientOf>) => Promise<Answer<unknown>>,
): Promise<{ answer: Answer<unknown>; requests: number }> {
  const { baseUrl, received } = await startServer(respond);
  const answer = await call(clientOf({ baseUrl }));
  return { answer, requests: received.length };
}

describe("creating a payout", () => {
  const rows: [name: string, respond: Respond, first: string, resend: string][] = [
    ["a payout", (response) => json(response, 200, payoutBody()), "accepted", "accepted"],
    ["an HTML page with 200", html(200), "unknown unreadable-answer", "unknown unreadable-answer"],
    [
      "an empty 204",
      (response) => response.writeHead(204).end(),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "JSON that was cut short",
      (response) => response.end(JSON.stringify(payoutBody()).slice(0, 80)),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a payout without an id",
      (response) => {
        const body = payoutBody();
        delete body["id"];
        json(response, 200, body);
      },
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a payout without a status",
      (response) => json(response, 200, payoutBody({ status: null })),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a payout of another amount",
      (response) => json(response, 200, payoutBody({ amount: 123_457 })),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a payout with another reference",
      (response) => json(response, 200, payoutBody({ reference_id: "po-0002-1" })),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a payout to another fund account",
      (response) => json(response, 200, payoutBody({ fund_account_id: "fa_Other" })),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a payout in another currency",
      (response) => json(response, 200, payoutBody({ currency: "MYR" })),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    ["400", refusal(400), "refused BAD_REQUEST_ERROR", "unknown conflict"],
    ["422", refusal(422), "refused BAD_REQUEST_ERROR", "unknown conflict"],
    [
      "400 for insufficient funds",
      refusal(400, undefined, { reason: "insufficient_funds" }),
      "systemic insufficient-balance, certainly",
      "systemic insufficient-balance",
    ],
    [
      "400 for a low balance",
      refusal(400, undefined, { reason: "low_balance" }),
      "systemic insufficient-balance, certainly",
      "systemic insufficient-balance",
    ],
    [
      "400 for an error of the gateway",
      refusal(400, "GATEWAY_ERROR"),
      "unknown server-error",
      "unknown server-error",
    ],
    ["400 with an HTML page", html(400), "unknown unreadable-answer", "unknown unreadable-answer"],
    [
      "400 without an error code",
      (response) => json(response, 400, { error: { description: "made up" } }),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "401",
      refusal(401, "BAD_REQUEST_AUTHENTICATION_ERROR"),
      "systemic credentials, certainly",
      "systemic credentials",
    ],
    ["403", refusal(403), "systemic not-allow-listed, certainly", "systemic not-allow-listed"],
    ["403 from a proxy", html(403), "systemic not-allow-listed", "systemic not-allow-listed"],
    ["404", refusal(404), "systemic wrong-address, certainly", "systemic wrong-address"],
    ["404 from a proxy", html(404), "systemic wrong-address", "systemic wrong-address"],
    ["408", refusal(408), "unknown timeout", "unknown timeout"],
    ["409", refusal(409), "unknown conflict", "unknown conflict"],
    ["410", refusal(410), "unknown unreadable-answer", "unknown unreadable-answer"],
    ["429", refusal(429), "systemic rate-limited, certainly", "systemic rate-limited"],
    ["429 from a proxy", html(429), "systemic rate-limited", "systemic rate-limited"],
    ["500", refusal(500, "SERVER_ERROR"), "unknown server-error", "unknown server-error"],
    ["502 from a proxy", html(502), "unknown server-error", "unknown server-error"],
    [
      "a redirect",
      (response) => response.writeHead(307, { Location: "/v1/payouts/elsewhere" }).end(),
      "systemic wrong-address",
      "systemic wrong-address",
    ],
    [
      "a connection that ends before an answer",
      (response) => response.socket?.destroy(),
      "unknown connection-lost",
      "unknown connection-lost",
    ],
    [
      "a connection that is reset before an answer",
      (response) => response.socket?.resetAndDestroy(),
      "unknown connection-lost",
      "unknown connection-lost",
    ],
    [
      "a connection that ends inside the answer",
      cutShort,
      "unknown connection-lost",
      "unknown connection-lost",
    ],
    [
      "bytes that are not HTTP",
      (response) => response.socket?.end("made-up noise\r\n\r\n"),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
    [
      "a compressed answer that does not unpack",
      (response) =>
        response.writeHead(200, { "Content-Encoding": "gzip" }).end("not compressed at all"),
      "unknown unreadable-answer",
      "unknown unreadable-answer",
    ],
  ];

  it.each(rows)(
    "answered with %s, is judged by what is certain",
    async (_, respond, first, again) => {
      const sent = await ask(respond, (client) => client.createPayout(firstSend));
      expect(verdict(sent.answer)).toBe(first);
      const resent = await ask(respond, (client) =>
        client.createPayout({ ...firstSend, resend: true }),
      );
      expect(verdict(resent.answer)).toBe(again);
    },
  );

  it("is sent once, whatever is answered, except for 429", async () => {
    for (const [name, respond] of rows) {
      const { requests } = await ask(respond, (client) => client.createPayout(firstSend));
      expect({ name, requests }).toEqual({ name, requests: name.startsWith("429") ? 6 : 1 });
    }
  });

  it("that nothing answers in time is unknown", async () => {
    const { baseUrl } = await startServer(() => undefined);
    const answer = await clientOf({ baseUrl, timeoutMs: 40 }).createPayout(firstSend);
    expect(verdict(answer)).toBe("unknown timeout");
  });

  it("whose answer only drips in is unknown when its time is up", async () => {
    const { baseUrl } = await startServer((response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      const drip = setInterval(() => response.write(" "), 5);
      response.on("close", () => clearInterval(drip));
    });
    const answer = await clientOf({ baseUrl, timeoutMs: 60 }).createPayout(firstSend);
    expect(verdict(answer)).toBe("unknown timeout");
  });

  it("at a port where nobody listens stops the run without being certain", async () => {
    const baseUrl = `http://127.0.0.1:${await freePort()}/v1`;
    const answer = await clientOf({ baseUrl }).createPayout(firstSend);
    expect(verdict(answer)).toBe("systemic gateway-unreachable");
    expect(answer).toMatchObject({ detail: "ECONNREFUSED" });
  });

  it("at a server that does not speak TLS stops the run without being certain", async () => {
    const { port, received } = await startServer((response) => json(response, 200, payoutBody()));
    const answer = await clientOf({ baseUrl: `https://127.0.0.1:${port}/v1` }).createPayout(
      firstSend,
    );
    expect(verdict(answer)).toBe("systemic gateway-unreachable");
    expect(received).toEqual([]);
  });

  it("goes straight to this machine even where a proxy is configured", async () => {
    vi.stubEnv("HTTP_PROXY", `http://127.0.0.1:${await freePort()}`);
    vi.stubEnv("NO_PROXY", "");
    try {
      const { answer } = await ask(
        (response) => json(response, 200, payoutBody()),
        (client) => client.createPayout(firstSend),
      );
      expect(verdict(answer)).toBe("accepted");
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it("never puts the credentials into an answer", async () => {
    for (const [, respond] of rows) {
      const { answer } = await ask(respond, (client) => client.createPayout(firstSend));
      const shown = JSON.stringify(answer, (_, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      );
      expect(shown).not.toContain(KEY_SECRET);
      expect(shown).not.toContain(Buffer.from(KEY_SECRET).toString("base64").slice(4, 12));
    }
  });

  it("keeps a status that it does not know as unrecognised, in the provider's word", async () => {
    const { answer } = await ask(
      (response) => json(response, 200, payoutBody({ status: "on_the_moon" })),
      (client) => client.createPayout(firstSend),
    );
    expect(answer).toMatchObject({
      kind: "accepted",
      value: { status: "unrecognised", statusText: "on_the_moon" },
    });
  });

  it("reads absent details however the provider writes them", async () => {
    const { answer } = await ask(
      (response) =>
        json(
          response,
          200,
          payoutBody({
            utr: "null",
            notes: {},
            fees: null,
            status_details: { reason: "null", source: "", description: null, step: "null" },
            a_new_field: { nested: [1] },
          }),
        ),
      (client) => client.createPayout(firstSend),
    );
    expect(answer).toMatchObject({
      kind: "accepted",
      value: {
        id: "pout_MadeUp0000001",
        status: "processing",
        amountPaise: 123_456n,
        feesPaise: null,
        feesTaxPaise: 0n,
        utr: null,
        statusReason: null,
        statusSource: null,
        referenceId: "po-0001-1",
        fundAccountId: "fa_MadeUp0000001",
        createdAt: new Date(1_750_000_000_000),
      },
    });
  });

  it("tells the provider's reason for a refusal, with personal data scrubbed", async () => {
    const { answer } = await ask(
      refusal(400, undefined, {
        reason: "invalid_ifsc_code",
        field: "ifsc",
        description: "Account 912345678901 of asha@okmadeup is invalid",
      }),
      (client) => client.createPayout(firstSend),
    );
    expect(answer).toMatchObject({
      kind: "refused",
      httpStatus: 400,
      failure: {
        code: "BAD_REQUEST_ERROR",
        reason: "invalid_ifsc_code",
        field: "ifsc",
        description: "Account [redacted] of [redacted] is invalid",
      },
    });
  });
});

describe("reading", () => {
  it("a payout that the provider does not have is a refusal, not a fault", async () => {
    for (const httpStatus of [400, 404]) {
      const { answer } = await ask(refusal(httpStatus), (client) =>
        client.fetchPayout("pout_MadeUp0000001"),
      );
      expect(verdict(answer)).toBe("refused BAD_REQUEST_ERROR");
    }
  });

  it("a payout through a proxy that answers 404 proves nothing", async () => {
    const { answer } = await ask(html(404), (client) => client.fetchPayout("pout_MadeUp0000001"));
    expect(verdict(answer)).toBe("systemic wrong-address");
  });

  it("a payout that comes back with another id is unreadable", async () => {
    const { answer } = await ask(
      (response) => json(response, 200, payoutBody()),
      (client) => client.fetchPayout("pout_MadeUp0000002"),
    );
    expect(verdict(answer)).toBe("unknown unreadable-answer");
  });

  it.each<[string, object]>([
    ["without items", { entity: "collection", count: 0 }],
    ["that counts items and holds none", { entity: "collection", count: 3, items: [] }],
    ["with one unreadable item", { items: [payoutBody(), { id: "pout_MadeUp0000002" }] }],
  ])("a list %s is unreadable rather than short", async (_, body) => {
    const { answer } = await ask(
      (response) => response.end(JSON.stringify(body)),
      (client) => client.listPayouts({}),
    );
    expect(verdict(answer)).toBe("unknown unreadable-answer");
  });

  it("a list at a wrong address is never an empty list", async () => {
    const { answer } = await ask(refusal(404), (client) => client.listPayouts({}));
    expect(verdict(answer)).toBe("systemic wrong-address, certainly");
  });
});

describe("a fault that can't be staged on this machine", () => {
  it.each([
    ["ENOTFOUND", "systemic gateway-unreachable"],
    ["EAI_AGAIN", "systemic gateway-unreachable"],
    ["EHOSTUNREACH", "systemic gateway-unreachable"],
    ["CERT_HAS_EXPIRED", "systemic gateway-unreachable"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "systemic gateway-unreachable"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "systemic gateway-unreachable"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "systemic gateway-unreachable"],
    ["ECONNRESET", "unknown connection-lost"],
    ["EPIPE", "unknown connection-lost"],
    ["ETIMEDOUT", "unknown timeout"],
    ["UND_ERR_CONNECT_TIMEOUT", "unknown timeout"],
    ["UND_ERR_SOCKET", "unknown connection-lost"],
    ["UND_ERR_HEADERS_OVERFLOW", "unknown unreadable-answer"],
    ["UND_ERR_PRX_TLS", "systemic gateway-unreachable"],
    ["A_CODE_OF_TOMORROW", "unknown connection-lost"],
  ])("with the code %s is %s", (code, expected) => {
    const answer = classify(
      { kind: "no-answer", reason: "network", code },
      { call: "create-payout", resend: false, read: payoutReader("7878780080316316") },
    );
    expect(verdict(answer)).toBe(expected);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

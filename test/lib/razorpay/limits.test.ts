import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { LARGEST_ANSWER_BYTES } from "../../../lib/razorpay/transport.ts";
import { clientOf, firstSend, payoutBody, providerError, startServer } from "./provider-double.ts";
import type { Answer } from "../../../lib/provider/index.ts";

/** A block of an answer, and the least number of them that is too many. */
const BLOCK = Buffer.alloc(64 * 1024, "x");
const TOO_MANY = LARGEST_ANSWER_BYTES / BLOCK.length + 1;

async function pay(
  respond: (response: ServerResponse) => void,
  timeoutMs = 60_000,
): Promise<{ answer: Answer<unknown>; requests: number }> {
  const { baseUrl, received } = await startServer(respond);
  const answer = await clientOf({ baseUrl, timeoutMs }).createPayout(firstSend);
  return { answer, requests: received.length };
}

/** Sends as long as somebody takes it; gives what was sent until the other side hung up. */
function sendWithoutEnd(response: ServerResponse, status: number): Promise<number> {
  return new Promise((resolve) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    let sent = 0;
    const more = (): void => {
      while (!response.destroyed) {
        sent += BLOCK.length;
        if (!response.write(BLOCK)) return void response.once("drain", more);
      }
    };
    response.once("close", () => resolve(sent));
    more();
  });
}

describe("an answer to a payout", () => {
  it.each([200, 400, 401, 500])(
    "of %d that has no end leaves the payout unknown, and the connection ends at the limit",
    async (status) => {
      let sent: Promise<number> | undefined;
      const { answer, requests } = await pay((response) => {
        sent = sendWithoutEnd(response, status);
      });
      expect(answer).toMatchObject({ kind: "unknown", cause: "unreadable-answer" });
      expect(requests).toBe(1);
      // What both systems keep in their buffers comes on top.
      expect(await sent).toBeLessThan(LARGEST_ANSWER_BYTES + 16 * 2 ** 20);
    },
  );

  it("whose length is said beforehand and is too large is unknown, though it says refused", async () => {
    const padded = JSON.stringify(providerError()).padEnd(BLOCK.length * TOO_MANY);
    const { answer } = await pay((response) => {
      response.writeHead(400, {
        "Content-Type": "application/json",
        "Content-Length": padded.length,
      });
      response.end(padded);
    });
    expect(answer).toMatchObject({ kind: "unknown", cause: "unreadable-answer" });
  });

  it("just within the limit is read", async () => {
    const padded = JSON.stringify(payoutBody()).padEnd(LARGEST_ANSWER_BYTES);
    const { answer } = await pay((response) => void response.writeHead(200).end(padded));
    expect(answer).toMatchObject({ kind: "accepted" });
  });

  it("that is compressed is not unpacked, however large it would be", async () => {
    const { answer } = await pay((response) => {
      response.writeHead(200, { "Content-Encoding": "gzip", "Content-Type": "application/json" });
      response.end(gzipSync(Buffer.alloc(64 * 2 ** 20, " ")));
    });
    expect(answer).toMatchObject({ kind: "unknown", cause: "unreadable-answer" });
  });

  it("that is shorter than it says is unknown", async () => {
    const { answer } = await pay((response) => {
      response.writeHead(200, { "Content-Length": "1000" });
      response.write(JSON.stringify(payoutBody()));
      setImmediate(() => response.socket?.end());
    });
    expect(answer).toMatchObject({ kind: "unknown", cause: "connection-lost" });
  });

  it("that drips in ends when time is up, though it is never silent", async () => {
    let drops = 0;
    const { answer } = await pay((response) => {
      response.writeHead(200, { "Content-Type": "application/json" });
      const drip = setInterval(() => {
        drops += 1;
        response.write(" ");
      }, 20);
      response.once("close", () => clearInterval(drip));
    }, 1_000);
    expect(answer).toMatchObject({ kind: "unknown", cause: "timeout" });
    expect(drops).toBeGreaterThan(1);
  });

  it("that refuses in a text longer than any of the provider's is unknown, not refused", async () => {
    const description = "x".repeat(1_000_000);
    const { answer } = await pay((response) => {
      response.writeHead(400, { "Content-Type": "application/json" });
      response.end(JSON.stringify(providerError("BAD_REQUEST_ERROR", { description })));
    });
    expect(answer).toMatchObject({ kind: "unknown", cause: "unreadable-answer" });
  });
});

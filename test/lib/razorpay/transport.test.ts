import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { createTransport, type Transport } from "../../../lib/razorpay/transport.ts";
import { json, KEY_ID, KEY_SECRET, startServer } from "./provider-double.ts";

afterEach(() => vi.unstubAllEnvs());

describe("a connection", () => {
  it("serves one request after another", async () => {
    const { transport, sockets } = await openServer();
    await transport(payout);
    // A connection is free in the turn of the event loop after its answer.
    await nextTurn();
    await transport(payout);
    expect(new Set(sockets).size).toBe(1);
  });

  it("serves one request at a time", async () => {
    const { transport, sockets } = await openServer();
    await Promise.all([transport(payout), transport(payout), transport(payout)]);
    expect(new Set(sockets).size).toBe(3);
  });

  it("that nobody uses is closed by us, and the next request opens another", async () => {
    const { transport, sockets } = await openServer();
    await transport(payout);
    const [idle] = sockets;
    if (!idle) throw new Error("no connection was made");
    await once(idle, "close");
    expect(await transport(payout)).toMatchObject({ kind: "answer", httpStatus: 200 });
    expect(new Set(sockets).size).toBe(2);
  });

  it("that the provider has closed carries no further request", async () => {
    const { transport, sockets } = await openServer();
    await transport(payout);
    const [idle] = sockets;
    if (!idle) throw new Error("no connection was made");
    const closed = once(idle, "close");
    idle.end();
    await closed;
    expect(await transport(payout)).toMatchObject({ kind: "answer", httpStatus: 200 });
    expect(sockets).toHaveLength(2);
  });

  it("that breaks under a request loses it once: nothing is sent again", async () => {
    const { transport, sockets } = await openServer((socket, nth) => {
      if (nth === 2) socket.destroy();
    });
    await transport(payout);
    await nextTurn();
    expect(await transport(payout)).toMatchObject({ kind: "no-answer", reason: "network" });
    expect(sockets).toHaveLength(2);
  });
});

describe("with HTTPS_PROXY", () => {
  it("the provider is reached through a tunnel, in which the proxy reads nothing", async () => {
    const { asked, heard } = await startProxy((socket) => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    });
    const transport = transportTo("https://provider.example/v1", { timeoutMs: 60_000 });
    const stop = new AbortController();
    const answer = transport(payout, stop.signal);
    // The first bytes of a TLS handshake, and nothing of ours.
    const [firstByte] = await heard;
    stop.abort();
    expect(await answer).toEqual({ kind: "no-answer", reason: "interrupted" });
    expect(firstByte).toBe(0x16);
    expect(asked).toMatchObject([{ method: "CONNECT", url: "provider.example:443" }]);
    expect(asked[0]?.headers.authorization).toBeUndefined();
  });

  it("time is up even while the tunnel is made", async () => {
    await startProxy((socket) => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    });
    const transport = transportTo("https://provider.example/v1", { timeoutMs: 1 });
    expect(await transport(payout)).toEqual({ kind: "no-answer", reason: "timeout" });
  });

  it("that refuses, the provider was not reached", async () => {
    await startProxy((socket) => {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    });
    const answer = await transportTo("https://provider.example/v1")(payout);
    expect(answer).toEqual({ kind: "no-answer", reason: "network", code: "UND_ERR_ABORTED" });
  });

  it("this machine is reached without it", async () => {
    const { asked } = await startProxy((socket) => socket.destroy());
    const { baseUrl } = await startServer((response) => json(response, 200, {}));
    expect(await transportTo(baseUrl)(payout)).toMatchObject({ httpStatus: 200 });
    expect(asked).toEqual([]);
  });
});

const payout = { method: "POST", path: "/payouts", body: "{}" } as const;

function transportTo(
  baseUrl: string,
  { timeoutMs = 10_000 }: { timeoutMs?: number } = {},
): Transport {
  return createTransport({ keyId: KEY_ID, keySecret: KEY_SECRET, baseUrl, timeoutMs });
}

/** The connection of each request, in their order. */
async function openServer(
  onRequest: (socket: Socket, nth: number) => void = () => undefined,
): Promise<{ transport: Transport; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const { baseUrl } = await startServer((response) => {
    const { socket } = response.req;
    sockets.push(socket);
    onRequest(socket, sockets.length);
    if (!socket.destroyed) json(response, 200, {});
  });
  return { transport: transportTo(baseUrl), sockets };
}

/** A proxy on this machine for everything beyond it, and what was asked of it. */
async function startProxy(
  answer: (socket: Duplex) => void,
): Promise<{ asked: IncomingMessage[]; heard: Promise<Buffer> }> {
  const asked: IncomingMessage[] = [];
  const tunnels: Duplex[] = [];
  const server = createServer((request, response) => {
    asked.push(request);
    response.destroy();
  });
  const heard = new Promise<Buffer>((resolve) => {
    server.on("connect", (request, socket) => {
      asked.push(request);
      tunnels.push(socket);
      socket.on("error", () => undefined);
      socket.once("data", resolve);
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const tunnel of tunnels) tunnel.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  vi.stubEnv("HTTPS_PROXY", `http://127.0.0.1:${port}`);
  vi.stubEnv("NO_PROXY", "");
  return { asked, heard };
}

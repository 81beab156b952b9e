import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** A wire between a client and a real server that a test can cut or silence. */
export interface TcpProxy {
  /** The same address through this proxy. */
  through(url: string): string;
  /** Connections stay open and new ones are accepted, but nothing is passed on any more. */
  silence(): void;
  /** Every connection breaks, and new ones break at once, until `restore`. */
  cut(): void;
  restore(): void;
  /** How many new connections broke at once. */
  refused(): number;
  /** Client connections that are open now. */
  open(): number;
  close(): Promise<void>;
}

/** A proxy on loopback to the host and port of `url`. */
export async function openTcpProxy(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  const clients = new Set<Socket>();
  let state: "open" | "silent" | "cut" = "open";
  let refused = 0;

  const server: Server = createServer((client) => {
    clients.add(client);
    client.on("close", () => clients.delete(client));
    client.on("error", () => undefined);
    if (state === "cut") {
      refused += 1;
      client.destroy();
      return;
    }
    const upstream = connect({ host: hostname, port: Number(port) });
    upstream.on("error", () => client.destroy());
    upstream.on("close", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.on("data", (bytes) => {
      if (state === "open") upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (state === "open") client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = (server.address() as AddressInfo).port;

  return {
    through(address) {
      const target = new URL(address);
      target.hostname = "127.0.0.1";
      target.port = String(own);
      return target.href;
    },
    silence: () => void (state = "silent"),
    cut() {
      state = "cut";
      for (const client of clients) client.destroy();
    },
    restore: () => void (state = "open"),
    refused: () => refused,
    open: () => clients.size,
    async close() {
      for (const client of clients) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

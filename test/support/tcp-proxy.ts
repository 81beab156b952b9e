import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** The bytes on the wire that a test waits for. */
export interface Passing {
  /** Part of the client's bytes, such as a statement or the line of a request. */
  text: string;
  /** How many times it has to be sent; default 1. */
  time?: number;
  /**
   * `before` (default): nothing of it has gone on yet. `after`: the server has it, and the first bytes of
   * its answer are here and have not gone on yet.
   */
  side?: "before" | "after";
}

/** A wire between clients and a real server that a test can break in every way that wires break. */
export interface TcpProxy {
  /** The same address through this proxy. */
  through(url: string): string;
  /** Every connection is reset; a new one can be made at once. */
  drop(): void;
  /** Every connection is reset, and new ones break at once, until `restore`. */
  cut(): void;
  /** Nothing is lost and nothing arrives until `restore`, which sends the delayed bytes. */
  hold(): void;
  /**
   * Half-open: connections stay open and new ones are accepted, but no byte and no end of a connection passes.
   * `restore` lets new connections through; these stay dead.
   */
  silence(): void;
  restore(): void;
  /** Does `action` once, at the moment that is named; resolves when it is done. */
  when(passing: Passing, action: () => void): Promise<void>;
  /**
   * The next message that holds `text` reaches the server and is carried out, and then the connection
   * breaks before the answer: nobody on this side knows whether it happened.
   */
  loseNextAnswerTo(text: string): void;
  /** How many new connections broke at once. */
  refused(): number;
  /** Client connections that are open now. */
  open(): number;
  close(): Promise<void>;
}

interface Wire {
  readonly client: Socket;
  readonly upstream: Socket;
  isSilent: boolean;
  /** Delayed deliveries, in order. */
  readonly held: (() => void)[];
  /** Done when the next bytes come from the server. */
  onAnswer: (() => void)[];
}

interface Watch extends Required<Omit<Passing, "time">> {
  left: number;
  readonly action: () => void;
}

/** A proxy on loopback to the host and port of `url`. */
export async function openTcpProxy(url: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(url);
  const wires = new Set<Wire>();
  const silent = new Set<Socket>();
  const watches = new Set<Watch>();
  let state: "open" | "held" | "silent" | "cut" = "open";
  let refused = 0;

  const pass = (wire: Wire, action: () => void): void => {
    if (wire.isSilent) return;
    if (state === "held") wire.held.push(action);
    else action();
  };
  const reset = (wire: Wire): void => {
    wire.isSilent = true;
    for (const socket of [wire.client, wire.upstream]) socket.resetAndDestroy();
  };
  const look = (wire: Wire, bytes: Buffer): void => {
    for (const watch of watches) {
      if (!bytes.includes(watch.text) || --watch.left > 0) continue;
      watches.delete(watch);
      if (watch.side === "before") watch.action();
      else wire.onAnswer.push(watch.action);
    }
  };

  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    client.on("error", () => undefined);
    if (state === "cut") {
      refused += 1;
      client.resetAndDestroy();
      return;
    }
    if (state === "silent") {
      silent.add(client);
      client.on("close", () => silent.delete(client));
      client.resume();
      return;
    }
    const upstream = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    const wire: Wire = { client, upstream, isSilent: false, held: [], onAnswer: [] };
    wires.add(wire);
    client.on("data", (bytes) => {
      look(wire, bytes);
      pass(wire, () => upstream.write(bytes));
    });
    upstream.on("data", (bytes) => {
      for (const action of wire.onAnswer.splice(0)) action();
      pass(wire, () => client.write(bytes));
    });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on("end", () => pass(wire, () => to.end()));
      from.on("error", () => pass(wire, () => to.destroy()));
      from.on("close", () => {
        pass(wire, () => to.destroy());
        if (client.destroyed && upstream.destroyed) wires.delete(wire);
      });
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const own = (server.address() as AddressInfo).port;

  const isOpen = (client: Socket): boolean => !client.destroyed && !client.readableEnded;
  const proxy: TcpProxy = {
    through(address) {
      const target = new URL(address);
      target.hostname = "127.0.0.1";
      target.port = String(own);
      return target.href;
    },
    drop() {
      for (const wire of wires) reset(wire);
    },
    cut() {
      state = "cut";
      proxy.drop();
    },
    hold: () => void (state = "held"),
    silence() {
      state = "silent";
      for (const wire of wires) wire.isSilent = true;
    },
    restore() {
      state = "open";
      for (const wire of wires) for (const action of wire.held.splice(0)) action();
    },
    when: ({ text, time = 1, side = "before" }, action) =>
      new Promise((resolve) => {
        watches.add({
          text,
          side,
          left: time,
          action: () => {
            action();
            resolve();
          },
        });
      }),
    loseNextAnswerTo: (text) => void proxy.when({ text, side: "after" }, () => proxy.drop()),
    refused: () => refused,
    open: () =>
      [...wires].filter(({ client }) => isOpen(client)).length + [...silent].filter(isOpen).length,
    async close() {
      for (const wire of wires) reset(wire);
      for (const client of silent) client.destroy();
      server.close();
      await once(server, "close");
    },
  };
  return proxy;
}

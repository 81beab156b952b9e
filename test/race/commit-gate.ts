import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { createRequestReader } from "../crash/matrix/wire.ts";
import type { TestDatabase } from "../support/database.ts";

export interface CommitGate {
  /** The same database, through the gate. */
  readonly url: string;
  /** Resolves when a commit waits, with all its locks held. */
  readonly reached: Promise<void>;
  open(): void;
}

/** A line to the database on which the first commit waits until it is let through. */
export async function startCommitGate(database: Pick<TestDatabase, "url">): Promise<CommitGate> {
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  let tellReached = (): void => undefined;
  const reached = new Promise<void>((resolve) => (tellReached = resolve));
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));

  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => other.destroy());
    }
    const requestsOf = createRequestReader();
    let sent = Promise.resolve();
    client.on("data", (bytes) => {
      for (const { bytes: request, statement } of requestsOf(bytes)) {
        sent = sent.then(async () => {
          if (statement?.sql.trim().toUpperCase().startsWith("COMMIT")) {
            tellReached();
            await opened;
          }
          upstream.write(request);
        });
      }
    });
    upstream.on("data", (bytes) => client.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(async () => {
    open();
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  const url = new URL(database.url);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  return { url: url.href, reached, open };
}

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { TestDatabase } from "../../support/database.ts";

/** A line to the database that a test can cut. */
export interface FragileLine {
  /** The same database, over this line. */
  readonly database: TestDatabase;
  /** Ends every session; a new one can be made at once. */
  interrupt(): void;
  /** Ends every session and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /**
   * The next commit reaches the database and is carried out, and then the line breaks before the
   * answer: nobody on this side knows whether it happened.
   */
  loseNextCommitAnswer(): void;
  close(): Promise<void>;
}

export async function openFragileLine(database: TestDatabase): Promise<FragileLine> {
  const target = new URL(database.url);
  const sockets = new Set<Socket>();
  let isCut = false;
  let losesCommitAnswer = false;

  const server = createServer((client) => {
    if (isCut) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port), target.hostname);
    let answersAreLost = false;
    const hangUp = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("close", () => {
        sockets.delete(socket);
        hangUp();
      });
      socket.on("error", hangUp);
    }
    client.on("data", (bytes) => {
      if (losesCommitAnswer && bytes.includes("COMMIT")) {
        losesCommitAnswer = false;
        answersAreLost = true;
      }
      upstream.write(bytes);
    });
    upstream.on("data", (bytes) => {
      if (answersAreLost) hangUp();
      else client.write(bytes);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const url = new URL(database.url);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  const interrupt = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    database: { ...database, url: url.href },
    interrupt,
    cut() {
      isCut = true;
      interrupt();
    },
    mend() {
      isCut = false;
    },
    loseNextCommitAnswer() {
      losesCommitAnswer = true;
    },
    close: async () => {
      interrupt();
      server.close();
      await once(server, "close");
    },
  };
}

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface Monitor {
  /** Where it listens, with a path as monitors have it. */
  readonly url: string;
  /** Method, path and query of each ping. */
  readonly pings: string[];
  close(): Promise<void>;
}

/** A monitor on loopback that notes each ping. */
export async function openMonitor(
  answer: RequestListener = (_request, response) => void response.end("OK"),
): Promise<Monitor> {
  const pings: string[] = [];
  const server = createServer((request, response) => {
    pings.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/ping/token`,
    pings,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

/**
 * A loopback port that is free now. Another process can take it before the server does: the caller then tries
 * again with another.
 */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

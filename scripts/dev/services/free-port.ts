import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

const ATTEMPTS = 5;

/**
 * Starts a server on a loopback port that is free, and returns the port. Another process can take a port before
 * the server does: then another one is tried.
 */
export async function onFreePort(
  start: (port: number) => Promise<void>,
  isTaken: (error: unknown) => boolean,
): Promise<number> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      await start(port);
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS || !isTaken(error)) throw error;
    }
  }
}

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

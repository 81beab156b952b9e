import { existsSync } from "node:fs";
import { createConnection } from "node:net";
import { expect } from "vitest";

/** Waits until nobody listens on the URL's port. */
export async function waitUntilNobodyListens(url: string): Promise<void> {
  const port = Number(new URL(url).port);
  await expect.poll(() => listens(port), { timeout: 30_000, interval: 50 }).toBe(false);
}

export async function waitUntilGone(path: string): Promise<void> {
  await expect.poll(() => existsSync(path), { timeout: 30_000, interval: 50 }).toBe(false);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

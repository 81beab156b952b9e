import { createServer, type AddressInfo, type Socket } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { LARGEST_ANSWERS_BYTES, redisOptions } from "../../../../lib/job/lock/redis-address.ts";
import { LockUnavailableError } from "../../../../lib/job/lock/lock-store.ts";
import { createRedisLockStore } from "../../../../lib/job/lock/redis-lock-store.ts";

it("the driver gets what the address says, in plain, and nothing else", () => {
  expect(redisOptions("rediss://us%40er:p%2Fss@cache.example:6380/3?family=6&tls=")).toEqual({
    host: "cache.example",
    port: 6380,
    username: "us@er",
    password: "p/ss",
    db: 3,
    family: 6,
    tls: {},
  });
  expect(redisOptions("redis://[::1]")).toEqual({ host: "::1", port: 6379 });
  expect(redisOptions("redis:///?db=2")).toEqual({ host: "localhost", port: 6379, db: 2 });
});

it.each([
  ["a text that is never whole", "$999999999\r\n"],
  ["an answer that is one line", "+"],
])("%s ends the connection at its limit, and the lock is not to be had", async (_what, begin) => {
  const sockets: Socket[] = [];
  let sent = 0;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.once("data", () => {
      socket.write(begin);
      const more = (): void => {
        while (!socket.destroyed) {
          sent += 65_536;
          if (!socket.write(Buffer.alloc(65_536, "x"))) return void socket.once("drain", more);
        }
      };
      more();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const store = createRedisLockStore(`redis://127.0.0.1:${port}`, { now: () => new Date() });
  const error: unknown = await store
    .acquire({ key: "afterhours:test", owner: "me", ttlMs: 1000 })
    .catch((thrown: unknown) => thrown);
  await store.close();
  expect(error).toBeInstanceOf(LockUnavailableError);
  expect((error as LockUnavailableError).message).toContain(
    "answers, and sends more than an answer may have (EMSGSIZE)",
  );
  // Each connection, and what both systems keep in their buffers.
  expect(sent / sockets.length).toBeLessThan(LARGEST_ANSWERS_BYTES + 16 * 2 ** 20);
});
